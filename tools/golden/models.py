"""Whole training runs: small GPTs, and models written as lists of layers."""

import torch
import torch.nn.functional as F
from torch import nn

from case import Written
from draw import Draw

ACTIVATIONS = {
    "gelu": lambda x: F.gelu(x, approximate="tanh"), "silu": F.silu, "relu2": lambda x: F.relu(x).square(),
    "relu": F.relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid, "mish": F.mish, "elu": F.elu, "softplus": F.softplus,
    "leakyRelu": F.leaky_relu, "leaky_relu": F.leaky_relu, "identity": lambda x: x,
}


class Block(nn.Module):
    def __init__(self, model: dict):
        super().__init__()
        width = model["C"]
        self.heads, self.parallel, self.act = model["H"], model["parallel"], ACTIVATIONS[model["act"]]
        self.ln1, self.ln2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.fc, self.out = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def attend(self, x):
        batch, length, width = x.shape
        q, k, v = (part.view(batch, length, self.heads, -1).transpose(1, 2) for part in self.qkv(self.ln1(x)).split(width, 2))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.proj(y.transpose(1, 2).reshape(batch, length, width))

    def forward(self, x):
        after = x + self.attend(x)
        read = x if self.parallel else after
        return after + self.out(self.act(self.fc(self.ln2(read))))


class Gpt(nn.Module):
    def __init__(self, model: dict):
        super().__init__()
        self.wte, self.wpe = nn.Embedding(model["V"], model["C"]), nn.Embedding(model["T"], model["C"])
        self.blocks = nn.ModuleList(Block(model) for _ in range(model["L"]))
        self.lnf, self.head = nn.LayerNorm(model["C"]), nn.Linear(model["C"], model["V"], bias=False)
        if model["tied"]:
            self.head.weight = self.wte.weight

    def forward(self, tokens):
        x = self.wte(tokens) + self.wpe(torch.arange(tokens.shape[1]))
        for block in self.blocks:
            x = block(x)
        return self.head(self.lnf(x))


class Layers(nn.Module):
    """Named layers in a row; what is no module is a function."""

    def __init__(self, layers: list):
        super().__init__()
        self.steps = [layer[1] if isinstance(layer, tuple) else layer for layer in layers]
        for layer in layers:
            if isinstance(layer, tuple):
                self.add_module(*layer)

    def forward(self, x):
        for step in self.steps:
            x = step(x)
            x = x[0] if isinstance(x, tuple) else x
        return x


def cnn(d: Draw) -> tuple[str, nn.Module, list[int], int]:
    """The text, the model, the shape of an image and the number of classes."""
    images, first, second, classes = d.size(1, 3), d.size(1, 4) * 2, d.size(2, 5) * 2, d.size(3, 10)
    size = d.size(4, 6) * 2
    text, layers = [], []

    def add(words, *found):
        text.append(words)
        layers.extend(found)

    word = d.turn("relu", "gelu", "silu", "tanh", "elu", "sigmoid", "relu", "leakyRelu", "mish", "relu")
    kernel = d.turn(3, 5, 3, 1, 3, 3, 3, 3, 3, 5)
    padding = kernel // 2
    add(f"conv {images}->{first} k{kernel} p{padding}", ("c1", nn.Conv2d(images, first, kernel, padding=padding)))
    style = d.turn("plain", "batchnorm", "groupnorm", "depthwise", "dilation", "avgpool", "no padding", "transposed", "three", "rectangle")
    if style == "batchnorm":
        add("batchnorm", ("bn1", nn.BatchNorm2d(first)))
    if style == "groupnorm":
        add("groupnorm 2", ("gn1", nn.GroupNorm(2, first)))
    add(word, ACTIVATIONS[word])
    if style == "avgpool":
        add("avgpool 2", nn.AvgPool2d(2))
    else:
        add("maxpool 2", nn.MaxPool2d(2))
    if style == "depthwise":
        add(f"conv {first}->{first} k3 p1 g{first}", ("dw", nn.Conv2d(first, first, 3, padding=1, groups=first)))
        add(f"conv {first}->{second} k1", ("c2", nn.Conv2d(first, second, 1)))
    elif style == "dilation":
        add(f"conv {first}->{second} k3 p2 d2", ("c2", nn.Conv2d(first, second, 3, padding=2, dilation=2)))
    elif style == "no padding":
        add(f"conv {first}->{second} k3", ("c2", nn.Conv2d(first, second, 3)))
    elif style == "transposed":
        add(f"convTranspose {first}->{second} k2 s2", ("c2", nn.ConvTranspose2d(first, second, 2, stride=2)))
    elif style == "rectangle":
        add(f"conv {first}->{second} k1x3 p0x1", ("c2", nn.Conv2d(first, second, (1, 3), padding=(0, 1))))
    else:
        add(f"conv {first}->{second} k3 s2 p1", ("c2", nn.Conv2d(first, second, 3, stride=2, padding=1)))
    add(word, ACTIVATIONS[word])
    if style == "three":
        add(f"conv {second}->{second} k3 p1", ("c3", nn.Conv2d(second, second, 3, padding=1)))
        add("relu", F.relu)
    add("flatten", nn.Flatten())
    width = nn.Sequential(*[step if isinstance(step, nn.Module) else _Function(step) for step in Layers(layers).steps])(
        torch.zeros(1, images, size, size) if style != "batchnorm" else torch.zeros(2, images, size, size)).shape[1]
    if d.turn(False, True, False):
        add(f"linear {width}->12", ("fc1", nn.Linear(width, 12)))
        add("relu", F.relu)
        width = 12
    add(f"linear {width}->{classes}", ("fc", nn.Linear(width, classes)))
    return ", ".join(text), Layers(layers), [images, size, size], classes


class _Function(nn.Module):
    def __init__(self, fn):
        super().__init__()
        self.fn = fn

    def forward(self, x):
        return self.fn(x)


def recurrent(d: Draw) -> tuple[str, nn.Module, int]:
    """The text, the model and the number of tokens."""
    tokens, width, hidden = d.size(5, 20), d.size(3, 10), d.size(3, 14)
    style = d.turn("lstm", "wide", "stacked", "gru", "rnn", "both", "two", "lstm", "norm", "mlp")
    text, layers = [f"embedding {tokens}x{width}"], [("emb", nn.Embedding(tokens, width))]
    gates = "(PyTorch gate order i f g o)"
    if style == "stacked":
        text.append(f"LSTM {width}->{hidden} layers 2 {gates}")
        layers.append(("lstm", nn.LSTM(width, hidden, 2, batch_first=True)))
    elif style == "gru":
        text.append(f"GRU {width}->{hidden}")
        layers.append(("gru", nn.GRU(width, hidden, batch_first=True)))
    elif style == "rnn":
        text.append(f"RNN {width}->{hidden}")
        layers.append(("rnn", nn.RNN(width, hidden, batch_first=True)))
    elif style == "both":
        text.append(f"LSTM {width}->{hidden} bidirectional")
        layers.append(("lstm", nn.LSTM(width, hidden, bidirectional=True, batch_first=True)))
        hidden *= 2
    else:
        text.append(f"LSTM {width}->{hidden} {gates}")
        layers.append(("lstm", nn.LSTM(width, hidden, batch_first=True)))
    if style == "two":
        text.append(f"LSTM {hidden}->{width} {gates}")
        layers.append(("lstm2", nn.LSTM(hidden, width, batch_first=True)))
        hidden = width
    if style == "norm":
        text.append(f"layernorm {hidden}")
        layers.append(("ln", nn.LayerNorm(hidden)))
    if style == "mlp":
        text += [f"linear {hidden}->9", "tanh"]
        layers += [("mlp", nn.Linear(hidden, 9)), torch.tanh]
        hidden = 9
    text.append(f"linear {hidden}->{tokens}")
    layers.append(("head", nn.Linear(hidden, tokens)))
    return ", ".join(text), Layers(layers), tokens


def gpt(d: Draw) -> dict:
    heads = d.size(1, 4)
    # A norm of two elements is their order alone: gradients are rounding errors, which Adam makes steps of.
    width = heads * d.size(max(2, -(-6 // heads)), 8)
    return {
        "V": d.size(5, 40), "T": d.size(2, 18), "C": width, "L": d.size(1, 3), "H": heads,
        "act": d.turn("gelu", "silu", "relu2", "relu", "tanh", "sigmoid", "mish", "elu", "softplus", "identity"),
        "tied": d.turn(False, True, False, True), "parallel": d.turn(False, False, True, True, False, True),
    }


RATES = (
    {"name": "AdamW", "lr": 0.003, "betas": [0.9, 0.99], "eps": 1e-8, "weightDecay": 0.1},
    {"name": "SGD", "lr": 0.05, "momentum": 0.9},
    {"name": "Adam", "lr": 0.01, "betas": [0.9, 0.999], "eps": 1e-8},
    {"name": "SGD", "lr": 0.02, "momentum": 0.8, "nesterov": True, "weightDecay": 0.01},
    {"name": "RMSprop", "lr": 0.002, "alpha": 0.9},
    {"name": "Adagrad", "lr": 0.02},
)


def make(seed: int, small: bool, wanted) -> Written:
    written = Written()
    for kind, turn in (("gpt", 0), ("cnn", 1), ("lstm", 2)):
        for index in range((2 if small else 10) if wanted(kind) else 0):
            # A few models see other variants with every seed.
            d = Draw(seed, kind, index + (seed if small else 0), small)
            torch.manual_seed(seed * 1000 + index)
            _run(written, f"{kind}-{len(written.cases)}", kind, RATES[turn] if index % 2 == 0 else d.pick(*RATES), d)
    return written


def _build(kind: str, d: Draw):
    """The description, the model, and a drawn batch."""
    batch = d.size(2, 5)
    if kind == "gpt":
        model = gpt(d)
        if d.small:
            model |= {"C": model["H"] * -(-6 // model["H"]), "L": 1}
        tokens = lambda: d.ints([batch, model["T"]], 0, model["V"] - 1)  # noqa: E731
        return model, Gpt(model), lambda: (tokens(), tokens())
    if kind == "cnn":
        text, module, image, classes = cnn(d)
        return {"layers": text}, module, lambda: (d.normal([batch + 2, *image]), d.ints([batch + 2], 0, classes - 1))
    text, module, count = recurrent(d)
    steps = d.size(2, 7)
    return {"layers": text}, module, lambda: (d.ints([batch, steps], 0, count - 1), d.ints([batch, steps], 0, count - 1))


def _run(written: Written, identity: str, kind: str, optimizer: dict, d: Draw) -> None:
    steps = 6 if d.small else 20
    model, module, batch = _build(kind, d)
    for value in module.parameters():
        value.data = value.data.float().double()
    module.double()
    names = {name: f"{identity}/init/{name}" for name, _ in module.named_parameters()}
    written.tensors.update({at: dict(module.named_parameters())[name].detach().clone() for name, at in names.items()})
    batches = [batch() for _ in range(2 if d.small else d.size(1, 4))]
    places = [[f"{identity}/x{i}", f"{identity}/y{i}"] for i in range(len(batches))]
    for (x, y), (x_at, y_at) in zip(batches, places):
        written.tensors |= {x_at: x, y_at: y}
    given = {{"weightDecay": "weight_decay"}.get(name, name): value for name, value in optimizer.items() if name != "name"}
    rule = getattr(torch.optim, optimizer["name"])(module.parameters(), **given)
    losses = []
    for step in range(steps):
        x, y = batches[step % len(batches)]
        logits = module(x)
        loss = F.cross_entropy(logits.reshape(-1, logits.shape[-1]), y.reshape(-1))
        # A float32 loss has the digits of the logits that it is the difference of: below this, less than the test wants.
        if loss.item() < 0.02:
            break
        losses.append(loss.item())
        rule.zero_grad()
        loss.backward()
        rule.step()
    written.cases.append({"id": identity, "kind": kind, "model": model, "optimizer": optimizer, "steps": len(losses),
                          "losses": losses, "parameters": names, "batches": places})

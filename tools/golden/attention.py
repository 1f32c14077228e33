"""Attention, by formula and as PyTorch's modules."""

import math

import torch
import torch.nn.functional as F
from torch import nn

from case import Case, kind
from draw import Draw
from modules import module_case


def mask_for(d: Draw, shape) -> torch.Tensor:
    """Every row sees something."""
    mask = d.mask(shape, 0.6)
    mask[..., 0] = 1
    return mask


@kind("scaledDotProductAttention", variants=10)
def attention(d: Draw) -> Case:
    """A fourth input is a mask: int32 ones where a key counts, or float32 that is added to the scores."""
    batch, heads = d.size(1, 2), d.size(1, 3)
    limit = 6 if d.small else 70
    queries, width = d.size(1, limit), d.size(1, 6 if d.small else 20)
    what = d.turn("plain", "causal", "scale", "mask", "bias", "grouped", "lengths", "rank 3", "causal lengths", "value width")
    keys = d.size(1, limit) if "lengths" in what or what in ("mask", "bias") else queries
    options = {"causal": what.startswith("causal")}
    lead = [batch] if what == "rank 3" else [batch, heads]
    q, k = d.normal([*lead, queries, width]), d.normal([*lead, keys, width])
    v = d.normal([*lead, keys, d.size(1, 9) if what == "value width" else width])
    inputs = [q, k, v]
    if what == "scale":
        options["scale"] = d.number(0.05, 1)
    if what == "grouped":
        inputs[0] = d.normal([batch, heads * 2, queries, width])
        options["enableGqa"] = True
    if what == "mask":
        inputs.append(mask_for(d, d.pick([queries, keys], [batch, 1, queries, keys])))
    if what == "bias":
        inputs.append(d.normal(d.pick([queries, keys], [batch, heads, queries, keys])))

    def run(q, k, v, mask=None):
        mask = mask if mask is None or mask.is_floating_point() else mask != 0
        return F.scaled_dot_product_attention(
            q, k, v, mask, is_causal=options["causal"], scale=options.get("scale"), enable_gqa=options.get("enableGqa", False))

    return Case(inputs, options, run)


@kind("rotary", variants=2)
def rotary(d: Draw) -> Case:
    """By the formula of RoFormer (section 3.4.2), with the halves of the width paired as in GPT-NeoX."""
    batch, heads, length, half = d.size(1, 2), d.size(1, 3), d.size(1, 9), d.size(1, 5)
    base = d.turn(10000.0, 500.0)
    angles = torch.outer(torch.arange(length).double(), base ** (-torch.arange(half).double() / half))

    def run(x):
        a, b = x.chunk(2, -1)
        return torch.cat([a * angles.cos() - b * angles.sin(), b * angles.cos() + a * angles.sin()], -1)

    return Case([d.normal([batch, heads, length, 2 * half])], {"base": base}, run)


@kind("multiheadAttention", variants=6)
def multihead(d: Draw) -> Case:
    """Self-attention, other keys and values, widths of their own, a causal mask, padding, and averaged weights."""
    heads = d.size(1, 3)
    width, batch, length, keys = heads * d.size(1, 4), 2, d.size(2, 5), d.size(2, 5)
    what = d.turn("self", "cross", "widths", "causal", "padding", "weights")
    settings = {"embedDim": width, "numHeads": heads, "batchFirst": d.flip(), "bias": what != "widths" or d.flip()}
    if what == "widths":
        settings |= {"kdim": width + 1, "vdim": width + 2}
    layer = nn.MultiheadAttention(width, heads, bias=settings["bias"], batch_first=settings["batchFirst"],
                                  kdim=settings.get("kdim"), vdim=settings.get("vdim"))
    place = (lambda n, w: [batch, n, w]) if settings["batchFirst"] else (lambda n, w: [n, batch, w])
    inputs = [d.normal(place(length, width))]
    if what in ("cross", "widths", "padding", "weights"):
        inputs += [d.normal(place(keys, settings.get("kdim", width))), d.normal(place(keys, settings.get("vdim", width)))]
    hidden = 1 - mask_for(d, [batch, keys]) if what == "padding" else None
    options = {"settings": settings, "causal": what == "causal", "give": "weights" if what == "weights" else "output"}

    def run(module, *x):
        q, k, v = x[:3] if len(x) >= 3 else (x[0],) * 3
        mask = torch.triu(torch.ones(length, length), 1) != 0 if what == "causal" else None
        padding = x[3] != 0 if what == "padding" else None
        output, weights = module(q, k, v, key_padding_mask=padding, attn_mask=mask)
        return weights if what == "weights" else output

    return module_case(d, layer, inputs + ([] if hidden is None else [hidden]), options, run)


def layer_settings(d: Draw) -> tuple[dict, dict]:
    heads = d.size(1, 2)
    settings = {"dModel": heads * d.size(2, 4), "nhead": heads, "dimFeedforward": d.size(2, 8), "dropout": 0,
                "activation": d.turn("relu", "gelu"), "batchFirst": d.flip(), "normFirst": d.turn(False, False, True, True)}
    names = {"dModel": "d_model", "dimFeedforward": "dim_feedforward", "batchFirst": "batch_first", "normFirst": "norm_first"}
    return settings, {names.get(name, name): value for name, value in settings.items()}


@kind("transformerEncoderLayer", variants=4)
def encoder_layer(d: Draw) -> Case:
    settings, given = layer_settings(d)
    x = d.normal([2, d.size(2, 4), settings["dModel"]])
    causal = d.flip()
    length = x.shape[1] if settings["batchFirst"] else x.shape[0]
    mask = nn.Transformer.generate_square_subsequent_mask(length, dtype=torch.float64) if causal else None
    return module_case(d, nn.TransformerEncoderLayer(**given), [x], {"settings": settings, "causal": causal},
                       lambda module, x: module(x, src_mask=mask), 5e-4, 1e-4)


@kind("transformerDecoderLayer", variants=4)
def decoder_layer(d: Draw) -> Case:
    settings, given = layer_settings(d)
    batch, length, memory = 2, d.size(2, 4), d.size(2, 4)
    place = (lambda n: [batch, n, settings["dModel"]]) if settings["batchFirst"] else (lambda n: [n, batch, settings["dModel"]])
    mask = nn.Transformer.generate_square_subsequent_mask(length, dtype=torch.float64)
    return module_case(d, nn.TransformerDecoderLayer(**given), [d.normal(place(length)), d.normal(place(memory))],
                       {"settings": settings}, lambda module, x, m: module(x, m, tgt_mask=mask), 5e-4, 1e-4)


@kind("transformerEncoder")
def encoder(d: Draw) -> Case:
    settings, given = layer_settings(d)
    layer = nn.TransformerEncoderLayer(**given)
    module = nn.TransformerEncoder(layer, 2, norm=nn.LayerNorm(settings["dModel"]), enable_nested_tensor=False)
    x = d.normal([2, 3, settings["dModel"]])
    return module_case(d, module, [x], {"settings": settings, "layers": 2, "norm": True}, lambda module, x: module(x), 5e-4, 1e-4)


@kind("transformer")
def transformer(d: Draw) -> Case:
    settings, given = layer_settings(d)
    module = nn.Transformer(num_encoder_layers=1, num_decoder_layers=1, **given)
    settings = {**settings, "numEncoderLayers": 1, "numDecoderLayers": 1}
    x, y = d.normal([3, 3, settings["dModel"]]), d.normal([3, 3, settings["dModel"]])
    return module_case(d, module, [x, y], {"settings": settings}, lambda module, x, y: module(x, y), 5e-4, 2e-4)


@kind("sinusoids")
def sinusoids(d: Draw) -> Case:
    """Attention Is All You Need, section 3.5, added to x."""
    length, half = d.size(1, 6), d.size(1, 4)
    angles = torch.outer(torch.arange(length).double(), torch.exp(-torch.arange(half).double() * math.log(10000.0) / half))
    return Case([d.normal([2, length, 2 * half])], {}, lambda x: x + torch.stack([angles.sin(), angles.cos()], -1).flatten(1))

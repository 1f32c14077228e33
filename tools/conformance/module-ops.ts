/** Modules as ops: a case's last inputs are the parameters, named in its options. */
import { present } from "../../src/base/assert.ts";
import { functional, nn } from "../../src/index.ts";
import type { Tensor } from "../../src/index.ts";
import { ones } from "../../src/compute/tensor/create.ts";
import { line } from "./op-line.ts";
import type { OpLine } from "./op-line.ts";

/** PyTorch's arguments of a module: the sizes come first, the others are its options. */
type Settings = Readonly<Record<"inputSize" | "hiddenSize" | "embedDim" | "numHeads" | "dModel" | "nhead", number>> & {
  readonly bias: never;
};

interface ModuleOptions {
  readonly settings: Settings;
  readonly parameters: readonly string[];
}

/** `call` gets the inputs that are no parameters. */
function moduleLine<Built extends nn.Module, Options = unknown>(
  name: string,
  build: (settings: Settings, options: Options) => Built,
  call: (module: Built, inputs: readonly Tensor[], options: Options) => Tensor,
): OpLine {
  return line<ModuleOptions & Options>(name, (tensors, options) => {
    const module = build(options.settings, options);
    const count = tensors.length - options.parameters.length;
    const own = new Map(module.namedParameters());
    options.parameters.forEach((parameter, i) => {
      // The same value: gradients with respect to the input are those with respect to the parameter.
      present(own.get(parameter), `${name}: ${parameter}`).value = present(tensors[count + i], parameter).value;
    });
    return call(module, tensors.slice(0, count), options);
  });
}

interface Recurrent {
  readonly state: number;
  readonly give: "output" | "h" | "c";
}

const RECURRENT: readonly OpLine[] = [
  ...(
    [
      ["RNN", nn.RNN],
      ["GRU", nn.GRU],
    ] as const
  ).map(([name, Layer]) =>
    moduleLine<nn.RNN | nn.GRU, Recurrent>(
      name,
      ({ inputSize, hiddenSize, ...settings }) => new Layer(inputSize, hiddenSize, settings),
      (module, [x, hidden], { give }) => {
        const { output, hidden: last } = module.forward(present(x, "x"), hidden);
        return give === "output" ? output : last;
      },
    ),
  ),
  moduleLine<nn.LSTM, Recurrent>(
    "LSTM",
    ({ inputSize, hiddenSize, ...settings }) => new nn.LSTM(inputSize, hiddenSize, settings),
    (module, [x, hidden, cell], { give }) => {
      const initial = hidden !== undefined && cell !== undefined ? { hidden, cell } : {};
      const found = module.forward(present(x, "x"), initial);
      return found[give === "output" ? "output" : give === "h" ? "hidden" : "cell"];
    },
  ),
  ...(
    [
      ["RNNCell", nn.RNNCell],
      ["GRUCell", nn.GRUCell],
    ] as const
  ).map(([name, Layer]) =>
    moduleLine<nn.RNNCell | nn.GRUCell>(
      name,
      ({ inputSize, hiddenSize, ...settings }) => new Layer(inputSize, hiddenSize, settings),
      (module, [x, hidden]) => module.forward(present(x, "x"), hidden),
    ),
  ),
  moduleLine<nn.LSTMCell>(
    "LSTMCell",
    ({ inputSize, hiddenSize, ...settings }) => new nn.LSTMCell(inputSize, hiddenSize, settings),
    (module, [x, hidden, cell]) =>
      module.forward(present(x, "x"), { hidden: present(hidden, "h"), cell: present(cell, "c") }).hidden,
  ),
];

/** Places that come later are hidden: [T, T]. */
const later = (size: number): Tensor => ones([size, size]).triu(1).cast("bool");

interface Attention {
  readonly causal: boolean;
  readonly give: "output" | "weights";
}

const ATTENTION: readonly OpLine[] = [
  moduleLine<nn.MultiheadAttention, Attention>(
    "multiheadAttention",
    ({ embedDim, numHeads, ...settings }) => new nn.MultiheadAttention(embedDim, numHeads, settings),
    (module, [q, k = q, v = q, hidden], { causal, give }) => {
      const [query, key, value] = [q, k, v].map((x) => present(x, "an input")) as [Tensor, Tensor, Tensor];
      const attnMask = causal ? later(query.shape[module.batchFirst ? 1 : 0] ?? 0) : null;
      const masks = { attnMask, keyPaddingMask: hidden?.cast("bool") ?? null };
      return present(module.forward(query, key, value, masks)[give], give);
    },
  ),
  moduleLine<nn.TransformerEncoderLayer, { causal: boolean }>(
    "transformerEncoderLayer",
    ({ dModel, nhead, ...settings }) => new nn.TransformerEncoderLayer(dModel, nhead, settings),
    (module, [x], { causal }) => module.forward(present(x, "x"), { isCausal: causal }),
  ),
  moduleLine<nn.TransformerDecoderLayer>(
    "transformerDecoderLayer",
    ({ dModel, nhead, ...settings }) => new nn.TransformerDecoderLayer(dModel, nhead, settings),
    (module, [x, memory]) => module.forward(present(x, "x"), present(memory, "memory"), { tgtIsCausal: true }),
  ),
  moduleLine<nn.TransformerEncoder, { layers: number }>(
    "transformerEncoder",
    ({ dModel, nhead, ...settings }, { layers }) => {
      const layer = (): nn.TransformerEncoderLayer => new nn.TransformerEncoderLayer(dModel, nhead, settings);
      return new nn.TransformerEncoder(layer, layers, { norm: new nn.LayerNorm(dModel) });
    },
    (module, [x]) => module.forward(present(x, "x")),
  ),
  moduleLine<nn.Transformer>(
    "transformer",
    (settings) => new nn.Transformer(settings),
    (module, [x, y]) => module.forward(present(x, "source"), present(y, "target")),
  ),
  line<{ base: number }>("rotary", ([x], options) => functional.rotaryEmbedding(x, options)),
  line("sinusoids", ([x]) => x.add(functional.sinusoidalPositions(x.shape[1] ?? 0, x.shape[2] ?? 0))),
];

const OTHERS: readonly OpLine[] = [
  line<{ mode: "sum" | "mean" | "max" }>("embeddingBag", ([weight, indices, perSample], { mode }) => {
    const bag = new nn.EmbeddingBag(weight.shape[0] ?? 0, weight.shape[1] ?? 0, { mode: mode as "sum" });
    bag.weight.value = weight.value;
    return bag.forward(indices, null, perSample ?? null);
  }),
  line("bilinear", ([x, y, weight, bias]) => {
    const [outputs = 0, left = 0, right = 0] = weight.shape;
    const layer = new nn.Bilinear(left, right, outputs);
    layer.weight.value = weight.value;
    present(layer.bias, "bias").value = present(bias, "bias").value;
    return layer.forward(x, y);
  }),
];

export const MODULE_OPS: readonly OpLine[] = [...RECURRENT, ...ATTENTION, ...OTHERS];

/** Layers with parameters: the parameters' shapes say how large they are, the text what they do. */
import { UnsupportedError } from "../../../src/base/errors.ts";
import { formatShape } from "../../../src/compute/layout/shape.ts";
import { batchNorm } from "../../../src/compute/tensor/ops/batch-norm.ts";
import { conv1d, conv2d, conv3d } from "../../../src/compute/tensor/ops/conv.ts";
import type { ConvOptions } from "../../../src/compute/tensor/ops/conv.ts";
import { convTranspose1d, convTranspose2d, convTranspose3d } from "../../../src/compute/tensor/ops/conv-transpose.ts";
import type { ConvTransposeOptions } from "../../../src/compute/tensor/ops/conv-transpose.ts";
import { embedding } from "../../../src/compute/tensor/ops/gather.ts";
import { groupNorm } from "../../../src/compute/tensor/ops/group-norm.ts";
import { instanceNorm } from "../../../src/compute/tensor/ops/instance-norm.ts";
import { layerNorm } from "../../../src/compute/tensor/ops/layer-norm.ts";
import { linear } from "../../../src/compute/tensor/ops/linear.ts";
import { prelu } from "../../../src/compute/tensor/ops/prelu.ts";
import { rmsNorm } from "../../../src/compute/tensor/ops/rms-norm.ts";
import type { Tensor } from "../../../src/compute/tensor/tensor.ts";
import type { Module } from "../../../src/model/nn/module.ts";
import type { LayerText } from "./parse-layers.ts";
import { recurrentLayer } from "./recurrent-layer.ts";
import { Weights } from "./weights.ts";
import type { Shapes } from "./weights.ts";

export type Step = (x: Tensor) => Tensor;

/** A layer, and what it does: `module` holds its parameters. */
interface BuiltLayer {
  readonly module: Module;
  readonly step: Step;
}

/** What a layer does, given its weight and bias. */
type Apply = (layer: LayerText, weight: Tensor | null, bias: Tensor | null) => Step;

/** As `Apply`, for what cannot be without a weight. */
function weighted(apply: (layer: LayerText, weight: Tensor, bias: Tensor | null) => Step): Apply {
  return (layer, weight, bias) => {
    if (weight === null) throw new UnsupportedError(`model: expected parameters for "${layer.text}", found none`);
    return apply(layer, weight, bias);
  };
}

const convolution = weighted((layer, weight, bias) => {
  const { paddingMode, kernelSize: _, ...given } = layer.options;
  const fn = [conv1d, conv2d, conv3d][weight.shape.length - 3];
  if (fn === undefined) throw misfit(layer, weight);
  const depthwise = /^(depthwise|dw)/.test(layer.name) ? { groups: weight.shape[0] } : {};
  const options = { ...depthwise, ...given } as ConvOptions;
  if (paddingMode === undefined || paddingMode === "zeros") return (x) => fn(x, weight, bias, options);
  const { padding = 0 } = options;
  const ends = typeof padding === "number" ? weight.shape.slice(2).map(() => padding) : (padding as readonly number[]);
  const around = [...ends].reverse().flatMap((count) => [count, count]);
  return (x) => fn(x.pad(around, paddingMode as "reflect"), weight, bias, { ...options, padding: 0 });
});

const transposed = weighted((layer, weight, bias) => {
  const fn = [convTranspose1d, convTranspose2d, convTranspose3d][weight.shape.length - 3];
  if (fn === undefined) throw misfit(layer, weight);
  return (x) => fn(x, weight, bias, layer.options as ConvTransposeOptions);
});

const epsOf = ({ options }: LayerText, otherwise: number): number => {
  const { eps = otherwise } = options;
  return Number(eps);
};

/** Of two numbers the first, unless that is the channels; of one, that one. */
function groupsOf({ options, sizes }: LayerText, channels: number): number {
  const { groups } = options;
  return Number(groups ?? sizes.flat().find((size, i, all) => all.length === 1 || size !== channels) ?? 1);
}

const APPLIES: ReadonlyMap<string, Apply> = new Map<string, Apply>([
  ...["conv", "depthwise", "dwconv", "depthwiseconv"].map((name): [string, Apply] => [name, convolution]),
  ...["convtranspose", "convt", "tconv", "deconv", "transposedconv"].map((name): [string, Apply] => [name, transposed]),
  ...["linear", "fc", "dense", "head", "proj"].map((name): [string, Apply] => [
    name,
    weighted((_, weight, bias) => (x) => linear(x, weight, bias)),
  ]),
  ...["embedding", "emb", "embed"].map((name): [string, Apply] => [name, weighted((_, weight) => (x) => embedding(x, weight))]),
  ...["batchnorm", "bn"].map((name): [string, Apply] => [
    name,
    (layer, weight, bias) => (x) => batchNorm(x, null, null, weight, bias, { training: true, eps: epsOf(layer, 1e-5) }),
  ]),
  ...["groupnorm", "gn"].map((name): [string, Apply] => [
    name,
    (layer, weight, bias) => (x) => groupNorm(x, groupsOf(layer, x.shape[1] ?? 0), weight, bias, epsOf(layer, 1e-5)),
  ]),
  ...["instancenorm", "in"].map((name): [string, Apply] => [
    name,
    (layer, weight, bias) => (x) => instanceNorm(x, null, null, weight, bias, { eps: epsOf(layer, 1e-5) }),
  ]),
  ...["layernorm", "ln"].map((name): [string, Apply] => [
    name,
    (layer, weight, bias) => (x) => layerNorm(x, weight?.shape ?? x.shape.slice(-1), weight, bias, epsOf(layer, 1e-5)),
  ]),
  ...["rmsnorm", "rms"].map((name): [string, Apply] => [
    name,
    (layer, weight) => (x) => rmsNorm(x, weight?.shape ?? x.shape.slice(-1), weight, epsOf(layer, 2 ** -23)),
  ]),
  ["prelu", weighted((_, weight) => (x) => prelu(x, weight))],
]); // prettier-ignore

const RECURRENT: ReadonlySet<string> = new Set(["lstm", "gru", "rnn"]);

/** The names of all layers that may have parameters. */
export const LAYER_NAMES: ReadonlySet<string> = new Set([...APPLIES.keys(), ...RECURRENT]);

/** "conv2d" is "conv". */
export function layerName({ name }: LayerText): string {
  return LAYER_NAMES.has(name) ? name : name.replace(/[123]d$/, "");
}

/** Whether the next parameters are the layer's own. Norms may have none. */
export function needsParameters(layer: LayerText, shapes: Shapes): boolean {
  const isNorm = /norm$|^(bn|gn|in|ln|rms)$/.test(layerName(layer));
  return (
    !isNorm || shapes.get("weight")?.length === 1 || [...shapes.keys()].some((name) => name.startsWith("running_"))
  );
}

/** @throws UnsupportedError where text and shapes do not fit */
export function buildLayer(layer: LayerText, shapes: Shapes): BuiltLayer {
  const name = layerName(layer);
  if (RECURRENT.has(name)) return recurrentLayer(name, layer, shapes);
  const apply = APPLIES.get(name);
  if (apply === undefined) throw new UnsupportedError(`model: hearth has no layer "${layer.text}" yet`);
  const module = new Weights(shapes);
  return { module, step: apply({ ...layer, name }, module.get("weight"), module.get("bias")) };
}

function misfit({ text }: LayerText, weight: Tensor): UnsupportedError {
  return new UnsupportedError(
    `model: expected a weight with 3 to 5 axes for "${text}", found ${formatShape(weight.shape)}`,
  );
}

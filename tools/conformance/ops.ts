/**
 * The ops of golden values that hearth has, by their names and options: here those of the first fixtures, then those of
 * `tools/golden`. An op without a line fails.
 */
import type { Tensor } from "../../src/compute/tensor/tensor.ts";
import { bceWithLogits } from "../../src/compute/tensor/ops/binary-cross-entropy.ts";
import type { BceWithLogitsOptions } from "../../src/compute/tensor/ops/binary-cross-entropy.ts";
import { cat, stack } from "../../src/compute/tensor/ops/cat.ts";
import type { ClampOptions } from "../../src/compute/tensor/ops/clamp.ts";
import { avgPool2d } from "../../src/compute/tensor/ops/avg-pool.ts";
import { batchNorm } from "../../src/compute/tensor/ops/batch-norm.ts";
import { conv1d, conv2d } from "../../src/compute/tensor/ops/conv.ts";
import { convTranspose2d } from "../../src/compute/tensor/ops/conv-transpose.ts";
import { crossEntropy } from "../../src/compute/tensor/ops/cross-entropy.ts";
import type { CrossEntropyOptions } from "../../src/compute/tensor/ops/cross-entropy.ts";
import { elu } from "../../src/compute/tensor/ops/elu.ts";
import { einsum } from "../../src/compute/tensor/ops/einsum.ts";
import type { EluOptions } from "../../src/compute/tensor/ops/elu.ts";
import { embedding } from "../../src/compute/tensor/ops/gather.ts";
import type { GeluOptions } from "../../src/compute/tensor/ops/gelu.ts";
import { groupNorm } from "../../src/compute/tensor/ops/group-norm.ts";
import { upsampleNearest2d } from "../../src/compute/tensor/ops/interpolate.ts";
import { klDiv } from "../../src/compute/tensor/ops/kl-div.ts";
import type { KlDivOptions } from "../../src/compute/tensor/ops/kl-div.ts";
import { layerNorm } from "../../src/compute/tensor/ops/layer-norm.ts";
import { linear } from "../../src/compute/tensor/ops/linear.ts";
import { huberLoss, l1Loss, mseLoss } from "../../src/compute/tensor/ops/losses.ts";
import type { HuberLossOptions } from "../../src/compute/tensor/ops/losses.ts";
import { maxPool2d } from "../../src/compute/tensor/ops/max-pool.ts";
import type { PoolOptions } from "../../src/compute/tensor/ops/pool-windows.ts";
import { rmsNorm } from "../../src/compute/tensor/ops/rms-norm.ts";
import { scaledDotProductAttention } from "../../src/compute/tensor/ops/scaled-dot-product-attention.ts";
import type { AttentionOptions } from "../../src/compute/tensor/ops/scaled-dot-product-attention.ts";
import { softplus } from "../../src/compute/tensor/ops/softplus.ts";
import type { SoftplusOptions } from "../../src/compute/tensor/ops/softplus.ts";
import { ARRAY_OPS } from "./array-ops.ts";
import { FUNCTION_OPS } from "./function-ops.ts";
import { MODULE_OPS } from "./module-ops.ts";
import { optional } from "./op-line.ts";
import type { OpLine, Run as AnyRun } from "./op-line.ts";

/** What the fixtures' options hold: each op takes its own, and the fixtures are trusted with the types. */
type OptionName = "dim" | "keepDim" | "correction" | "negativeSlope" | "eps" | "groups" | "scale" | "shape" | "dims" | "dim0" | "dim1" | "ranges" | "padding" | "mode" | "value" | "diagonal" | "repeats" | "equation" | "k" | "paddingIdx" | "normalizedShape" | "largest" | "sorted" | "with"; // prettier-ignore
type Options = Readonly<Record<OptionName, never>> &
  GeluOptions &
  ClampOptions &
  EluOptions &
  SoftplusOptions &
  HuberLossOptions &
  Omit<CrossEntropyOptions, "reduction"> &
  Omit<KlDivOptions, "reduction"> &
  AttentionOptions & { readonly reduction?: never };

type Run = AnyRun<Options>;

const UNARY = ["neg", "abs", "exp", "log", "sqrt", "rsqrt", "sin", "cos", "tanh", "sigmoid", "relu", "silu", "erf", "square", "reciprocal", "sign", "floor", "log1p", "expm1"] as const; // prettier-ignore
const BINARY = ["add", "sub", "mul", "div", "maximum", "minimum", "pow"] as const;
const REDUCTIONS = ["sum", "mean", "logSumExp", "max", "min", "prod"] as const;

const reduction = (op: (typeof REDUCTIONS)[number] | "var"): Run => {
  return ([x], { dim, keepDim, correction }) => x[op](dim, { keepDim, correction });
};

/** By the fixtures' name of the op. */
const FIRST_OPS: readonly (readonly [name: string, run: Run])[] = [
  ...UNARY.map((op): [string, Run] => [op, ([x]) => x[op]()]),
  ...BINARY.map((op): [string, Run] => [op, ([a, b]) => a[op](b)]),
  ...REDUCTIONS.map((op): [string, Run] => [op, reduction(op)]),
  ["variance", reduction("var")],
  ["softplus", ([x], options) => softplus(x, options)],
  ["elu", ([x], options) => elu(x, options)],
  ["gelu", ([x], options) => x.gelu(options)],
  ["leakyRelu", ([x], { negativeSlope }) => x.leakyRelu(negativeSlope)],
  ["clamp", ([x], options) => x.clamp(options)],
  ["where", ([condition, a, b]) => condition.where(a, b)],
  ["cumsum", ([x], { dim }) => x.cumsum(dim)],
  ["argmax", ([x], { dim, keepDim }) => x.argmax(dim, { keepDim })],
  ["softmax", ([x], { dim }) => x.softmax(dim)],
  ["logSoftmax", ([x], { dim }) => x.logSoftmax(dim)],
  [
    "layerNorm",
    ([x, weight, bias], { eps, normalizedShape }) => layerNorm(x, normalizedShape ?? weight.shape, weight, bias, eps),
  ],
  ["rmsNorm", ([x, weight], { eps, normalizedShape }) => rmsNorm(x, normalizedShape ?? weight.shape, weight, eps)],
  ["groupNorm", ([x, weight, bias], { groups, eps }) => groupNorm(x, groups, weight, bias, eps)],
  ["batchNorm", ([x, weight, bias], { eps }) => batchNorm(x, null, null, weight, bias, { training: true, eps })],
  ["upsampleNearest2d", ([x], { scale }) => upsampleNearest2d(x, { scaleFactor: scale })],
  ["matmul", ([a, b]) => a.matmul(b)],
  ["einsum", (inputs, { equation }) => einsum(equation, inputs)],
  ["linear", ([x, weight, bias]) => linear(x, weight, bias)],
  ["conv1d", ([x, weight, bias], options) => conv1d(x, weight, bias, options)],
  ["conv2d", ([x, weight, bias], options) => conv2d(x, weight, bias, options)],
  ["convTranspose2d", ([x, weight, bias], options) => convTranspose2d(x, weight, bias, options)],
  ["maxPool2d", ([x], options) => maxPool2d(x, options as unknown as PoolOptions)],
  ["avgPool2d", ([x], options) => avgPool2d(x, options as unknown as PoolOptions)],
  ["reshape", ([x], { shape }) => x.reshape(shape)],
  ["permute", ([x], { dims }) => x.permute(dims)],
  ["transpose", ([x], { dim0, dim1 }) => x.transpose(dim0, dim1)],
  ["expand", ([x], { shape }) => x.expand(shape)],
  ["cat", (inputs, { dim }) => cat(inputs, dim)],
  ["stack", (inputs, { dim }) => stack(inputs, dim)],
  ["slice", ([x], { ranges }) => x.slice(ranges)],
  ["flip", ([x], { dims }) => x.flip(dims)],
  [
    "pad",
    ([x], { padding, mode, value }) => (mode === undefined ? x.pad(padding, value) : x.pad(padding, mode, value)),
  ],
  ["tril", ([x], { diagonal }) => x.tril(diagonal)],
  ["repeat", ([x], { repeats }) => x.repeat(repeats)],
  ["topK", ([x], { k, dim, largest, sorted }) => x.topK(k, dim, { largest, sorted }).values],
  ["gather", ([x, indices], { dim }) => x.gather(dim, indices)],
  ["indexSelect", ([x, indices], { dim }) => x.indexSelect(dim, indices)],
  ["scatterAdd", ([x, indices, source], { dim }) => x.scatterAdd(dim, indices, source)],
  ["embedding", ([weight, indices], options) => embedding(indices, weight, options)],
  [
    "crossEntropy",
    ([logits, targets, weight], options) => crossEntropy(logits, targets, { ...options, weight: optional(weight) }),
  ],
  ["mseLoss", ([x, y], options) => mseLoss(x, y, options)],
  ["l1Loss", ([x, y], options) => l1Loss(x, y, options)],
  ["huberLoss", ([x, y], options) => huberLoss(x, y, options)],
  ["bceWithLogits", ([x, y, ...weights], options) => bceWithLogits(x, y, bceOptions(weights, options))],
  ["klDiv", ([x, y], options) => klDivOf(x, y, options)],
  ["scaledDotProductAttention", (inputs, options) => attentionOf(inputs, options)],
];

export const FIXTURE_OPS: ReadonlyMap<string, AnyRun> = new Map<string, AnyRun>([
  ...(FIRST_OPS as readonly OpLine[]),
  ...ARRAY_OPS,
  ...FUNCTION_OPS,
  ...MODULE_OPS,
]);

/** A mask may come as a fourth input. */
function attentionOf(inputs: readonly Tensor[], options: AttentionOptions): Tensor {
  const [q, k, v, mask = null] = inputs as [Tensor, Tensor, Tensor, Tensor?];
  if (mask === null) return scaledDotProductAttention(q, k, v, options);
  return scaledDotProductAttention(q, k, v, { ...options, mask: mask.dtype === "int32" ? mask.cast("bool") : mask });
}

/** `with` names the inputs after the second: weight, posWeight. */
function bceOptions(weights: readonly Tensor[], { with: names, reduction }: Options): BceWithLogitsOptions {
  const given = ((names as readonly string[] | undefined) ?? []).map((name, i) => [name, weights[i]]);
  return { ...(reduction === undefined ? {} : { reduction }), ...(Object.fromEntries(given) as BceWithLogitsOptions) };
}

/** The inputs as such, or what `of` says: "logSoftmax of both inputs over the last dim, log target", "... over dim 1". */
function klDivOf(x: Tensor, y: Tensor, { of = "", ...options }: KlDivOptions & { readonly of?: string }): Tensor {
  const dim = Number(/over dim (-?\d+)/.exec(of)?.[1] ?? -1);
  const logTarget = options.logTarget ?? of.includes("log target");
  const input = of.includes("logSoftmax") ? x.logSoftmax(dim) : x;
  const isBoth = of.includes("both inputs");
  const target = isBoth && of.includes("logSoftmax") ? (logTarget ? y.logSoftmax(dim) : y.softmax(dim)) : y;
  return klDiv(input, target, { ...options, logTarget });
}

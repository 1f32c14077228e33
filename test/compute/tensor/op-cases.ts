/** One case or more for every op: what goes in, and the op. Tests give them to oracles and to devices. */
import { Random } from "../../../src/base/random.ts";
import type { Shape } from "../../../src/compute/compiler/ir.ts";
import { elementCount } from "../../../src/compute/layout/shape.ts";
import { cat, stack } from "../../../src/compute/tensor/ops/cat.ts";
import { conv2d } from "../../../src/compute/tensor/ops/conv.ts";
import { crossEntropy } from "../../../src/compute/tensor/ops/cross-entropy.ts";
import { embedding } from "../../../src/compute/tensor/ops/gather.ts";
import { l1Loss, mseLoss } from "../../../src/compute/tensor/ops/losses.ts";
import { layerNorm } from "../../../src/compute/tensor/ops/layer-norm.ts";
import { linear } from "../../../src/compute/tensor/ops/linear.ts";
import { avgPool2d } from "../../../src/compute/tensor/ops/avg-pool.ts";
import { maxPool2d } from "../../../src/compute/tensor/ops/max-pool.ts";
import { scaledDotProductAttention } from "../../../src/compute/tensor/ops/scaled-dot-product-attention.ts";
import { windows } from "../../../src/compute/tensor/ops/window.ts";
import type { Tensor } from "../../../src/compute/tensor/tensor.ts";

/** Float32 values around 0, positive ones from 0.5 to 2, or whole numbers below a bound (int32). */
export interface OpInput {
  readonly shape: Shape;
  readonly values: "normal" | "positive" | number;
}

export interface OpCase {
  readonly name: string;
  readonly inputs: readonly OpInput[];
  apply(inputs: readonly Tensor[]): Tensor;
}

/** The host values of a case: a function of its name. */
export function drawInput(
  name: string,
  index: number,
  { shape, values }: OpInput,
): Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> {
  const random = new Random(3, name, index);
  const length = elementCount(shape);
  if (typeof values === "number") return Int32Array.from({ length }, () => random.below(values));
  return Float32Array.from({ length }, () => (values === "normal" ? random.normal() : 0.5 + 1.5 * random.uniform()));
}

type Apply<N extends number> = (...inputs: TensorsOf<N>) => Tensor;
type TensorsOf<N extends number> = N extends 1 ? [Tensor] : N extends 2 ? [Tensor, Tensor] : [Tensor, Tensor, Tensor];
type Kind = OpInput["values"];

function floats(...shapes: Shape[]): OpInput[] {
  return shapes.map((shape) => ({ shape, values: "normal" }));
}

function mixed(...inputs: [Shape, Kind][]): OpInput[] {
  return inputs.map(([shape, values]) => ({ shape, values }));
}

function opCase<N extends 1 | 2 | 3>(name: string, inputs: OpInput[], apply: Apply<N>): OpCase {
  return { name, inputs, apply: (tensors) => (apply as (...all: readonly Tensor[]) => Tensor)(...tensors) };
}

const unaryOps = ["neg", "abs", "sign", "floor", "ceil", "round", "exp", "square", "sin", "cos", "tanh", "erf", "sigmoid", "relu", "leakyRelu", "silu", "gelu"] as const; // prettier-ignore
const positiveOps = ["log", "sqrt", "rsqrt", "reciprocal"] as const;
const binaryOps = ["add", "sub", "mul", "maximum", "minimum"] as const;
const broadcasts: readonly [Shape, Shape][] = [
  [[2, 3], [2, 3]], [[4, 1, 3], [2, 1]], [[], [3]], [[1], [2, 1, 2]],
]; // prettier-ignore

const elementwise: OpCase[] = [
  ...unaryOps.map((op) => opCase<1>(op, floats([3, 1, 4]), (x) => x[op]())),
  ...positiveOps.map((op) => opCase<1>(op, mixed([[2, 5], "positive"]), (x) => x[op]())),
  ...binaryOps.flatMap((op) =>
    broadcasts.map(([a, b]) => opCase<2>(`${op} ${a} with ${b}`, floats(a, b), (x, y) => x[op](y))),
  ),
  ...broadcasts.flatMap(([a, b]) => [
    opCase<2>(`div ${a} by ${b}`, mixed([a, "normal"], [b, "positive"]), (x, y) => x.div(y)),
    opCase<2>(`pow ${a} by ${b}`, mixed([a, "positive"], [b, "normal"]), (x, y) => x.pow(y)),
  ]),
  opCase<1>("number on the right", floats([4]), (x) => x.add(2).mul(3).sub(0.5).div(4)),
  opCase<1>("pow 3", floats([5]), (x) => x.pow(3)),
  opCase<1>("pow 0.5", mixed([[5], "positive"]), (x) => x.pow(0.5)),
  opCase<1>("pow -1.5", mixed([[5], "positive"]), (x) => x.pow(-1.5)),
  opCase<1>("geluTanh", floats([3, 4]), (x) => x.gelu({ approximate: "tanh" })),
  opCase<1>("clamp", floats([4, 5]), (x) => x.clamp({ min: -0.5, max: 0.7 })),
  opCase<1>("clamp from below", floats([7]), (x) => x.clamp({ min: 0.1 })),
  opCase<3>("where", mixed([[3, 4], 2], [[4], "normal"], [[3, 1], "normal"]), (c, a, b) => c.where(a, b)),
  opCase<2>("maskedFill", mixed([[3, 4], "normal"], [[4], 2]), (x, mask) => x.maskedFill(mask, -2)),
  opCase<2>("comparisons choose", floats([3, 4], [4]), (x, y) => x.lt(y).where(x, y.mul(2))),
  opCase<1>("a tensor used three times", floats([4]), (x) => x.mul(x).add(x)),
];

const reductions: OpCase[] = (["sum", "mean", "max", "min", "var", "logSumExp"] as const).flatMap((op) => [
  opCase<1>(`${op} of all`, floats([2, 3]), (x) => x[op]()),
  opCase<1>(`${op} along 1`, floats([2, 3, 4]), (x) => x[op](1)),
  opCase<1>(`${op} along two, kept`, floats([2, 3, 4]), (x) => x[op]([0, -1], { keepDim: true })),
]);

const along: OpCase[] = [
  opCase<1>("sum of a scalar", floats([]), (x) => x.sum()),
  opCase<1>("sum along an axis of 1", floats([3, 1]), (x) => x.sum(1)),
  opCase<1>("var without correction", floats([3, 5]), (x) => x.var(-1, { correction: 0 })),
  opCase<1>("softmax", floats([3, 5]), (x) => x.softmax(-1)),
  opCase<1>("softmax along 0", floats([4, 1, 3]), (x) => x.softmax(0)),
  opCase<1>("logSoftmax", floats([3, 5]), (x) => x.logSoftmax(-1)),
  opCase<1>("logSoftmax along 1", floats([2, 4, 3]), (x) => x.logSoftmax(1)),
  opCase<1>("cumsum", floats([3, 5]), (x) => x.cumsum(1)),
  opCase<1>("cumsum along 0", floats([4, 1]), (x) => x.cumsum(0)),
  opCase<3>("layerNorm", floats([2, 3, 5], [5], [5]), (x, w, b) => layerNorm(x, 5, w, b)),
];

const shapes: OpCase[] = [
  opCase<1>("reshape", floats([3, 4]), (x) => x.reshape([2, -1])),
  opCase<1>("flatten", floats([2, 3, 2]), (x) => x.flatten(1)),
  opCase<1>("squeeze and unsqueeze", floats([2, 1, 3]), (x) => x.squeeze(1).unsqueeze(-1)),
  opCase<1>("permute", floats([2, 3, 4]), (x) => x.permute([2, 0, 1])),
  opCase<1>("transpose", floats([2, 3, 4]), (x) => x.transpose(0, -1)),
  opCase<1>("expand", floats([3, 1]), (x) => x.expand([2, -1, 4])),
  opCase<1>("repeat", floats([2, 3]), (x) => x.repeat([2, 1, 3])),
  opCase<1>("slice", floats([3, 5, 4]), (x) => x.slice([null, [1, 5, 2], [-3, null]])),
  opCase<1>("narrow", floats([3, 5]), (x) => x.narrow(1, 2, 3)),
  opCase<1>("select", floats([3, 5]), (x) => x.select(0, -1)),
  opCase<1>("flip", floats([3, 2, 4]), (x) => x.flip([0, 2])),
  opCase<1>("split", floats([7, 2]), (x) => x.split(3).map((part) => part.sum(0)).reduce((a, b) => a.mul(b))), // prettier-ignore
  opCase<1>("chunk", floats([2, 6]), (x) => x.chunk(3, 1).reduce((a, b) => a.mul(b))),
  opCase<1>("pad", floats([2, 3]), (x) => x.pad([1, 2, 0, 1], 0.5)),
  opCase<3>("cat", floats([2, 3], [2, 1], [2, 2]), (...parts) => cat(parts, 1)),
  opCase<2>("stack", floats([2, 3], [2, 3]), (...parts) => stack(parts, 1)),
  opCase<1>("tril", floats([2, 3, 4]), (x) => x.tril(-1)),
  opCase<1>("triu", floats([3, 4]), (x) => x.triu(1)),
];

const products: OpCase[] = [
  opCase<2>("matmul", floats([3, 4], [4, 2]), (a, b) => a.matmul(b)),
  opCase<2>("matmul of a row", floats([4], [4, 2]), (a, b) => a.matmul(b)),
  opCase<2>("matmul by a column", floats([3, 4], [4]), (a, b) => a.matmul(b)),
  opCase<2>("matmul of vectors", floats([4], [4]), (a, b) => a.matmul(b)),
  opCase<2>("matmul of batches", floats([2, 3, 4], [2, 4, 2]), (a, b) => a.matmul(b)),
  opCase<2>("matmul that broadcasts", floats([2, 1, 3, 2], [3, 2, 2]), (a, b) => a.matmul(b)),
  opCase<2>("matmul of one matrix with a batch", floats([3, 2], [2, 2, 4]), (a, b) => a.matmul(b)),
  opCase<3>("linear", floats([2, 3, 4], [5, 4], [5]), (x, w, b) => linear(x, w, b)),
  opCase<3>("attention", floats([2, 3, 4], [2, 5, 4], [2, 5, 3]), (q, k, v) => scaledDotProductAttention(q, k, v)),
  opCase<3>("causal attention", floats([1, 2, 4, 3], [1, 2, 4, 3], [1, 2, 4, 3]), (q, k, v) =>
    scaledDotProductAttention(q, k, v, { causal: true }),
  ),
];

const indexed: OpCase[] = [
  opCase<2>("gather", mixed([[3, 5, 2], "normal"], [[2, 4, 2], 5]), (x, i) => x.gather(1, i)),
  opCase<2>("indexSelect", mixed([[3, 4], "normal"], [[6], 4]), (x, i) => x.indexSelect(-1, i)),
  opCase<2>("embedding", mixed([[6, 3], "normal"], [[2, 5], 6]), (w, i) => embedding(i, w)),
  opCase<3>("scatterAdd", mixed([[3, 5], "normal"], [[2, 7], 5], [[3, 7], "normal"]), (x, i, s) =>
    x.scatterAdd(1, i, s),
  ),
  opCase<2>("crossEntropy", mixed([[4, 5], "normal"], [[4], 5]), (x, t) => crossEntropy(x, t)),
  opCase<2>("crossEntropy of sequences", mixed([[2, 3, 4], "normal"], [[2, 3], 4]), (x, t) =>
    crossEntropy(x, t, { reduction: "none" }),
  ),
  opCase<2>("crossEntropy with smoothing", mixed([[6, 4], "normal"], [[6], 4]), (x, t) =>
    crossEntropy(x, t, { labelSmoothing: 0.2, ignoreIndex: 2, reduction: "sum" }),
  ),
  opCase<2>("mseLoss", floats([3, 4], [3, 4]), (x, y) => mseLoss(x, y)),
  opCase<2>("l1Loss", floats([3, 4], [3, 4]), (x, y) => l1Loss(x, y, { reduction: "sum" })),
];

const images: OpCase[] = [
  opCase<1>("windows that overlap", floats([2, 9]), (x) => windows(x, { axis: 1, size: 3, stride: 2, dilation: 2 })),
  opCase<1>("windows with a rest", floats([8, 2]), (x) => windows(x, { axis: 0, size: 3, stride: 3, dilation: 1 })),
  opCase<1>("windows with gaps", floats([8]), (x) => windows(x, { axis: 0, size: 2, stride: 3, dilation: 1 })),
  opCase<3>("conv2d", floats([2, 1, 4, 3], [2, 1, 3, 3], [2]), (x, w, b) => conv2d(x, w, b, { padding: 1 })),
  opCase<2>("conv2d with strides", floats([1, 2, 6, 7], [2, 2, 2, 3]), (x, w) =>
    conv2d(x, w, null, { stride: [2, 1], padding: [0, 2], dilation: [1, 2] }),
  ),
  opCase<2>("conv2d in groups", floats([2, 4, 4, 3], [6, 2, 2, 1]), (x, w) => conv2d(x, w, null, { groups: 2 })),
  opCase<1>("maxPool2d", floats([2, 2, 5, 4]), (x) => maxPool2d(x, { kernelSize: 2 })),
  opCase<1>("maxPool2d that overlaps", floats([1, 2, 5, 6]), (x) =>
    maxPool2d(x, { kernelSize: 3, stride: 2, padding: 1 }),
  ),
  opCase<1>("avgPool2d", floats([2, 1, 4, 5]), (x) => avgPool2d(x, { kernelSize: [2, 3], stride: 1, padding: 1 })),
];

/** Every differentiable op. */
export const OP_CASES: readonly OpCase[] = [
  ...elementwise,
  ...reductions,
  ...along,
  ...shapes,
  ...products,
  ...indexed,
  ...images,
];

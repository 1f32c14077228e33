/** Activations. Values are drawn away from kinks. */
import fc from "fast-check";
import type { Tensor } from "../../../../src/compute/tensor/tensor.ts";
import { celu, elu, selu } from "../../../../src/compute/tensor/ops/elu.ts";
import { glu } from "../../../../src/compute/tensor/ops/glu.ts";
import { hardsigmoid, hardswish, hardtanh, relu6 } from "../../../../src/compute/tensor/ops/hardtanh.ts";
import { logSigmoid } from "../../../../src/compute/tensor/ops/log-sigmoid.ts";
import { mish } from "../../../../src/compute/tensor/ops/mish.ts";
import { softmin } from "../../../../src/compute/tensor/ops/softmin.ts";
import { softplus } from "../../../../src/compute/tensor/ops/softplus.ts";
import { hardshrink, softshrink, tanhshrink } from "../../../../src/compute/tensor/ops/softshrink.ts";
import { softsign } from "../../../../src/compute/tensor/ops/softsign.ts";
import { threshold } from "../../../../src/compute/tensor/ops/threshold.ts";
import { elementwiseProperty, floats, shapes } from "./draws.ts";
import type { Values } from "./draws.ts";
import { at, ndArray } from "./nd-array.ts";
import type { NdArray } from "./nd-array.ts";
import { type OpProperty, testProperties } from "./op-property.ts";

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const clip = (x: number, low: number, high: number): number => Math.min(Math.max(x, low), high);
const wide = { low: -8, high: 8 };

type Activation = readonly [string, (x: Tensor) => Tensor, (x: number) => number, values?: Values];

const activations: Activation[] = [
  ["softplus", (x) => softplus(x), (x) => Math.log1p(Math.exp(x)), wide],
  ["softplus with beta and a threshold", (x) => softplus(x, { beta: 2, threshold: 3 }), (x) => (2 * x > 3 ? x : Math.log1p(Math.exp(2 * x)) / 2), { avoid: [1.5] }],
  ["elu", (x) => elu(x), (x) => (x > 0 ? x : Math.expm1(x)), { avoid: [0] }],
  ["elu with alpha", (x) => elu(x, { alpha: 0.3 }), (x) => (x > 0 ? x : 0.3 * Math.expm1(x)), { avoid: [0] }],
  ["selu", (x) => selu(x), (x) => 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * Math.expm1(x)), { avoid: [0] }],
  ["celu", (x) => celu(x, { alpha: 0.7 }), (x) => Math.max(0, x) + Math.min(0, 0.7 * Math.expm1(x / 0.7)), { avoid: [0] }],
  ["mish", (x) => mish(x), (x) => x * Math.tanh(Math.log1p(Math.exp(x))), wide],
  ["softsign", (x) => softsign(x), (x) => x / (1 + Math.abs(x)), { avoid: [0] }],
  ["hardtanh", (x) => hardtanh(x, { minVal: -0.4, maxVal: 1.1 }), (x) => clip(x, -0.4, 1.1), { avoid: [-0.4, 1.1] }],
  ["relu6", (x) => relu6(x), (x) => clip(x, 0, 6), { ...wide, avoid: [0, 6] }],
  ["hardsigmoid", (x) => hardsigmoid(x), (x) => clip(x / 6 + 0.5, 0, 1), { ...wide, avoid: [-3, 3] }],
  ["hardswish", (x) => hardswish(x), (x) => x * clip(x / 6 + 0.5, 0, 1), { ...wide, avoid: [-3, 3] }],
  ["logSigmoid", (x) => logSigmoid(x), (x) => -Math.log1p(Math.exp(-x)), wide],
  ["softshrink", (x) => softshrink(x, 0.4), (x) => Math.sign(x) * Math.max(Math.abs(x) - 0.4, 0), { avoid: [-0.4, 0.4] }],
  ["hardshrink", (x) => hardshrink(x), (x) => (Math.abs(x) > 0.5 ? x : 0), { avoid: [-0.5, 0.5] }],
  ["tanhshrink", (x) => tanhshrink(x), (x) => x - Math.tanh(x)],
  ["threshold", (x) => threshold(x, 0.3, -7), (x) => (x > 0.3 ? x : -7), { avoid: [0.3] }],
]; // prettier-ignore

const gated: OpProperty = {
  name: "glu",
  draws: fc.record({ shape: shapes(1, 3), axis: fc.nat(), seed: fc.nat() }).map(({ shape, axis, seed }) => {
    const along = axis % shape.length;
    const doubled = shape.map((size, i) => (i === along ? 2 * size : size));
    return {
      inputs: [floats(doubled, seed)],
      apply: ([x]) => glu(x as Tensor, along - shape.length),
      expected: ([x]) =>
        ndArray(shape, (index) => {
          const gate = index.map((i, j) => (j === along ? i + (shape[j] ?? 0) : i));
          return at(x as NdArray, index) * sigmoid(at(x as NdArray, gate));
        }),
    };
  }),
};

const learned: OpProperty = {
  name: "prelu",
  draws: fc.record({ shape: shapes(1, 4), one: fc.boolean(), seed: fc.nat() }).map(({ shape, one, seed }) => {
    const channels = shape.length > 1 ? (shape[1] ?? 1) : 1;
    return {
      inputs: [floats(shape, seed, { avoid: [0] }), floats([one ? 1 : channels], seed + 1)],
      apply: ([x, weight]) => (x as Tensor).prelu(weight as Tensor),
      expected: ([x, weight]) =>
        ndArray(shape, (index) => {
          const value = at(x as NdArray, index);
          const slope = at(weight as NdArray, [one || channels === 1 ? 0 : (index[1] ?? 0)]);
          return value > 0 ? value : slope * value;
        }),
    };
  }),
};

const normalized: OpProperty = {
  name: "softmin",
  draws: fc.record({ shape: shapes(1, 3), axis: fc.nat(), seed: fc.nat() }).map(({ shape, axis, seed }) => {
    const along = axis % shape.length;
    return {
      inputs: [floats(shape, seed)],
      apply: ([x]) => softmin(x as Tensor, along),
      expected: ([x]) =>
        ndArray(shape, (index) => {
          const line = Array.from({ length: shape[along] ?? 0 }, (_, k) => Math.exp(-at(x as NdArray, index.with(along, k))));
          return Math.exp(-at(x as NdArray, index)) / line.reduce((a, b) => a + b, 0);
        }),
    };
  }),
}; // prettier-ignore

testProperties(
  [
    ...activations.map(([name, apply, oracle, values]) => elementwiseProperty(name, apply, oracle, values)),
    gated,
    learned,
    normalized,
  ],
  { webGpuRuns: 1 },
);

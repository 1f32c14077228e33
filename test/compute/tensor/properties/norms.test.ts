/** Norms, against means and variances taken in plain loops over the elements that belong together. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { OptionError, ShapeError } from "../../../../src/base/errors.ts";
import { tensor, zeros } from "../../../../src/compute/tensor/create.ts";
import { batchNorm } from "../../../../src/compute/tensor/ops/batch-norm.ts";
import { groupNorm } from "../../../../src/compute/tensor/ops/group-norm.ts";
import { instanceNorm } from "../../../../src/compute/tensor/ops/instance-norm.ts";
import { layerNorm } from "../../../../src/compute/tensor/ops/layer-norm.ts";
import { localResponseNorm } from "../../../../src/compute/tensor/ops/local-response-norm.ts";
import { normalize } from "../../../../src/compute/tensor/ops/normalize.ts";
import { rmsNorm } from "../../../../src/compute/tensor/ops/rms-norm.ts";
import { weightNorm } from "../../../../src/compute/tensor/ops/weight-norm.ts";
import { withRuntime } from "../../../../src/compute/tensor/runtime-scope.ts";
import type { Tensor } from "../../../../src/compute/tensor/tensor.ts";
import { InterpreterRuntime } from "../interpreter-runtime.ts";
import { floats, shapes, size } from "./draws.ts";
import { at, type NdArray, ndArray } from "./nd-array.ts";
import { type OpProperty, testProperties } from "./op-property.ts";

type Index = readonly number[];

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const mean = (values: readonly number[]): number => sum(values) / values.length;
const variance = (values: readonly number[], less = 0): number => {
  const middle = mean(values);
  return sum(values.map((x) => (x - middle) ** 2)) / (values.length - less);
};

/** fn of each element and of all that have the same `key`. */
function grouped(x: NdArray, key: (index: Index) => string, fn: (value: number, group: number[], index: Index) => number): NdArray {
  const groups = new Map<string, number[]>();
  ndArray(x.shape, (index, place) => {
    const group = groups.get(key(index)) ?? [];
    groups.set(key(index), group);
    return group.push(x.data[place] ?? Number.NaN);
  });
  return ndArray(x.shape, (index, place) => fn(x.data[place] ?? Number.NaN, groups.get(key(index)) ?? [], index));
} // prettier-ignore

const standard = (x: number, group: readonly number[], eps: number): number => (x - mean(group)) / Math.sqrt(variance(group) + eps); // prettier-ignore

/** The element of a vector, or of none. */
const element = (vector: NdArray | undefined, i: number, otherwise: number): number => vector === undefined ? otherwise : (vector.data[i] ?? Number.NaN); // prettier-ignore

const affine = fc.constantFrom<readonly ("weight" | "bias")[]>([], ["weight"], ["weight", "bias"]);
const EPS = 0.1; // Not small: finite differences of a norm of few elements need a slope that is not steep.

/** Shapes, of which the last `count` axes are normalised. */
const lastAxes = fc
  .record({ leading: shapes(0, 2), trailing: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 2 }), with: affine, seed: fc.nat() })
  .map((draw) => ({ ...draw, shape: [...draw.leading, ...draw.trailing] })); // prettier-ignore

const lastKey = (rank: number) => (index: Index): string => index.slice(0, rank).join(); // prettier-ignore

function placeIn(shape: readonly number[], index: Index): number {
  return index.slice(index.length - shape.length).reduce((place, i, axis) => place * (shape[axis] ?? 1) + i, 0);
}

const layer: OpProperty = {
  name: "layerNorm",
  draws: lastAxes.map(({ leading, trailing, shape, with: names, seed }) => ({
    inputs: [floats(shape, seed), ...names.map((_, i) => floats(trailing, seed + 1 + i))],
    apply: ([x, weight, bias]) => layerNorm(x as Tensor, trailing, weight, bias, EPS),
    expected: ([x, weight, bias]) =>
      grouped(x as NdArray, lastKey(leading.length), (value, group, index) => {
        const place = placeIn(trailing, index);
        return standard(value, group, EPS) * element(weight, place, 1) + element(bias, place, 0);
      }),
  })),
};

const rms: OpProperty = {
  name: "rmsNorm",
  draws: lastAxes.map(({ leading, trailing, shape, with: names, seed }) => ({
    inputs: [floats(shape, seed), ...names.slice(0, 1).map(() => floats(trailing, seed + 1))],
    apply: ([x, weight]) => rmsNorm(x as Tensor, trailing, weight, EPS),
    expected: ([x, weight]) =>
      grouped(x as NdArray, lastKey(leading.length), (value, group, index) => {
        const root = Math.sqrt(mean(group.map((other) => other ** 2)) + EPS);
        return (value / root) * element(weight, placeIn(trailing, index), 1);
      }),
  })),
};

const channels = fc.record({
  batch: size,
  groups: fc.integer({ min: 1, max: 3 }),
  inner: fc.integer({ min: 1, max: 3 }),
  spatial: shapes(0, 2),
  with: affine,
  seed: fc.nat(),
});

const group: OpProperty = {
  name: "groupNorm",
  draws: channels.map(({ batch, groups, inner, spatial, with: names, seed }) => ({
    inputs: [floats([batch, groups * inner, ...spatial], seed), ...names.map((_, i) => floats([groups * inner], seed + 1 + i))], // prettier-ignore
    apply: ([x, weight, bias]) => groupNorm(x as Tensor, groups, weight, bias, EPS),
    expected: ([x, weight, bias]) =>
      grouped(
        x as NdArray,
        ([b = 0, c = 0]) => `${b},${Math.floor(c / inner)}`,
        (value, values, [, c = 0]) => standard(value, values, EPS) * element(weight, c, 1) + element(bias, c, 0),
      ),
  })),
};

const batchTraining: OpProperty = {
  name: "batchNorm in training",
  draws: channels
    .filter(({ batch, spatial }) => [batch, ...spatial].reduce((a, b) => a * b) !== 1)
    .map(({ batch, inner, spatial, with: names, seed }) => ({
      inputs: [floats([batch, inner, ...spatial], seed), ...names.map((_, i) => floats([inner], seed + 1 + i))],
      apply: ([x, weight, bias]) => batchNorm(x as Tensor, null, null, weight, bias, { training: true, eps: EPS }),
      expected: ([x, weight, bias]) =>
        grouped(
          x as NdArray,
          ([, c = 0]) => `${c}`,
          (value, values, [, c = 0]) => standard(value, values, EPS) * element(weight, c, 1) + element(bias, c, 0),
        ),
    })),
};

const batchEval: OpProperty = {
  name: "batchNorm by running statistics",
  draws: channels.map(({ batch, inner, spatial, with: names, seed }) => ({
    inputs: [
      floats([batch, inner, ...spatial], seed),
      floats([inner], seed + 1),
      floats([inner], seed + 2, { low: 0.3, high: 2 }),
      ...names.map((_, i) => floats([inner], seed + 3 + i)),
    ],
    apply: ([x, middle, spread, weight, bias]) => batchNorm(x as Tensor, middle as Tensor, spread as Tensor, weight, bias, { eps: EPS }), // prettier-ignore
    expected: ([x, middle, spread, weight, bias]) =>
      ndArray((x as NdArray).shape, (index, place) => {
        const c = index[1] ?? 0;
        const centered = ((x as NdArray).data[place] ?? 0) - element(middle, c, 0);
        return (centered / Math.sqrt(element(spread, c, 1) + EPS)) * element(weight, c, 1) + element(bias, c, 0);
      }),
  })),
};

const instance: OpProperty = {
  name: "instanceNorm",
  draws: channels
    .filter(({ spatial }) => spatial.length > 0 && spatial.reduce((a, b) => a * b) !== 1)
    .map(({ batch, inner, spatial, with: names, seed }) => ({
      inputs: [floats([batch, inner, ...spatial], seed), ...names.map((_, i) => floats([inner], seed + 1 + i))],
      apply: ([x, weight, bias]) => instanceNorm(x as Tensor, null, null, weight, bias, { eps: EPS }),
      expected: ([x, weight, bias]) =>
        grouped(
          x as NdArray,
          ([b = 0, c = 0]) => `${b},${c}`,
          (value, values, [, c = 0]) => standard(value, values, EPS) * element(weight, c, 1) + element(bias, c, 0),
        ),
    })),
};

const response: OpProperty = {
  name: "localResponseNorm",
  draws: fc
    .record({ batch: size, channels: size, spatial: shapes(0, 2), width: fc.integer({ min: 1, max: 5 }), k: fc.constantFrom(1, 2), seed: fc.nat() })
    .map(({ batch, channels: count, spatial, width, k, seed }) => ({
      inputs: [floats([batch, count, ...spatial], seed)],
      apply: ([x]) => localResponseNorm(x as Tensor, width, { alpha: 0.5, beta: 0.7, k }),
      expected: ([x]) =>
        ndArray((x as NdArray).shape, (index) => {
          const neighbours = Array.from({ length: width }, (_, i) => at(x as NdArray, index.with(1, (index[1] ?? 0) - Math.floor(width / 2) + i)));
          const squares = neighbours.map((value) => (Number.isNaN(value) ? 0 : value ** 2));
          return at(x as NdArray, index) / (k + 0.5 * mean(squares)) ** 0.7;
        }),
    })),
}; // prettier-ignore

const normalized: OpProperty = {
  name: "normalize",
  draws: fc
    .record({ shape: shapes(1, 3), axis: fc.nat(), p: fc.constantFrom(1, 2, 3, 1.5, Number.POSITIVE_INFINITY), seed: fc.nat() })
    .map(({ shape, axis, p, seed }) => {
      const along = axis % shape.length;
      return {
        inputs: [floats(shape, seed, { avoid: [0], margin: 0.2 })],
        apply: ([x]) => normalize(x as Tensor, p, along),
        expected: ([x]) =>
          grouped(x as NdArray, (index) => index.with(along, 0).join(), (value, values) => {
            const sizes = values.map(Math.abs);
            return value / (Number.isFinite(p) ? sum(sizes.map((one) => one ** p)) ** (1 / p) : Math.max(...sizes));
          }),
      };
    }),
}; // prettier-ignore

const weight: OpProperty = {
  name: "weightNorm",
  draws: fc.record({ shape: shapes(1, 3), axis: fc.nat(), all: fc.boolean(), seed: fc.nat() }).map((draw) => {
    const axis = draw.all ? null : draw.axis % draw.shape.length;
    const lengths = draw.shape.map((count, i) => (i === axis ? count : 1));
    return {
      inputs: [floats(draw.shape, draw.seed, { avoid: [0], margin: 0.2 }), floats(lengths, draw.seed + 1)],
      apply: ([v, g]) => weightNorm(v as Tensor, g as Tensor, axis),
      expected: ([v, g]) =>
        grouped(
          v as NdArray,
          (index) => (axis === null ? "" : `${index[axis]}`),
          (value, values, index) =>
            (value / Math.sqrt(sum(values.map((one) => one ** 2)))) *
            at(g as NdArray, index.map((i, other) => (other === axis ? i : 0))),
        ), // prettier-ignore
    };
  }),
};

testProperties([layer, rms, group, batchTraining, batchEval, instance, response, normalized, weight], {
  runs: 20,
  webGpuRuns: 1,
});

/** Runs `fn` on the interpreter and reads a tensor in float64. */
function read(fn: () => Tensor): number[] {
  const runtime = new InterpreterRuntime();
  return withRuntime(runtime, () => Array.from(runtime.peek([fn().value.node])[0] ?? []));
}

test("a large mean costs no digits of the variance", () => {
  const x = [1e4, 1e4 + 1, 1e4 + 2, 1e4 + 3];
  const normal = read(() => layerNorm(tensor(x), 4));
  x.forEach((value, i) => expect(normal[i]).toBeCloseTo(standard(value, x, 1e-5), 6));
});

test("training moves the running statistics towards the batch's, the variance by the unbiased one", () => {
  const values = [1, 2, 4, 8, 16, 32];
  const moved = (which: "mean" | "variance"): number[] =>
    read(() => {
      const [middle, spread] = [tensor([1, 2]), tensor([3, 4])];
      const x = tensor({ shape: [3, 2], data: Float32Array.from(values) });
      batchNorm(x, middle, spread, null, null, { training: true, momentum: 0.25 });
      return which === "mean" ? middle : spread;
    });
  const columns = [0, 1].map((c) => values.filter((_, i) => i % 2 === c));
  columns.forEach((column, c) => {
    expect(moved("mean")[c]).toBeCloseTo(0.75 * (1 + c) + 0.25 * mean(column), 5);
    expect(moved("variance")[c]).toBeCloseTo(0.75 * (3 + c) + 0.25 * variance(column, 1), 5);
  });
});

test("a vector of zeros stays one and has a finite gradient", () => {
  const runtime = new InterpreterRuntime();
  withRuntime(runtime, () => {
    for (const p of [1, 2, 2.5, 3]) {
      const x = zeros([1, 3], { requiresGrad: true });
      const y = normalize(x, p);
      y.sum().backward();
      expect(Array.from(runtime.peek([y.value.node])[0] ?? [])).toEqual([0, 0, 0]);
      expect(runtime.peek([(x.grad as Tensor).value.node])[0]?.every(Number.isFinite)).toBe(true);
    }
  });
});

test("what does not fit is refused with what was expected", () => {
  const x = zeros([2, 6, 4]);
  expect(() => layerNorm(x, 6)).toThrow(new ShapeError("layerNorm: expected [.., 6], found [2, 6, 4]"));
  expect(() => layerNorm(x, [6, 4], zeros([4]))).toThrow(
    new ShapeError("layerNorm: expected a weight [6, 4], found [4]"),
  );
  expect(() => rmsNorm(x, [])).toThrow(ShapeError);
  expect(() => groupNorm(x, 4)).toThrow(new OptionError("groupNorm: expected groups that divide 6 channels, found 4"));
  expect(() => groupNorm(zeros([3]), 1)).toThrow(ShapeError);
  expect(() => batchNorm(x, null, null)).toThrow(OptionError);
  expect(() => batchNorm(zeros([1, 6]), null, null, null, null, { training: true })).toThrow(
    new ShapeError("batchNorm: expected more than one value per channel to train on, found [1, 6]"),
  );
  expect(() => batchNorm(x, zeros([5]), zeros([6]))).toThrow(ShapeError);
  expect(() => instanceNorm(zeros([2, 6, 1]))).toThrow(ShapeError);
  expect(() => localResponseNorm(x, 0)).toThrow(OptionError);
  expect(() => normalize(x, 0)).toThrow(OptionError);
  expect(() => normalize(x, 2, 3)).toThrow(OptionError);
});

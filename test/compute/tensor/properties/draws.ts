/** What property tests draw: small shapes with dims of 0 and 1, shapes that broadcast, and values away from kinks. */
import fc from "fast-check";
import { Random } from "../../../../src/base/random.ts";
import type { Shape } from "../../../../src/compute/compiler/ir.ts";
import type { NdArray } from "./nd-array.ts";
import type { OpDraw, OpProperty, PropertyInput } from "./op-property.ts";
import type { Tensor } from "../../../../src/compute/tensor/tensor.ts";

/** A size of an axis: mostly 1 to 5, sometimes 0. */
export const size: fc.Arbitrary<number> = fc.oneof(
  { weight: 9, arbitrary: fc.integer({ min: 1, max: 5 }) },
  { weight: 1, arbitrary: fc.constant(0) },
);

/** Shapes of `minRank` to `maxRank` axes. */
export function shapes(minRank: number = 0, maxRank: number = 4): fc.Arbitrary<number[]> {
  return fc.array(size, { minLength: minRank, maxLength: maxRank });
}

/** `count` shapes that broadcast with one another: axes missing in front, or of size 1. */
export function broadcastingShapes(count: number): fc.Arbitrary<number[][]> {
  return shapes(0, 3).chain((shape) =>
    fc.array(
      fc.record({ rank: fc.integer({ min: 0, max: shape.length }), ones: fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }) }),
      { minLength: count, maxLength: count },
    ).map((cuts) => cuts.map(({ rank, ones }, i) =>
        i === 0 ? shape : shape.slice(shape.length - rank).map((n, axis) => (ones[axis] === true ? 1 : n)),
    )),
  ); // prettier-ignore
}

/** Which values: `low` to `high` evenly, without those within `margin` of a point of `avoid` (kinks and jumps). */
export interface Values {
  readonly low?: number;
  readonly high?: number;
  readonly avoid?: readonly number[];
  readonly margin?: number;
}

/** An input of `shape`; its values are a function of `seed`. */
export function floats(shape: Shape, seed: number, values: Values = {}): PropertyInput {
  const { low = -2, high = 2, avoid = [], margin = 0.01 } = values;
  const random = new Random(seed, "values");
  const draw = (): number => {
    for (;;) {
      const x = low + (high - low) * random.uniform();
      if (avoid.every((point) => Math.abs(x - point) > margin)) return x;
    }
  };
  return { shape, data: Array.from({ length: shape.reduce((a, b) => a * b, 1) }, draw) };
}

/** Distinct values in random order, at least 0.05 apart: no ties for max, sort and their like. */
export function distinctFloats(shape: Shape, seed: number): PropertyInput {
  const count = shape.reduce((a, b) => a * b, 1);
  const random = new Random(seed, "order");
  const order = Array.from({ length: count }, (_, i) => ({ i, key: random.uniform() })).sort((a, b) => a.key - b.key);
  return { shape, data: order.map(({ i }) => (i - count / 2) * 0.07 + 0.01) };
}

/** Whole numbers from `low` to `high` - 1. */
export function integers(shape: Shape, seed: number, low: number, high: number): PropertyInput {
  const random = new Random(seed, "integers");
  const length = shape.reduce((a, b) => a * b, 1);
  return { shape, data: Array.from({ length }, () => low + random.below(high - low)), dtype: "int32" };
}

/** 0 and 1. */
export function booleans(shape: Shape, seed: number): PropertyInput {
  return { ...integers(shape, seed, 0, 2), dtype: "bool" };
}

/** A property of an op of one tensor, elementwise. */
export function elementwiseProperty(
  name: string,
  apply: (x: Tensor) => Tensor,
  oracle: (x: number) => number,
  values: Values & Pick<OpProperty, "derivatives" | "tolerance"> = {},
): OpProperty {
  const draws = fc.record({ shape: shapes(), seed: fc.nat() }).map(({ shape, seed }): OpDraw => ({
    inputs: [floats(shape, seed, values)],
    apply: ([x]) => apply(x as Tensor),
    expected: ([x]) => ({ shape, data: (x as NdArray).data.map(oracle) }),
  }));
  const { derivatives, tolerance } = values;
  return {
    name,
    draws,
    ...(derivatives === undefined ? {} : { derivatives }),
    ...(tolerance === undefined ? {} : { tolerance }),
  };
}

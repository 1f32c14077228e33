/** The first ops, as property tests: they also show how such a test is written. */
import fc from "fast-check";
import { present } from "../../../../src/base/assert.ts";
import { broadcastingShapes, elementwiseProperty, floats, shapes } from "./draws.ts";
import { mapArrays, reduceArray } from "./nd-array.ts";
import { type OpProperty, testProperties } from "./op-property.ts";

const binary: OpProperty[] = (
  [
    ["add", (a: number, b: number) => a + b],
    ["sub", (a: number, b: number) => a - b],
    ["mul", (a: number, b: number) => a * b],
    ["div", (a: number, b: number) => a / b],
  ] as const
).map(([op, oracle]) => ({
  name: op,
  draws: fc.record({ shapes: broadcastingShapes(2), seed: fc.nat() }).map(({ shapes: [a = [], b = []], seed }) => ({
    inputs: [floats(a, seed), floats(b, seed + 1, { avoid: [0], margin: 0.4 })],
    apply: ([x, y]) => present(x, "x")[op](present(y, "y")),
    expected: (arrays) => mapArrays(oracle as (...values: number[]) => number, ...arrays),
  })),
}));

const reductions: OpProperty[] = [
  {
    name: "sum",
    draws: fc
      .record({ shape: shapes(1, 4), seed: fc.nat(), axis: fc.nat(), keepDim: fc.boolean() })
      .map(({ shape, seed, axis, keepDim }) => ({
        inputs: [floats(shape, seed)],
        apply: ([x]) => present(x, "x").sum(axis % shape.length, { keepDim }),
        expected: ([x]) =>
          reduceArray(present(x, "x"), [axis % shape.length], keepDim, (values) => values.reduce((a, b) => a + b, 0)),
      })),
  },
];

testProperties([
  ...binary,
  ...reductions,
  elementwiseProperty("exp", (x) => x.exp(), Math.exp),
  elementwiseProperty("tanh", (x) => x.tanh(), Math.tanh),
]);

import fc from "fast-check";
import { expect, test } from "vitest";
import * as build from "../../../../src/compute/lang/build.ts";
import { variable } from "../../../../src/compute/lang/expr.ts";
import type { Expr } from "../../../../src/compute/lang/kernel.ts";
import { affineOf } from "../../../../src/compute/lang/schedule/affine.ts";
import { IntegerSystem, linear, type Linear } from "../../../../src/compute/lang/schedule/integer-system.ts";
import { interpret } from "../interpret.ts";

const NAMES = ["x", "y", "z"] as const;

function valueOf({ constant, terms }: Linear, values: ReadonlyMap<string, number>): number {
  return [...terms].reduce((sum, [name, factor]) => sum + factor * (values.get(name) ?? 0), constant);
}

const form: fc.Arbitrary<Linear> = fc
  .tuple(fc.integer({ min: -12, max: 12 }), fc.array(fc.integer({ min: -5, max: 5 }), { minLength: 3, maxLength: 3 }))
  .map(([constant, factors]) =>
    linear(
      constant,
      NAMES.map((name, i) => [name, factors[i] ?? 0]),
    ),
  );

test("a system has a solution exactly if trying all values finds one", () => {
  const system = fc.record({ equal: fc.array(form, { maxLength: 2 }), atLeast: fc.array(form, { maxLength: 3 }) });
  fc.assert(
    fc.property(system, fc.array(fc.nat(6), { minLength: 3, maxLength: 3 }), ({ equal, atLeast }, extents) => {
      const holds = (values: ReadonlyMap<string, number>): boolean =>
        equal.every((x) => valueOf(x, values) === 0) && atLeast.every((x) => valueOf(x, values) >= 0);
      const tried = new IntegerSystem();
      for (const [i, name] of NAMES.entries()) tried.variable(name, { min: -2, max: (extents[i] ?? 0) - 2 });
      for (const x of equal) tried.equal(x);
      for (const x of atLeast) tried.atLeastZero(x);
      const found = tried.solve();
      const range = (i: number): number[] => Array.from({ length: (extents[i] ?? 0) + 1 }, (_, at) => at - 2);
      const exists = range(0).some(
        (x) =>
        range(1).some((y) => range(2).some((z) => holds(new Map([["x", x], ["y", y], ["z", z]])))), // prettier-ignore
      );
      if (exists) expect(typeof found !== "string" && holds(found)).toBe(true);
      else expect(found).toBe("none");
    }),
    { seed: 5, numRuns: 2000 },
  );
});

test("large ranges are decided without trying them", () => {
  const system = new IntegerSystem();
  for (const name of ["i", "j", "k", "l"]) system.variable(name, { min: 0, max: 2 ** 20 });
  // 4 i + 2 j - 6 k + 8 l = 1 has none, for 2 divides the left side.
  system.equal(linear(-1, [["i", 4], ["j", 2], ["k", -6], ["l", 8]])); // prettier-ignore
  expect(system.solve()).toBe("none");
});

test("an index that is affine has the value of its linear form, quotients and all", () => {
  const [x, y] = [variable("i32", "x", { min: 0, max: 9 }), variable("i32", "y", { min: 0, max: 6 })];
  const { add, divide, i32, multiply, remainder, subtract } = build;
  const sum = add(multiply(x, i32(7)), y);
  const indices: readonly Expr[] = [
    subtract(i32(3), sum),
    divide(sum, i32(4)),
    add(remainder(sum, i32(5)), multiply(divide(sum, i32(5)), i32(11))),
    divide(add(remainder(sum, i32(6)), x), i32(2)),
    build.negate(remainder(x, i32(3))),
  ];
  for (const index of indices) {
    const affine = affineOf(index, (name) => name === "x" || name === "y") ?? expect.fail("not affine");
    for (let at = 0; at < 70; at++) {
      const values = new Map([["x", at % 10], ["y", Math.floor(at / 10)]]); // prettier-ignore
      const expected = interpret(index, values);
      for (const { name, of, by } of affine.quotients) values.set(name, Math.floor(valueOf(of, values) / by));
      expect(valueOf(affine.linear, values)).toBe(expected);
    }
  }
  const unknown = [
    multiply(x, y),
    remainder(x, y),
    build.minimum(x, y),
    variable("i32", "w"),
    divide(subtract(x, y), i32(2)),
  ];
  for (const index of unknown) expect(affineOf(index, (name) => name === "x" || name === "y")).toBeUndefined();
});

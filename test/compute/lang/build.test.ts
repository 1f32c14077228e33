import { expect, test } from "vitest";
import { InvariantError } from "../../../src/base/errors.ts";
import { Random } from "../../../src/base/random.ts";
import * as build from "../../../src/compute/lang/build.ts";
import { constant, invocationOf, rangeOf, variable } from "../../../src/compute/lang/expr.ts";
import type { BinaryOp, Expr } from "../../../src/compute/lang/kernel.ts";
import { interpret } from "./interpret.ts";

const { add, divide, i32, multiply, remainder, subtract, u32 } = build;

test("constants fold, with integers modulo 2^32 and floats rounded to f32", () => {
  expect(add(i32(0x7fffffff), i32(1))).toEqual(i32(-0x80000000));
  expect(subtract(u32(0), u32(1))).toEqual(u32(0xffffffff));
  expect(multiply(u32(0x10001), u32(0x10001))).toEqual(u32(0x20001));
  expect(add(build.f32(0.1), build.f32(0.2))).toEqual(build.f32(Math.fround(Math.fround(0.1) + Math.fround(0.2))));
  expect(divide(i32(-7), i32(2))).toEqual(i32(-3));
  expect(remainder(i32(-7), i32(2))).toEqual(i32(-1));
  expect(divide(i32(5), i32(0))).toEqual(i32(5));
  expect(divide(i32(-0x80000000), i32(-1))).toEqual(i32(-0x80000000));
  expect(build.cast("i32", build.f32(-2.7))).toEqual(i32(-2));
  expect(build.cast("u32", build.f32(-2.7))).toEqual(u32(0));
  expect(build.cast("i32", build.f32(1e20))).toEqual(i32(2147483520));
  expect(build.bitcast("u32", build.f32(1))).toEqual(u32(0x3f800000));
  expect(build.multiplyHigh(u32(0xffffffff), u32(0xffffffff))).toEqual(u32(0xfffffffe));
});

test("neutral elements and constant conditions vanish", () => {
  const x = variable("i32", "x");
  const y = variable("f32", "y");
  expect(add(x, i32(0))).toBe(x);
  expect(add(i32(0), x)).toBe(x);
  expect(multiply(x, i32(1))).toBe(x);
  expect(multiply(i32(0), x)).toEqual(i32(0));
  expect(divide(x, i32(1))).toBe(x);
  expect(remainder(x, i32(1))).toEqual(i32(0));
  expect(multiply(y, build.f32(1))).toBe(y);
  expect(subtract(x, x)).toEqual(i32(0));
  expect(build.select(build.bool(true), x, i32(2))).toBe(x);
  expect(build.and(build.bool(true), build.less(x, i32(3)))).toEqual(build.less(x, i32(3)));
});

test("a float is never multiplied away, since it may be infinite", () => {
  const y = variable("f32", "y");
  expect(multiply(y, build.f32(0)).kind).toBe("binary");
});

test("a row-major index taken apart gives back its parts", () => {
  const row = variable("i32", "row", { min: 0, max: 99 });
  const column = variable("i32", "column", { min: 0, max: 7 });
  const index = add(multiply(row, i32(8)), column);
  expect(divide(index, i32(8))).toBe(row);
  expect(remainder(index, i32(8))).toBe(column);
  expect(remainder(divide(index, i32(2)), i32(4))).toEqual(divide(column, i32(2)));
  expect(rangeOf(index)).toEqual({ min: 0, max: 799 });
});

test("an index taken apart and put together again is itself", () => {
  const at = invocationOf(1000);
  const again = add(multiply(divide(at, i32(10)), i32(10)), remainder(at, i32(10)));
  expect(again).toBe(at);
  const inner = divide(at, i32(10));
  const three = add(
    add(multiply(divide(inner, i32(10)), i32(100)), multiply(remainder(inner, i32(10)), i32(10))),
    remainder(at, i32(10)),
  );
  expect(three).toBe(at);
});

test("neighbours share their quotient and remainder: what all parts have in common is divided out", () => {
  const quad = variable("i32", "quad", { min: 0, max: 999 });
  const at = (place: number): Expr => add(multiply(quad, i32(4)), i32(place));
  expect(divide(at(3), i32(64))).toEqual(divide(quad, i32(16)));
  expect(remainder(at(3), i32(64))).toEqual(add(multiply(remainder(quad, i32(16)), i32(4)), i32(3)));
  expect(add(multiply(divide(at(3), i32(64)), i32(64)), remainder(at(3), i32(64)))).toEqual(at(3));
  // 6 and 4 have 2 in common.
  expect(divide(at(1), i32(6))).toEqual(divide(multiply(quad, i32(2)), i32(3)));
});

test("without bounds, a division of a sum stays, since the sum may wrap", () => {
  const row = variable("i32", "row");
  const column = variable("i32", "column", { min: 0, max: 7 });
  expect(divide(add(multiply(row, i32(8)), column), i32(8)).kind).toBe("binary");
});

test("comparisons that bounds settle are constants", () => {
  const at = invocationOf(16);
  expect(build.less(at, i32(16))).toEqual(build.bool(true));
  expect(build.less(at, i32(0))).toEqual(build.bool(false));
  expect(build.less(at, i32(15)).kind).toBe("binary");
  expect(build.minimum(at, i32(15))).toBe(at);
});

test("a sum that two users share is not multiplied out", () => {
  const a = variable("i32", "a", { min: 0, max: 9 });
  const b = variable("i32", "b", { min: 0, max: 9 });
  const base = multiply(add(a, b), i32(64));
  const index = add(base, variable("i32", "c", { min: 0, max: 63 }));
  expect(index.kind === "binary" && index.a === base).toBe(true);
});

test("the named operators mean what they say", () => {
  const values = new Map([["x", 12]]);
  const x = variable("i32", "x");
  const means = (e: Expr, value: number | boolean): void => expect(interpret(e, values)).toBe(value);
  means(build.greater(x, i32(11)), true);
  means(build.greaterEqual(x, i32(13)), false);
  means(build.lessEqual(x, i32(12)), true);
  means(build.notEqual(x, i32(12)), false);
  means(build.shiftLeft(x, i32(2)), 48);
  means(build.shiftRight(x, i32(34)), 3);
  means(build.shiftRight(build.negate(x), i32(2)), -3);
  means(build.or(x, i32(3)), 15);
  means(build.xor(x, i32(6)), 10);
  means(build.not(x), -13);
  means(build.maximum(x, i32(40)), 40);
});

test("operands of the wrong type are refused", () => {
  const x = variable("i32", "x");
  const y = variable("f32", "y");
  expect(() => add(x, y)).toThrow(InvariantError);
  expect(() => build.unary("exp", x)).toThrow(InvariantError);
  expect(() => build.and(y, y)).toThrow(InvariantError);
  expect(() => build.select(x, y, y)).toThrow(InvariantError);
  expect(() => build.multiplyHigh(x, x)).toThrow(InvariantError);
  expect(() => constant("u32", -1)).toThrow(InvariantError);
  expect(() => constant("i32", 1.5)).toThrow(InvariantError);
  expect(() => build.load(0, y, "f32")).toThrow(InvariantError);
});

const INDEX_OPS: readonly BinaryOp[] = [
  "add", "subtract", "multiply", "divide", "remainder", "minimum", "maximum", "shiftLeft", "shiftRight", "and",
]; // prettier-ignore

/** The same random integer expression twice: simplified, and as plain nodes. */
function randomIndex(random: Random, type: "i32" | "u32", depth: number): { simple: Expr; plain: Expr } {
  if (depth === 0 || random.below(6) === 0) {
    if (random.below(2) === 0) {
      const value = random.pick([0, 1, 2, 3, 4, 6, 8, 12, 24, 64, 0x7fffffff, type === "i32" ? -1 : 0xffffffff]);
      return { simple: constant(type, value), plain: constant(type, value) };
    }
    const [name, range] = random.pick(Object.entries(RANGES));
    return { simple: variable(type, name, range), plain: { kind: "variable", type, name } };
  }
  const a = randomIndex(random, type, depth - 1);
  const b = randomIndex(random, type, depth - 1);
  if (random.below(12) === 0) {
    const condition = build.less(a.simple, b.simple);
    const plain: Expr = { kind: "binary", type: "bool", op: "less", a: a.plain, b: b.plain };
    return {
      simple: build.select(condition, a.simple, b.simple),
      plain: { kind: "select", type, condition: plain, yes: a.plain, no: b.plain },
    };
  }
  const op = random.pick(INDEX_OPS);
  return { simple: build.binary(op, a.simple, b.simple), plain: { kind: "binary", type, op, a: a.plain, b: b.plain } };
}

const RANGES = {
  small: { min: 0, max: 3 },
  lane: { min: 0, max: 7 },
  row: { min: 0, max: 999 },
  high: { min: 5, max: 0x7fffffff },
};

test("simplified integer arithmetic means what the plain one means (seed 11)", () => {
  const random = new Random(11);
  for (let round = 0; round < 4000; round++) {
    const { simple, plain } = randomIndex(random, round % 2 === 0 ? "i32" : "u32", 1 + random.below(5));
    for (let sample = 0; sample < 4; sample++) {
      const values = new Map<string, number>();
      for (const [name, { min, max }] of Object.entries(RANGES)) {
        values.set(name, random.pick([min, max, min + random.below(max - min + 1)]));
      }
      const found = interpret(simple, values);
      expect(found, JSON.stringify({ plain, values: [...values] })).toBe(interpret(plain, values));
      const range = rangeOf(simple);
      expect(Number(found) >= range.min && Number(found) <= range.max).toBe(true);
    }
  }
});

test("an addition of ten thousand nodes is built in linear time and without deep recursion", () => {
  let sum: Expr = variable("i32", "x");
  for (let i = 0; i < 10_000; i++) sum = add(sum, build.load(0, i32(i), "i32"));
  expect(sum.kind).toBe("binary");
});

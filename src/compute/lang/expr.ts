/** The leaves of expressions, and what is known of the values that integer expressions can have. */
import { assert } from "../../base/assert.ts";
import { inferInterval, wholeInterval, type Interval } from "./interval.ts";
import type { Expr, ScalarType } from "./kernel.ts";
import { wrap } from "./scalar-functions.ts";

/** Known bounds of expressions. A cache beside immutable nodes: losing an entry loses a simplification, no more. */
const ranges = new WeakMap<Expr, Interval>();

/** The values that `x` can have, both ends included. Whole types for floats, loads, and variables without bounds. */
export function rangeOf(x: Expr): Interval {
  if (x.kind === "constant" && x.type !== "f32") return { min: Number(x.value), max: Number(x.value) };
  return ranges.get(x) ?? wholeInterval(x.type);
}

/** `x`, a new node, with its bounds remembered. */
export function node(x: Expr): Expr {
  if (x.type === "i32" || x.type === "u32") ranges.set(x, inferInterval(x, rangeOf));
  return x;
}

/** A literal. f32 values are rounded, integers must be in range. */
export function constant(type: ScalarType, value: number | boolean): Expr {
  if (type === "bool") return { kind: "constant", type, value: Boolean(value) };
  const kept = wrap(type, Number(value));
  assert(type === "f32" || kept === Number(value), `constant: expected a value of ${type}, found ${value}`);
  return { kind: "constant", type, value: kept };
}

/** True for a literal of this value. */
export function isConstant(x: Expr, value: number | boolean): boolean {
  return x.kind === "constant" && x.value === value;
}

/** A use of a named value. `range` is a promise about an integer, both ends included. */
export function variable(type: ScalarType, name: string, range?: Interval): Expr {
  const x: Expr = { kind: "variable", type, name };
  if (range !== undefined) ranges.set(x, range);
  return x;
}

/** The invocation's number, with its bounds: use it in place of INVOCATION to get simpler indices. */
export function invocationOf(invocations: number): Expr {
  return variable("i32", "invocation", { min: 0, max: Math.max(0, invocations - 1) });
}

/** WORKGROUP with its bounds, in a kernel of so many workgroups. */
export function workgroupOf(workgroups: number): Expr {
  return variable("i32", "workgroup", { min: 0, max: Math.max(0, workgroups - 1) });
}

/** LANE with its bounds, in a kernel of so many lanes a workgroup. */
export function laneOf(lanes: number): Expr {
  return variable("i32", "lane", { min: 0, max: Math.max(0, lanes - 1) });
}

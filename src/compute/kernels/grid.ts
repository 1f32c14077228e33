/**
 * What the kernels of this folder have in common: they get operands as functions from an index to an expression, and
 * give a grid of invocations. Which arrays are bound, and how an operand is computed, is the compiler's to know.
 */
import { assert } from "../../base/assert.ts";
import { add, divide, i32, multiply, remainder } from "../lang/build.ts";
import { rangeOf, variable } from "../lang/expr.ts";
import type { Expr, ScalarType, Statement, Workgroup } from "../lang/kernel.ts";
import { Names } from "../lang/statements.ts";
import { visitOperandsFirst } from "../lang/walk.ts";
import { rowMajorStrides } from "../layout/shape.ts";

/** An element's place: one i32 expression an axis, outermost first. */
export type Index = readonly Expr[];

/** The value of an operand at an index. */
export type Operand = (index: Index) => Expr;

/** Statements that store the result for an index of the output. */
export type Sink = (index: Index, value: Expr) => readonly Statement[];

/** A kernel without its name and bindings. */
export interface Grid {
  readonly invocations: number;
  readonly workgroup?: Workgroup;
  readonly body: readonly Statement[];
}

/** Names and loops of one kernel. It knows how deep in loops each expression varies. */
export class Loops {
  readonly names: Names = new Names();
  readonly #depths = new Map<string, number>();
  readonly #known = new WeakMap<Expr, number>();
  #depth = 0;

  /** for (name = from; name < to; name++) body(name) */
  for(stem: string, from: Expr, to: Expr, body: (counter: Expr) => readonly Statement[]): Statement {
    const name = this.names.fresh(stem);
    const { min } = rangeOf(from);
    const counter = variable("i32", name, { min, max: Math.max(min, rangeOf(to).max - 1) });
    this.#depth += 1;
    this.#depths.set(name, this.#depth);
    const statements = body(counter);
    this.#depth -= 1;
    return { kind: "for", name, from, to, body: statements };
  }

  /** A variable that is to be replaced everywhere (see `rows/copies.ts`), by what varies as deep in loops as this place. */
  standIn(stem: string, max: number | undefined, type: ScalarType = "i32"): Expr & { readonly kind: "variable" } {
    const name = this.names.fresh(stem);
    this.#depths.set(name, this.#depth);
    const use = variable(type, name, max === undefined ? undefined : { min: 0, max });
    assert(use.kind === "variable", "Loops.standIn: expected a variable");
    return use;
  }

  /** The number of loops around the innermost counter that `x` depends on; 0 outside all. */
  depthOf(x: Expr): number {
    visitOperandsFirst(
      x,
      (part) => this.#known.has(part),
      (part) => this.#known.set(part, this.#depthOfNode(part)),
    );
    return this.#known.get(x) ?? 0;
  }

  #depthOfNode(x: Expr): number {
    switch (x.kind) {
      case "constant":
        return 0;
      case "variable":
        return this.#depths.get(x.name) ?? 0;
      case "unary":
      case "cast":
      case "bitcast":
        return this.depthOf(x.x);
      case "load":
      case "loadShared":
      case "loadPrivate":
        return this.depthOf(x.index);
      case "binary":
        return Math.max(this.depthOf(x.a), this.depthOf(x.b));
      case "select":
        return Math.max(this.depthOf(x.condition), this.depthOf(x.yes), this.depthOf(x.no));
    }
  }
}

/** The place in row-major order of an index into `shape`. */
export function flatten(index: Index, shape: readonly number[]): Expr {
  const strides = rowMajorStrides(shape);
  let flat: Expr = i32(0);
  for (const [axis, at] of index.entries()) {
    if (shape[axis] !== 1) flat = add(flat, multiply(at, i32(strides[axis] ?? 1)));
  }
  return flat;
}

/** The index into `shape` of a place in row-major order: the inverse of `flatten`. */
export function unflatten(flat: Expr, shape: readonly number[]): Expr[] {
  const strides = rowMajorStrides(shape);
  let isFirst = true;
  return shape.map((size, axis) => {
    if (size === 1) return i32(0);
    const above = divide(flat, i32(strides[axis] ?? 1));
    // Nothing is above the first axis, so it needs no remainder.
    const at = isFirst ? above : remainder(above, i32(size));
    isFirst = false;
    return at;
  });
}

/** What kernels of rows go along, and what they do there. */
import type { Expr, PlainType, Statement } from "../../lang/kernel.ts";
import { elementCount } from "../../layout/shape.ts";
import type { Accumulation } from "../accumulate.ts";
import type { Index, Operand } from "../grid.ts";

/** Elements in rows: a row has one index along each axis but `axes` (ascending), and all along those. */
export interface RowSpace {
  readonly shape: readonly number[];
  readonly axes: readonly number[];
}

/** fn over the row of operand[index of the element]. */
export interface RowReduction {
  readonly fn: Accumulation;
  readonly type: PlainType;
  readonly operand: Operand;
}

/** One way along the row. */
export interface Sweep {
  readonly reductions: readonly RowReduction[];
  /** Stores of what depends on each element besides. */
  element(index: Index): readonly Statement[];
  /** Stores after the last element, once a row; `results` are those of the reductions. */
  finish(row: Index, results: readonly Expr[]): readonly Statement[];
}

export function rowCount({ shape, axes }: RowSpace): number {
  return elementCount(shape.filter((_, axis) => !axes.includes(axis)));
}

export function columnCount({ shape, axes }: RowSpace): number {
  return elementCount(axes.map((axis) => shape[axis] ?? 1));
}

/** The space's shape with one place along the reduced axes: that of an element a row. */
export function rowShapeOf({ shape, axes }: RowSpace): number[] {
  return shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
}

/** The innermost axis with more than one place that is reduced, or is not; undefined for none. */
export function lastAxisOf({ shape, axes }: RowSpace, isReduced: boolean): number | undefined {
  return shape.map((_, axis) => axis).findLast((axis) => axes.includes(axis) === isReduced && shape[axis] !== 1);
}

export function isFloatSum({ fn, type }: Pick<RowReduction, "fn" | "type">): boolean {
  return fn === "sum" && type === "f32";
}

/** What the kernels of this folder have in common: a tile of totals, the places it has in the product, and its stores. */
import { add, divide, equal, i32, less, minimum, multiply, remainder, select } from "../../lang/build.ts";
import { constant, isConstant, rangeOf } from "../../lang/expr.ts";
import type { Expr, Statement } from "../../lang/kernel.ts";
import { assign, varIn, when } from "../../lang/statements.ts";
import type { Loops, Operand, Sink } from "../grid.ts";
import type { Contraction } from "./schedule.ts";

/** A product to be computed: its operands by index, and what is done with the results. */
export interface Work {
  readonly product: Contraction;
  readonly left: Operand;
  readonly right: Operand;
  readonly sink: Sink;
  readonly loops: Loops;
}

/** The sums of a tile, each in a variable of its own. */
export interface Totals {
  readonly statements: readonly Statement[];
  /** By row and column. */
  readonly uses: readonly (readonly Expr[])[];
}

export function totalsOf(loops: Loops, rows: number, columns: number): Totals {
  const statements: Statement[] = [];
  const uses = Array.from({ length: rows }, () =>
    Array.from({ length: columns }, () => {
      const total = varIn(loops.names, "total", constant("f32", 0));
      statements.push(total.statement);
      return total.use;
    }),
  );
  return { statements, uses };
}

/** A column of the left operand and a row of the right one: what a step of k multiplies. */
export interface Step {
  readonly lefts: readonly Expr[];
  readonly rights: readonly Expr[];
}

/** total[i][j] = total[i][j] + left[i] * right[j], step after step. */
export function addProducts(totals: Totals, steps: readonly Step[]): Statement[] {
  return totals.uses.flatMap((row, i) =>
    row.map((total, j) => {
      let sum = total;
      for (const { lefts, rights } of steps) {
        const [left, right] = [lefts[i], rights[j]];
        if (left !== undefined && right !== undefined) sum = add(sum, multiply(left, right));
      }
      return assign(total, sum);
    }),
  );
}

/** The loop over k, in order, with `steps` of it written out in each round: as many of them as divide K. */
export function alongInner(
  { product, loops }: Work,
  steps: number,
  body: (ks: readonly Expr[]) => readonly Statement[],
): Statement {
  const each = commonDivisor(product.inner, steps);
  return loops.for("k", i32(0), i32(product.inner / each), (round) =>
    body(Array.from({ length: each }, (_, step) => add(multiply(round, i32(each)), i32(step)))),
  );
}

function commonDivisor(a: number, b: number): number {
  return b === 0 ? a : commonDivisor(b, a % b);
}

/** Neighbouring places along an axis: those of one tile. */
export interface Places {
  /** Inside the axis, whatever the tile: beyond its end they repeat the last ones. */
  readonly at: readonly Expr[];
  /** The tile is on the axis. */
  readonly isOn: Expr;
  /** Each place is what it says. */
  readonly areInside: readonly Expr[];
}

/** The places of tile number `tile` of `side` neighbours each, on an axis of `size`. */
export function placesOf(tile: Expr, side: number, size: number): Places {
  const tiles = Math.ceil(size / side);
  // The tile is clamped, not its places, so that they are seen to be neighbours.
  const inside = atMost(tile, tiles - 1);
  const places = Array.from({ length: side }, (_, i) => add(multiply(inside, i32(side)), i32(i)));
  return {
    at: places.map((place) => atMost(place, size - 1)),
    isOn: less(tile, i32(tiles)),
    areInside: places.map((place) => less(place, i32(size))),
  };
}

/** `place`, or the last one. */
export function atMost(place: Expr, last: number): Expr {
  return rangeOf(place).max <= last ? place : minimum(place, i32(last));
}

/** `body`, under a condition that may be known to hold. */
export function onlyIf(condition: Expr, body: readonly Statement[]): readonly Statement[] {
  return isConstant(condition, true) || body.length === 0 ? body : [when(condition, body)];
}

/** Where a tile is in the product. */
export interface TilePlace {
  readonly matrix: Expr;
  /** The place of its first row; `rows` of them, but for the end of the matrix. */
  readonly firstRow: Expr;
  readonly columns: Places;
}

/**
 * Stores a tile, a row in each round of a loop: code for one row, however many there are. Software adapters take long to
 * compile stores, and would write out a loop whose rounds they can count; so it runs between two places.
 */
export function storeByRow({ product, sink, loops }: Work, { uses }: Totals, place: TilePlace): readonly Statement[] {
  const { matrix, firstRow, columns } = place;
  const storeRow = (row: Expr): readonly Statement[] => {
    const values = uses[0]?.map((_, j) => valueOfRow(uses, j, row, firstRow)) ?? [];
    const stores = values.flatMap((value, j) => {
      const column = columns.at[j] ?? i32(0);
      return onlyIf(columns.areInside[j] ?? columns.isOn, sink([matrix, row, column], value));
    });
    return onlyIf(columns.isOn, stores);
  };
  if (uses.length === 1) return storeRow(firstRow);
  const end = minimum(add(firstRow, i32(uses.length)), i32(product.rows));
  return [loops.for("row", firstRow, end, storeRow)];
}

function valueOfRow(uses: Totals["uses"], column: number, row: Expr, firstRow: Expr): Expr {
  let value: Expr | undefined;
  for (const [i, totals] of uses.entries()) {
    const total = totals[column] ?? constant("f32", 0);
    value = value === undefined ? total : select(equal(row, add(firstRow, i32(i))), total, value);
  }
  return value ?? constant("f32", 0);
}

/** Which tile of which matrix the number `tile` is: tiles along the columns follow one another. */
export function tilePlaceOf(tile: Expr, across: number, down: number): { matrix: Expr; row: Expr; column: Expr } {
  return {
    column: remainder(tile, i32(across)),
    row: remainder(divide(tile, i32(across)), i32(down)),
    matrix: divide(tile, i32(across * down)),
  };
}

/**
 * Batched matrix product: one invocation a tile of the output, held in registers (measured: written-out steps along K gain nothing).
 *
 * Each step along K loads a column of the left tile and a row of the right one, and makes rows * columns products of
 * them; no workgroup memory and no barriers, which software adapters are slow at. Operands are read through their
 * views, so a transposed one costs no copy.
 */
import { add, divide, i32, less, minimum, multiply, remainder } from "../lang/build.ts";
import { constant, invocationOf, isConstant, rangeOf } from "../lang/expr.ts";
import type { Expr, Statement } from "../lang/kernel.ts";
import { assign, varIn, when } from "../lang/statements.ts";
import type { Grid, Loops, Operand, Sink } from "./grid.ts";

export interface Contraction {
  readonly batch: number;
  /** M */
  readonly rows: number;
  /** N */
  readonly columns: number;
  /** K */
  readonly inner: number;
}

/** What one invocation computes. */
export interface Tile {
  readonly rows: number;
  readonly columns: number;
}

/** Products of at least this many elements get the largest tiles: they take longest to compile, and run fastest. */
const LARGE = 2 ** 18;
/** Below this, smaller tiles, so that there are more of them. */
const SMALL = 2 ** 13;
const SIDE_AT_EDGES = 4;

/** A tile for a product: larger ones load less for each sum, smaller ones keep more invocations busy. */
export function tileFor({ batch, rows, columns }: Contraction): Tile {
  const elements = batch * rows * columns;
  return { rows: tileSide(rows, elements < SMALL ? 4 : 8), columns: tileSide(columns, elements < LARGE ? 4 : 8) };
}

/** About `wanted`, and a divisor of `size`. Without one a smaller side, since edges take conditions for every element. */
export function tileSide(size: number, wanted: number): number {
  const sides = [wanted, wanted + 1, wanted - 1, wanted - 2, 4, 5, 3].filter((side) => size % side === 0);
  return sides[0] ?? Math.min(size, SIDE_AT_EDGES);
}

/** out[b, m, n] = sum over k, in order, of left[b, m, k] * right[b, k, n], in f32. */
export function contraction(
  product: Contraction,
  tile: Tile,
  left: Operand,
  right: Operand,
  sink: Sink,
  loops: Loops,
): Grid {
  const { batch, rows, columns, inner } = product;
  const tilesDown = Math.ceil(rows / tile.rows);
  const tilesAcross = Math.ceil(columns / tile.columns);
  const invocations = batch * tilesDown * tilesAcross;
  const invocation = invocationOf(invocations);
  const across = remainder(invocation, i32(tilesAcross));
  const down = remainder(divide(invocation, i32(tilesAcross)), i32(tilesDown));
  const matrix = divide(invocation, i32(tilesAcross * tilesDown));
  const ms = places(down, tile.rows);
  const ns = places(across, tile.columns);

  const body: Statement[] = [];
  const totals = ms.map(() =>
    ns.map(() => {
      const total = varIn(loops.names, "total", constant("f32", 0));
      body.push(total.statement);
      return total.use;
    }),
  );
  const step = (k: Expr): Statement[] => {
    const lefts = ms.map((m) => left([matrix, inside(m, rows), k]));
    const rights = ns.map((n) => right([matrix, k, inside(n, columns)]));
    const products = (row: Expr, i: number): Statement[] =>
      rights.map((column, j) => {
        const total = totals[i]?.[j] ?? row;
        return assign(total, add(total, multiply(row, column)));
      });
    return lefts.flatMap(products);
  };
  body.push(loops.for("k", i32(0), i32(inner), step));
  for (const [i, m] of ms.entries()) {
    const row = ns.flatMap((n, j) => {
      const total = totals[i]?.[j] ?? constant("f32", 0);
      return onlyIf(less(n, i32(columns)), sink([matrix, inside(m, rows), inside(n, columns)], total));
    });
    body.push(...onlyIf(less(m, i32(rows)), row));
  }
  return { invocations, body };
}

function places(tile: Expr, side: number): Expr[] {
  return Array.from({ length: side }, (_, i) => add(multiply(tile, i32(side)), i32(i)));
}

/** A place at most the last one: tiles at the edge compute some elements twice, and store them once. */
function inside(place: Expr, size: number): Expr {
  return rangeOf(place).max < size ? place : minimum(place, i32(size - 1));
}

function onlyIf(condition: Expr, body: readonly Statement[]): readonly Statement[] {
  return isConstant(condition, true) ? body : [when(condition, body)];
}

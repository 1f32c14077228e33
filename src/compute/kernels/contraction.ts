/**
 * Batched matrix product: one invocation a tile of the output, held in registers.
 *
 * Each step along K loads a column of the left tile and a row of the right one, and makes rows * columns products of
 * them; no workgroup memory and no barriers, which software adapters are slow at. Operands are read through their
 * views, so a transposed one costs no copy.
 */
import { add, and, divide, i32, less, minimum, multiply, remainder } from "../lang/build.ts";
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

/** What one invocation computes, and how many steps along K are written out. */
export interface Tile {
  readonly rows: number;
  readonly columns: number;
  readonly unroll: number;
}

/** The largest tile that wastes little of a matrix this size. */
export function tileFor({ rows, columns, inner }: Contraction): Tile {
  return { rows: tileSide(rows), columns: tileSide(columns), unroll: inner % 4 === 0 ? 4 : inner % 2 === 0 ? 2 : 1 };
}

const SIDE_MAX = 4;

function tileSide(size: number): number {
  return Math.min(size, SIDE_MAX);
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
  const steps = Math.max(1, tile.unroll);
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
  body.push(
    loops.for("k", i32(0), i32(Math.floor(inner / steps)), (block) =>
      Array.from({ length: steps }, (_, u) => step(add(multiply(block, i32(steps)), i32(u)))).flat(),
    ),
  );
  for (const [i, m] of ms.entries()) {
    for (const [j, n] of ns.entries()) {
      const total = totals[i]?.[j] ?? constant("f32", 0);
      const stored = sink([matrix, m, n], total);
      const isInside = and(less(m, i32(rows)), less(n, i32(columns)));
      if (isConstant(isInside, true)) body.push(...stored);
      else body.push(when(isInside, stored));
    }
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

/**
 * One operand of a block of a product, and its way into a panel: what the tiles read of it, close together and in the
 * order in which they read it.
 *
 * The left operand is read an element at a time, so it may keep its lines along k; else the panel has groups of places,
 * whole vectors of them, for one step of k after another. Either way packing loads and stores vectors.
 */
import {
  add,
  divide,
  greater,
  i32,
  less,
  lessEqual,
  loadShared,
  minimum,
  multiply,
  not,
  remainder,
  subtract,
} from "../../lang/build.ts";
import { laneOf, rangeOf } from "../../lang/expr.ts";
import type { Expr, Statement } from "../../lang/kernel.ts";
import { letIn, storeShared, when, type Names } from "../../lang/statements.ts";
import { VECTOR } from "../../lang/vector-access.ts";
import type { Loops } from "../grid.ts";
import { atMost } from "./tile.ts";

/** One operand of a block. */
export interface Side {
  /** The shared array. */
  readonly array: number;
  /** Rows or columns of a tile, and tiles of the block along them. */
  readonly each: number;
  readonly tiles: number;
  /** The first of the block's in the matrix, and how many that has. */
  readonly first: Expr;
  readonly size: number;
  /** Each place keeps what it has along k in a line of its own. */
  readonly isInLines: boolean;
  readonly operand: (k: Expr, place: Expr) => Expr;
}

/** What of k is in the panels at a time: `count` from `first` on, of at most `depth`. */
export interface Window {
  readonly first: Expr;
  readonly count: Expr;
  readonly depth: number;
  readonly inner: number;
}

/** Elements between lines, so that they do not lie a power of two apart: a cache has few places for those. */
const PAD = 16;

/** Elements of a side's panel. */
export function panelLength(side: Pick<Side, "each" | "tiles" | "isInLines">, depth: number): number {
  if (side.isInLines) return side.each * side.tiles * lineOf(depth);
  return groupsOf(side) * groupOf(side) * depth;
}

/** What one tile of a block has of a side. */
export interface TileSide {
  /** To be computed before its elements. */
  readonly statements: readonly Statement[];
  /** The tile's place `i` in the matrix. */
  readonly place: (i: Expr) => Expr;
  /** Whether place `i` is in the matrix. */
  readonly isInside: (i: Expr) => Expr;
  /** The element of place `i` at step `k` of the window. */
  readonly element: (k: Expr, i: Expr) => Expr;
}

export function tileSide(side: Side, depth: number, tile: Expr, names: Names): TileSide {
  const { array, each, first, size, isInLines } = side;
  const start = add(first, multiply(tile, i32(each)));
  const group = groupOf(side);
  const tiles = i32(group / each);
  const inLines = multiply(tile, i32(each * lineOf(depth)));
  const inGroups = add(multiply(divide(tile, tiles), i32(depth * group)), multiply(remainder(tile, tiles), i32(each)));
  const base = letIn(names, "panel", isInLines ? inLines : inGroups);
  const offset = (k: Expr, i: Expr): Expr =>
    isInLines ? add(multiply(i, i32(lineOf(depth))), k) : add(multiply(k, i32(group)), i);
  return {
    statements: [base.statement],
    place: (i) => add(start, i),
    isInside: (i) => less(add(start, i), i32(size)),
    element: (k, i) => loadShared(array, add(base.use, offset(k, i)), "f32"),
  };
}

/** Tiles of the block that begin inside the matrix. */
export function tilesIn({ first, size, each, tiles }: Side): Expr {
  return within(first, each, size, tiles);
}

/** Brings a side's part of the window into its panel. */
export function pack(side: Side, window: Window, loops: Loops): readonly Statement[] {
  return side.isInLines ? packLines(side, window, loops) : packGroups(side, window, loops);
}

/** Of `count` pieces of `each` places from `first` on, those that begin inside the matrix. */
function within(first: Expr, each: number, size: number, count: number): Expr {
  if (rangeOf(first).max + each * count <= size) return i32(count);
  const there = divide(subtract(i32(size + each - 1), first), i32(each));
  return minimum(there, i32(count));
}

function lineOf(depth: number): number {
  return VECTOR * Math.ceil(depth / VECTOR) + PAD;
}

/** Places of a group: whole vectors, and whole tiles. */
function groupOf({ each }: Pick<Side, "each">): number {
  const group = [1, 2, 4].find((tiles) => (each * tiles) % VECTOR === 0) ?? VECTOR;
  return each * group;
}

function groupsOf({ each, tiles }: Pick<Side, "each" | "tiles">): number {
  return Math.ceil((each * tiles) / groupOf({ each }));
}

/** Lanes take four steps of k of the same place. */
function packLines(side: Side, { first, count, depth, inner }: Window, loops: Loops): readonly Statement[] {
  const { array, each, tiles, size, operand } = side;
  const lane = laneOf(VECTOR);
  const line = i32(lineOf(depth));
  const isWhole = inner % VECTOR === 0 && depth % VECTOR === 0;
  return [
    loops.for("place", i32(0), within(side.first, 1, size, each * tiles), (place) => {
      const inMatrix = add(side.first, place);
      const copy = (four: Expr, isInside: boolean): Statement => {
        const k = add(multiply(four, i32(VECTOR)), lane);
        const at = add(first, k);
        const value = operand(isInside ? at : minimum(at, i32(inner - 1)), inMatrix);
        return storeShared(array, add(multiply(place, line), k), value);
      };
      const fours = divide(count, i32(VECTOR));
      const whole = loops.for("k", i32(0), fours, (four) => [copy(four, true)]);
      // What lies beyond the end of k is never read: it is there to make a vector.
      return isWhole ? [whole] : [whole, when(greater(count, multiply(fours, i32(VECTOR))), [copy(fours, false)])];
    }),
  ];
}

/** Lanes take places beside one another, of the same step of k. */
function packGroups(side: Side, { first, count, depth }: Window, loops: Loops): readonly Statement[] {
  const { array, operand, size } = side;
  const group = groupOf(side);
  const lane = laneOf(VECTOR);
  return [
    loops.for("group", i32(0), within(side.first, group, size, groupsOf(side)), (number) => [
      loops.for("k", i32(0), count, (k) =>
        Array.from({ length: group / VECTOR }, (_, four) => {
          const i = add(lane, i32(four * VECTOR));
          const into = add(multiply(add(multiply(number, i32(depth)), k), i32(group)), i);
          const start = add(side.first, multiply(number, i32(group)));
          const copy = (place: Expr): Statement => storeShared(array, into, operand(add(first, k), place));
          return insideOrClamped(side, add(start, i32(four * VECTOR)), lane, copy);
        }).flat(),
      ),
    ]),
  ];
}

/** `copy` of four places from `four` on. Beyond the end of the matrix its last place: what comes of it is not stored. */
function insideOrClamped(
  { size, each, tiles }: Side,
  four: Expr,
  lane: Expr,
  copy: (place: Expr) => Statement,
): Statement[] {
  if (rangeOf(four).max + VECTOR <= size) return [copy(add(four, lane))];
  // Fours end where the matrix does, or begin beyond it.
  if (size % VECTOR === 0 && (each * tiles) % VECTOR === 0) {
    return [copy(add(multiply(atMost(divide(four, i32(VECTOR)), size / VECTOR - 1), i32(VECTOR)), lane))];
  }
  const isInside = lessEqual(four, i32(size - VECTOR));
  const clamped = [when(not(isInside), [copy(atMost(add(four, lane), size - 1))])];
  if (size < VECTOR) return clamped;
  return [when(isInside, [copy(add(atMost(four, size - VECTOR), lane))]), ...clamped];
}

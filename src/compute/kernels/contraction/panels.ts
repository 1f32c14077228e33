/**
 * Matrix products for processors with vectors: blocks of both operands are packed into panels, from which tiles of
 * accumulators are computed (Goto and van de Geijn, 2008).
 *
 * A workgroup is one vector, with its lanes along the columns. A panel has what a row of tiles, or a column of them,
 * reads of its operand, in the order in which it is read: from there on every load is a neighbour of the one before, or
 * the same for all lanes. Sums are added in the order of k.
 */
import { present } from "../../../base/assert.ts";
import { add, divide, i32, less, loadShared, minimum, multiply, remainder, subtract } from "../../lang/build.ts";
import { constant, isConstant, laneOf, rangeOf, workgroupOf } from "../../lang/expr.ts";
import type { Expr, Statement } from "../../lang/kernel.ts";
import { assign, BARRIER, letIn, storeShared, varIn } from "../../lang/statements.ts";
import { VECTOR } from "../../lang/vector-access.ts";
import type { Grid } from "../grid.ts";
import { layoutOf } from "./operand-layout.ts";
import type { ContractionSchedule } from "./schedule.ts";
import { atMost, onlyIf, tilePlaceOf, type Work } from "./tile.ts";

type PanelSchedule = ContractionSchedule & { readonly kind: "panels" };

/** A value that is computed once. */
type Named = ReturnType<typeof letIn>;

/** The shared arrays. */
const [LEFT, RIGHT, TOTALS] = [0, 1, 2];

/** One operand of a block. */
interface Side {
  readonly array: number;
  /** Rows or columns of a tile, and tiles of the block along them. */
  readonly each: number;
  readonly tiles: number;
  /** The first of the block's in the matrix, and how many that has. */
  readonly first: Expr;
  readonly size: number;
  /** Neighbours in memory are neighbours in k. */
  readonly isAlongInner: boolean;
  readonly operand: (k: Expr, place: Expr) => Expr;
}

/** What of k is in the panels at a time: `count` from `first` on, of at most `depth`. */
interface Window {
  readonly first: Expr;
  readonly count: Expr;
  readonly depth: number;
  readonly inner: number;
}

export function panels(work: Work, schedule: PanelSchedule): Grid {
  const { product, loops } = work;
  const { down, across, rows, columns } = schedule;
  const [height, width] = [down * rows, across * columns];
  const [blocksDown, blocksAcross] = [Math.ceil(product.rows / height), Math.ceil(product.columns / width)];
  const workgroups = product.batch * blocksDown * blocksAcross;
  const place = tilePlaceOf(workgroupOf(workgroups), blocksAcross, blocksDown);
  const left: Side = {
    array: LEFT,
    each: rows,
    tiles: down,
    first: multiply(place.row, i32(height)),
    size: product.rows,
    isAlongInner: layoutOf(work.left, product.rows, product.inner) === "N",
    operand: (k, m) => work.left([place.matrix, m, k]),
  };
  const right: Side = {
    array: RIGHT,
    each: columns,
    tiles: across,
    first: multiply(place.column, i32(width)),
    size: product.columns,
    isAlongInner: layoutOf(work.right, product.inner, product.columns) === "T",
    operand: (k, n) => work.right([place.matrix, k, n]),
  };
  const depth = Math.min(schedule.depth, product.inner);
  const rounds = Math.ceil(product.inner / depth);
  const block: Block = { work, schedule, left, right, matrix: place.matrix, depth, isOneRound: rounds === 1 };
  const body = loops.for("round", i32(0), i32(rounds), (round) => roundOf(block, round));
  const tiles = block.isOneRound ? 1 : down * across;
  const shared = [
    { type: "f32" as const, length: height * depth, isStoredFirst: true },
    { type: "f32" as const, length: width * depth, isStoredFirst: true },
    { type: "f32" as const, length: tiles * rows * columns, isStoredFirst: block.isOneRound },
  ];
  const last = block.isOneRound ? [] : [forTiles(block, (i, j) => storeTile(block, i, j))];
  return { invocations: workgroups * VECTOR, workgroup: { lanes: VECTOR, shared }, body: [body, ...last] };
}

interface Block {
  readonly work: Work;
  readonly schedule: PanelSchedule;
  readonly left: Side;
  readonly right: Side;
  readonly matrix: Expr;
  readonly depth: number;
  /** All of k is in the panels at once: totals need not be kept for the next round. */
  readonly isOneRound: boolean;
}

/** Packs a round's part of k, and adds its products to all tiles. */
function roundOf(block: Block, round: Expr): readonly Statement[] {
  const { work, left, right, depth, isOneRound } = block;
  const { inner } = work.product;
  const first = multiply(round, i32(depth));
  const isEven = inner % depth === 0;
  const window: Window = {
    first,
    count: isEven ? i32(depth) : minimum(i32(depth), subtract(i32(inner), first)),
    depth,
    inner,
  };
  const tiles = forTiles(block, (i, j) => {
    const tile = multiplyTile(block, window, i, j);
    return isOneRound ? [...tile, ...storeTile(block, i, j)] : tile;
  });
  // What others still read is not stored over; what others stored is read.
  const before = isOneRound ? [] : [BARRIER];
  return [...before, ...pack(work, left, window), ...pack(work, right, window), BARRIER, tiles];
}

/** Columns of tiles outside, so that the right panel stays near the processor. */
function forTiles(
  { work: { loops }, left, right }: Block,
  body: (i: Expr, j: Expr) => readonly Statement[],
): Statement {
  return loops.for("tileColumn", i32(0), tilesIn(right), (j) => [
    loops.for("tileRow", i32(0), tilesIn(left), (i) => body(i, j)),
  ]);
}

/** Tiles of the block that begin inside the matrix. */
function tilesIn({ first, size, each, tiles }: Side): Expr {
  if (rangeOf(first).max + each * tiles <= size) return i32(tiles);
  const there = divide(add(subtract(i32(size), first), i32(each - 1)), i32(each));
  return minimum(there, i32(tiles));
}

/** Where an element of a panel is. */
function placeIn({ each }: Side, depth: number, tile: Expr, k: Expr, i: Expr): Expr {
  return add(multiply(add(multiply(tile, i32(depth)), k), i32(each)), i);
}

/** Brings a side's part of the window into its panels: lanes along what is contiguous in memory. */
function pack({ loops }: Work, side: Side, window: Window): readonly Statement[] {
  const body = (tile: Expr): readonly Statement[] =>
    side.isAlongInner ? packAlongInner(side, window, tile, loops) : packAcross(side, window, tile, loops);
  return [loops.for("panel", i32(0), tilesIn(side), body)];
}

/** Lanes take four steps of k of the same row or column. */
function packAlongInner(
  side: Side,
  { first, count, depth, inner }: Window,
  tile: Expr,
  loops: Work["loops"],
): readonly Statement[] {
  const { array, each, operand } = side;
  const lane = laneOf(VECTOR);
  const rounds = divide(add(count, i32(VECTOR - 1)), i32(VECTOR));
  const isEven = inner % depth === 0 && depth % VECTOR === 0;
  return [
    loops.for("place", i32(0), i32(each), (i) => [
      loops.for("k", i32(0), rounds, (round) => {
        const k = add(multiply(round, i32(VECTOR)), lane);
        const inMatrix = placeInMatrix(side, tile, i);
        const value = operand(isEven ? add(first, k) : minimum(add(first, k), i32(inner - 1)), inMatrix);
        const stored = [storeShared(array, placeIn(side, depth, tile, k, i), value)];
        return onlyIf(isEven ? constant("bool", true) : less(k, count), stored);
      }),
    ]),
  ];
}

/** Lanes take rows or columns beside one another, of the same step of k. */
function packAcross(
  side: Side,
  { first, count, depth }: Window,
  tile: Expr,
  loops: Work["loops"],
): readonly Statement[] {
  const { array, each, operand } = side;
  const lane = laneOf(VECTOR);
  return [
    loops.for("k", i32(0), count, (k) =>
      Array.from({ length: Math.ceil(each / VECTOR) }, (_, j) => {
        const i = add(lane, i32(j * VECTOR));
        const value = operand(add(first, k), placeInMatrix(side, tile, i));
        return onlyIf(less(i, i32(each)), [storeShared(array, placeIn(side, depth, tile, k, i), value)]);
      }).flat(),
    ),
  ];
}

/** Beyond the end of the matrix its last row or column: what is computed of it is not stored. */
function placeInMatrix({ first, each, size, tiles }: Side, tile: Expr, i: Expr): Expr {
  const place = add(first, add(multiply(tile, i32(each)), i));
  // Fours end where the matrix does, or begin beyond it; then they repeat the last one that is inside.
  if (size % VECTOR === 0 && each % VECTOR === 0) {
    const four = divide(place, i32(VECTOR));
    return add(multiply(atMost(four, size / VECTOR - 1), i32(VECTOR)), remainder(place, i32(VECTOR)));
  }
  const isInside = size % (each * tiles) === 0;
  return isInside ? place : atMost(place, size - 1);
}

/** Where an element of a tile's totals is kept. */
function totalPlace(
  { schedule: { across, rows, columns }, isOneRound }: Block,
  i: Expr,
  j: Expr,
  row: Expr,
  column: Expr,
): Expr {
  const tile = isOneRound ? i32(0) : add(multiply(i, i32(across)), j);
  return add(multiply(add(multiply(tile, i32(rows)), row), i32(columns)), column);
}

/** All products of a tile: accumulators in registers, from panels that are read from end to end. */
function multiplyTile(block: Block, { count, depth }: Window, i: Expr, j: Expr): readonly Statement[] {
  const { work, schedule, left, right, isOneRound } = block;
  const { rows, columns, steps } = schedule;
  const { loops } = work;
  const lane = laneOf(VECTOR);
  const fours = columns / VECTOR;
  const columnOf = (four: number): Expr => add(lane, i32(four * VECTOR));
  const totals = Array.from({ length: rows }, (_, row) =>
    Array.from({ length: fours }, (_, four) => {
      const kept = totalPlace(block, i, j, i32(row), columnOf(four));
      return varIn(loops.names, "total", isOneRound ? constant("f32", 0) : loadShared(TOTALS, kept, "f32"));
    }),
  );
  const each = isConstant(count, depth) && depth % steps === 0 ? steps : 1;
  const loop = loops.for("k", i32(0), each === 1 ? count : i32(depth / each), (round) =>
    Array.from({ length: each }, (_, step) => add(multiply(round, i32(each)), i32(step))).flatMap((k) => {
      const named = (array: number, place: Expr): Named => letIn(loops.names, "part", loadShared(array, place, "f32"));
      const rights = Array.from({ length: fours }, (_, four) =>
        named(RIGHT, placeIn(right, depth, j, k, columnOf(four))),
      );
      const products = totals.flatMap((row, at) => {
        // Just before its use, so that few are in registers at a time.
        const own = named(LEFT, placeIn(left, depth, i, k, i32(at)));
        const sums = row.map(({ use }, four) =>
          assign(use, add(use, multiply(own.use, present(rights[four], "panels: a column").use))),
        );
        return [own.statement, ...sums];
      });
      return [...rights.map(({ statement }) => statement), ...products];
    }),
  );
  const kept = totals.flatMap((row, at) =>
    row.map(({ use }, four) => storeShared(TOTALS, totalPlace(block, i, j, i32(at), columnOf(four)), use)),
  );
  return [...totals.flatMap((row) => row.map(({ statement }) => statement)), loop, ...kept];
}

/** Hands a tile's totals on, in loops: so that what is done with them is written once. */
function storeTile(block: Block, i: Expr, j: Expr): readonly Statement[] {
  const { work, schedule, left, right, matrix } = block;
  const { loops, product, sink } = work;
  const { rows, columns } = schedule;
  const firstRow = add(left.first, multiply(i, i32(rows)));
  const firstColumn = add(right.first, multiply(j, i32(columns)));
  const isWhole = product.rows % rows === 0;
  const rowsHere = isWhole ? i32(rows) : minimum(i32(rows), subtract(i32(product.rows), firstRow));
  return [
    loops.for("row", i32(0), rowsHere, (row) => [
      loops.for("four", i32(0), i32(columns / VECTOR), (four) => {
        const own = add(multiply(four, i32(VECTOR)), laneOf(VECTOR));
        const column = add(firstColumn, own);
        const total = loadShared(TOTALS, totalPlace(block, i, j, row, own), "f32");
        return onlyIf(less(column, i32(product.columns)), sink([matrix, add(firstRow, row), column], total));
      }),
    ]),
  ];
}

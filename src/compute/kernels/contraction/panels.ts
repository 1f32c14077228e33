/**
 * Matrix products for processors with vectors: blocks of both operands are packed into panels, from which tiles of
 * accumulators are computed (Goto and van de Geijn, 2008).
 *
 * A workgroup is one vector, with its lanes along the columns. A panel has what a row of tiles, or a column of them,
 * reads of its operand (`panel-side.ts`): from there on addresses go up by a constant. Sums are added in the order of k.
 */
import { present } from "../../../base/assert.ts";
import { add, i32, less, loadShared, minimum, multiply, subtract } from "../../lang/build.ts";
import { constant, isConstant, laneOf, workgroupOf } from "../../lang/expr.ts";
import type { Expr, Statement } from "../../lang/kernel.ts";
import { assign, BARRIER, letIn, storeShared, varIn } from "../../lang/statements.ts";
import { VECTOR } from "../../lang/vector-access.ts";
import { expressionsOf, visitOperandsFirst } from "../../lang/walk.ts";
import type { Grid } from "../grid.ts";
import { layoutOf } from "./operand-layout.ts";
import { pack, panelLength, tileSide, tilesIn, type Side, type TileSide, type Window } from "./panel-side.ts";
import type { ContractionSchedule } from "./schedule.ts";
import { onlyIf, tilePlaceOf, type Work } from "./tile.ts";

type PanelSchedule = ContractionSchedule & { readonly kind: "panels" };

/** A value that is computed once. */
type Named = ReturnType<typeof letIn>;

/** The shared arrays. */
const [LEFT, RIGHT, TOTALS] = [0, 1, 2];
/** Parts of what is done with a result, up to which it is written out for each vector of a tile. */
const WRITTEN_OUT_MAX = 24;

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
    isInLines: layoutOf(work.left, product.rows, product.inner) === "N",
    operand: (k, m) => work.left([place.matrix, m, k]),
  };
  const right: Side = {
    array: RIGHT,
    each: columns,
    tiles: across,
    first: multiply(place.column, i32(width)),
    size: product.columns,
    isInLines: false,
    operand: (k, n) => work.right([place.matrix, k, n]),
  };
  const depth = Math.min(schedule.depth, product.inner);
  const rounds = Math.ceil(product.inner / depth);
  const block: Block = { work, schedule, left, right, matrix: place.matrix, depth, isOneRound: rounds === 1 };
  const body = loops.for("round", i32(0), i32(rounds), (round) => roundOf(block, round));
  const keepsTotals = !block.isOneRound || !isWrittenOut(block);
  const tiles = block.isOneRound ? 1 : down * across;
  const shared = [panelLength(left, depth), panelLength(right, depth)].map((length) => ({
    type: "f32" as const,
    length,
    isStoredFirst: true,
  }));
  const totals = { type: "f32" as const, length: tiles * rows * columns, isStoredFirst: block.isOneRound };
  const last = block.isOneRound ? [] : [forTiles(block, (i, j) => storeKept(block, i, j))];
  return {
    invocations: workgroups * VECTOR,
    workgroup: { lanes: VECTOR, shared: keepsTotals ? [...shared, totals] : shared },
    body: [body, ...last],
  };
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
  const tiles = forTiles(block, (i, j) => tileOf(block, window, i, j));
  // What others still read is not stored over; what others stored is read.
  const before = isOneRound ? [] : [BARRIER];
  return [...before, ...pack(left, window, work.loops), ...pack(right, window, work.loops), BARRIER, tiles];
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
function tileOf(block: Block, window: Window, i: Expr, j: Expr): readonly Statement[] {
  const { work, schedule, left, right, isOneRound } = block;
  const { rows, columns, steps } = schedule;
  const { loops } = work;
  const { count, depth } = window;
  const fours = columns / VECTOR;
  const columnOf = (four: number): Expr => add(laneOf(VECTOR), i32(four * VECTOR));
  const [ms, ns] = [tileSide(left, depth, i, loops.names), tileSide(right, depth, j, loops.names)];
  const totals = Array.from({ length: rows }, (_, row) =>
    Array.from({ length: fours }, (_, four) => {
      const kept = totalPlace(block, i, j, i32(row), columnOf(four));
      return varIn(loops.names, "total", isOneRound ? constant("f32", 0) : loadShared(TOTALS, kept, "f32"));
    }),
  );
  const each = isConstant(count, depth) && depth % steps === 0 ? steps : 1;
  const loop = loops.for("k", i32(0), each === 1 ? count : i32(depth / each), (round) =>
    Array.from({ length: each }, (_, step) => add(multiply(round, i32(each)), i32(step))).flatMap((k) => {
      const named = (element: Expr): Named => letIn(loops.names, "part", element);
      const rights = Array.from({ length: fours }, (_, four) => named(ns.element(k, columnOf(four))));
      const products = totals.flatMap((row, at) => {
        // Just before its use, so that few are in registers at a time.
        const own = named(ms.element(k, i32(at)));
        const sums = row.map(({ use }, four) =>
          assign(use, add(use, multiply(own.use, present(rights[four], "panels: a column").use))),
        );
        return [own.statement, ...sums];
      });
      return [...rights.map(({ statement }) => statement), ...products];
    }),
  );
  const uses = totals.map((row) => row.map(({ use }) => use));
  const after = isOneRound && isWrittenOut(block) ? storeWritten(block, uses, ms, ns) : keep(block, uses, i, j);
  return [
    ...ms.statements,
    ...ns.statements,
    ...totals.flatMap((row) => row.map(({ statement }) => statement)),
    loop,
    ...after,
  ];
}

/** Keeps a tile's totals, for the next round; or, after the last one, for what is to be written only once. */
function keep(block: Block, totals: readonly (readonly Expr[])[], i: Expr, j: Expr): readonly Statement[] {
  const kept = totals.flatMap((row, at) =>
    row.map((total, four) => {
      const column = add(laneOf(VECTOR), i32(four * VECTOR));
      return storeShared(TOTALS, totalPlace(block, i, j, i32(at), column), total);
    }),
  );
  return block.isOneRound ? [...kept, ...storeKept(block, i, j)] : kept;
}

/** What is done with results is short enough to be written for each vector of a tile. */
function isWrittenOut({ work: { sink } }: Block): boolean {
  const parts = new Set<Expr>();
  for (const root of sink([i32(0), i32(0), i32(0)], constant("f32", 0)).flatMap(expressionsOf)) {
    visitOperandsFirst(
      root,
      (part) => parts.has(part),
      (part) => parts.add(part),
    );
  }
  return parts.size <= WRITTEN_OUT_MAX;
}

/** Hands a tile's totals on, each vector by code of its own. */
function storeWritten(
  { work: { sink }, matrix }: Block,
  totals: readonly (readonly Expr[])[],
  ms: TileSide,
  ns: TileSide,
): readonly Statement[] {
  return totals.flatMap((row, at) => {
    const stores = row.flatMap((total, four) => {
      const column = add(laneOf(VECTOR), i32(four * VECTOR));
      return onlyIf(ns.isInside(column), sink([matrix, ms.place(i32(at)), ns.place(column)], total));
    });
    return onlyIf(ms.isInside(i32(at)), stores);
  });
}

/** Hands a tile's kept totals on, in loops: so that what is done with them is written once. */
function storeKept(block: Block, i: Expr, j: Expr): readonly Statement[] {
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

/**
 * Matrix products through workgroup memory, for GPUs: a block of lanes brings `steps` of k of its rows and columns into
 * shared arrays, each element once, waits, and multiplies from there.
 *
 * A block of 64 x 64 reads an operand 1/64 as often as one product after another would. Software adapters are 10 to 20
 * times slower at barriers than at anything else: there, registers are better.
 */
import { add, divide, i32, less, loadShared, minimum, multiply, remainder, select } from "../../lang/build.ts";
import { constant, laneOf, rangeOf, workgroupOf } from "../../lang/expr.ts";
import type { Expr, Statement } from "../../lang/kernel.ts";
import { BARRIER, letIn, storeShared } from "../../lang/statements.ts";
import { VECTOR } from "../../lang/vectorize.ts";
import type { Grid, Operand } from "../grid.ts";
import { layoutOf } from "./operand-layout.ts";
import type { Contraction, ContractionSchedule } from "./schedule.ts";
import { addProducts, onlyIf, tilePlaceOf, totalsOf, type Totals, type Work } from "./tile.ts";

type WorkgroupSchedule = ContractionSchedule & { readonly kind: "workgroup" };

/** Of the shared arrays: left tiles are kept by k, then row; right tiles by k, then column. */
const [LEFT, RIGHT] = [0, 1];

export function workgroupTiles(work: Work, schedule: WorkgroupSchedule): Grid {
  const { product, loops } = work;
  const { lanesDown, lanesAcross, rows, columns, steps } = schedule;
  const [height, width] = [lanesDown * rows, lanesAcross * columns];
  const across = Math.ceil(product.columns / width);
  const down = Math.ceil(product.rows / height);
  const workgroups = product.batch * across * down;
  const place = tilePlaceOf(workgroupOf(workgroups), across, down);
  const lanes = lanesDown * lanesAcross;
  const lane = laneOf(lanes);
  const [laneRow, laneColumn] = [divide(lane, i32(lanesAcross)), remainder(lane, i32(lanesAcross))];
  const totals = totalsOf(loops, rows, columns);
  const [firstRow, firstColumn] = [multiply(place.row, i32(height)), multiply(place.column, i32(width))];
  const leftSide: Side = {
    array: LEFT,
    length: height,
    first: firstRow,
    size: product.rows,
    operand: (k, m) => work.left([place.matrix, m, k]),
    isAlongInner: layoutOf(work.left, product.rows, product.inner) === "N",
  };
  const rightSide: Side = {
    array: RIGHT,
    length: width,
    first: firstColumn,
    size: product.columns,
    operand: (k, n) => work.right([place.matrix, k, n]),
    isAlongInner: layoutOf(work.right, product.inner, product.columns) === "T",
  };
  const blocks = loops.for("block", i32(0), i32(Math.ceil(product.inner / steps)), (block) => {
    const firstK = multiply(block, i32(steps));
    const stage = (side: Side): readonly Statement[] => staged(side, { firstK, steps, product, lane, lanes });
    const multiplied = loops.for("k", i32(0), i32(steps), (k) => {
      const shared = (array: number, length: number, at: Expr): { statement: Statement; use: Expr } =>
        letIn(loops.names, "part", loadShared(array, add(multiply(k, i32(length)), at), "f32"));
      const lefts = Array.from({ length: rows }, (_, i) =>
        shared(LEFT, height, add(multiply(laneRow, i32(rows)), i32(i))),
      );
      const rights = Array.from({ length: columns }, (_, j) => shared(RIGHT, width, columnOf(laneColumn, j, schedule)));
      const step = { lefts: lefts.map(({ use }) => use), rights: rights.map(({ use }) => use) };
      return [...[...lefts, ...rights].map(({ statement }) => statement), ...addProducts(totals, [step])];
    });
    return [BARRIER, ...stage(leftSide), ...stage(rightSide), BARRIER, multiplied];
  });
  const ownRow = add(firstRow, multiply(laneRow, i32(rows)));
  const stores = storeWritten(work, totals, place.matrix, ownRow, (j) =>
    add(firstColumn, columnOf(laneColumn, j, schedule)),
  );
  return {
    invocations: workgroups * lanes,
    workgroup: {
      lanes,
      shared: [
        { type: "f32", length: steps * height },
        { type: "f32", length: steps * width },
      ],
    },
    body: [...totals.statements, blocks, ...stores],
  };
}

/** A lane's columns in the block, in fours with those of the other lanes between: neighbouring lanes read neighbours. */
function columnOf(laneColumn: Expr, j: number, { columns, lanesAcross }: WorkgroupSchedule): Expr {
  const together = columns % VECTOR === 0 ? VECTOR : columns;
  const apart = Math.floor(j / together) * together * lanesAcross;
  return add(multiply(laneColumn, i32(together)), i32(apart + (j % together)));
}

/** One operand of the block. */
interface Side {
  readonly array: number;
  /** Rows of the left block, columns of the right one. */
  readonly length: number;
  /** The first of them in the matrix, and how many that has. */
  readonly first: Expr;
  readonly size: number;
  readonly operand: (k: Expr, place: Expr) => ReturnType<Operand>;
  /** Neighbours in memory are neighbours in k. */
  readonly isAlongInner: boolean;
}

interface Stage {
  readonly firstK: Expr;
  readonly steps: number;
  readonly product: Contraction;
  readonly lane: Expr;
  readonly lanes: number;
}

/** All lanes bring a block's operand into its shared array: neighbouring lanes neighbours in memory, in fours. */
function staged(side: Side, { firstK, steps, product, lane, lanes }: Stage): readonly Statement[] {
  const { array, length, first, size, operand, isAlongInner } = side;
  const count = steps * length;
  const [short, inMemory] = isAlongInner ? [steps, product.inner] : [length, size];
  const together = short % VECTOR === 0 && inMemory % VECTOR === 0 && count % (VECTOR * lanes) === 0 ? VECTOR : 1;
  const pieces = count / together;
  const perLine = short / together;
  const statements: Statement[] = [];
  for (let round = 0; round * lanes < pieces; round++) {
    const piece = add(lane, i32(round * lanes));
    const [line, start] = [divide(piece, i32(perLine)), remainder(piece, i32(perLine))];
    const body = Array.from({ length: together }, (_, i) => {
      const along = add(multiply(start, i32(together)), i32(i));
      const [k, place] = isAlongInner ? [along, line] : [line, along];
      const value = valueAt(firstK, k, first, place);
      return storeShared(array, add(multiply(k, i32(length)), place), value);
    });
    statements.push(...onlyIf(less(piece, i32(pieces)), body));
  }
  return statements;

  /** 0 beyond the end of k; beyond the end of the matrix some other element, of which nothing is stored. */
  function valueAt(blockK: Expr, k: Expr, blockPlace: Expr, place: Expr): Expr {
    const [allK, all] = [add(blockK, k), add(blockPlace, place)];
    const value = operand(lastAtMost(allK, product.inner - 1), lastAtMost(all, size - 1));
    return select(less(allK, i32(product.inner)), value, constant("f32", 0));
  }
}

function lastAtMost(place: Expr, last: number): Expr {
  return rangeOf(place).max <= last ? place : minimum(place, i32(last));
}

/** Every store written out: GPUs compile it fast, and index no registers. */
function storeWritten(
  { product, sink }: Work,
  { uses }: Totals,
  matrix: Expr,
  firstRow: Expr,
  columnAt: (j: number) => Expr,
): readonly Statement[] {
  return uses.flatMap((row, i) => {
    const m = add(firstRow, i32(i));
    const inFours = product.columns % VECTOR === 0 && row.length % VECTOR === 0 ? VECTOR : 1;
    const stores: Statement[] = [];
    for (let j = 0; j < row.length; j += inFours) {
      const four = row.slice(j, j + inFours).flatMap((total, part) => sink([matrix, m, columnAt(j + part)], total));
      stores.push(...onlyIf(less(columnAt(j), i32(product.columns)), four));
    }
    return onlyIf(less(m, i32(product.rows)), stores);
  });
}

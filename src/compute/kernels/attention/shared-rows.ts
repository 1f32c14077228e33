/** Rows that all lanes of a workgroup read: of keys and values, or of queries and what arrives at them. */
import { add, divide, i32, less, loadShared, multiply, remainder } from "../../lang/build.ts";
import { laneOf } from "../../lang/expr.ts";
import type { Expr, Statement, Workgroup } from "../../lang/kernel.ts";
import { BARRIER, broadcastIn, storeShared, when } from "../../lang/statements.ts";
import { isConstant } from "../../lang/expr.ts";
import type { Loops } from "../grid.ts";
import { insideOf } from "./own-rows.ts";
import type { AttentionSchedule } from "./schedule.ts";

/** One of the matrices whose rows are read. */
export interface SharedMatrix {
  /** Columns. */
  readonly width: number;
  at(row: Expr, column: Expr): Expr;
}

/** The values of a block's rows in one column, after some statements. */
export interface Column {
  readonly statements: readonly Statement[];
  readonly values: readonly Expr[];
}

/** A block of rows. */
export interface Block {
  /** Its rows' places; those at and beyond the end are the last row once more. */
  readonly rows: readonly Expr[];
  /** Whether there are such rows. */
  readonly exist: readonly Expr[];
  /** One of the matrices, in the order that they were given in. */
  column(matrix: number, column: Expr): Column;
}

/** What a kernel with these matrices has to declare. */
export function workgroupFor({ kind, lanes, staged }: AttentionSchedule, widths: readonly number[]): Workgroup {
  const arrays = kind === "staged" ? widths : [];
  return { lanes, shared: arrays.map((width) => ({ type: "f32", length: staged * width })) };
}

/** Does `body` for the blocks that hold the rows from `from` up to, not including, `to`, and maybe for a few around. */
export function forBlocks(
  { loops, schedule, count, matrices }: BlockLoop,
  from: Expr,
  to: Expr,
  body: (block: Block) => readonly Statement[],
): readonly Statement[] {
  const { kind, columns, staged } = schedule;
  const step = kind === "staged" ? staged : columns;
  const [first, end] = [divide(from, i32(step)), divide(add(to, i32(step - 1)), i32(step))];
  const blockAt = (start: Expr, column: Block["column"]): readonly Statement[] => {
    const rows = Array.from({ length: columns }, (_, n) => add(start, i32(n)));
    return body({
      rows: rows.map((row) => insideOf(row, count)),
      exist: rows.map((row) => less(row, i32(count))),
      column,
    });
  };
  const matrixAt = (index: number): SharedMatrix => matrices[index] as SharedMatrix;
  return [
    loops.for("block", first, end, (number) => {
      const start = multiply(number, i32(step));
      if (kind === "direct") return blockAt(start, (m, c) => direct(matrixAt(m), start, c, schedule, count));
      if (kind === "broadcast") {
        return blockAt(start, (m, c) => broadcast(matrixAt(m), start, c, { loops, schedule, count }));
      }
      const parts = loops.for("part", i32(0), i32(staged / columns), (part) => {
        const within = multiply(part, i32(columns));
        return blockAt(add(start, within), (m, c) => fromShared(m, matrixAt(m).width, within, c, columns));
      });
      const loads = matrices.flatMap((matrix, i) => stage(matrix, i, start, { loops, schedule, count }));
      return [BARRIER, ...loads, BARRIER, parts];
    }),
  ];
}

export interface BlockLoop {
  readonly loops: Loops;
  readonly schedule: AttentionSchedule;
  /** Rows in each matrix. */
  readonly count: number;
  readonly matrices: readonly SharedMatrix[];
}

type Reading = Pick<BlockLoop, "loops" | "schedule" | "count">;

/** Every lane loads all rows. */
function direct(
  matrix: SharedMatrix,
  start: Expr,
  column: Expr,
  { columns }: AttentionSchedule,
  count: number,
): Column {
  const rows = Array.from({ length: columns }, (_, n) => insideOf(add(start, i32(n)), count));
  return { statements: [], values: rows.map((row) => matrix.at(row, column)) };
}

/** Every lane loads a row in as many as there are lanes, and gives it to the others. */
function broadcast(matrix: SharedMatrix, start: Expr, column: Expr, { loops, schedule, count }: Reading): Column {
  const { lanes, columns } = schedule;
  const statements: Statement[] = [];
  const values: Expr[] = [];
  for (let first = 0; first < columns; first += lanes) {
    const row = insideOf(add(add(start, i32(first)), laneOf(lanes)), count);
    const own = matrix.at(row, column);
    for (let lane = 0; lane < lanes && first + lane < columns; lane++) {
      const value = broadcastIn(loops.names, "given", own, lane);
      statements.push(value.statement);
      values.push(value.use);
    }
  }
  return { statements, values };
}

/** The lanes bring the next rows of a matrix into its shared array, each every so manieth element. */
function stage(matrix: SharedMatrix, array: number, start: Expr, { loops, schedule, count }: Reading): Statement[] {
  const { lanes, staged } = schedule;
  const { width } = matrix;
  const elements = staged * width;
  const store = (round: Expr): readonly Statement[] => {
    const place = add(multiply(round, i32(lanes)), laneOf(lanes));
    const row = insideOf(add(start, divide(place, i32(width))), count);
    const one = storeShared(array, place, matrix.at(row, remainder(place, i32(width))));
    const isInside = less(place, i32(elements));
    return isConstant(isInside, true) ? [one] : [when(isInside, [one])];
  };
  return [loops.for("round", i32(0), i32(Math.ceil(elements / lanes)), store)];
}

function fromShared(array: number, width: number, within: Expr, column: Expr, columns: number): Column {
  const rows = Array.from({ length: columns }, (_, n) => multiply(add(within, i32(n)), i32(width)));
  return { statements: [], values: rows.map((row) => loadShared(array, add(row, column), "f32")) };
}

/** The rows that the lanes of a workgroup own, of one matrix among many. */
import { add, divide, i32, less, minimum, multiply, remainder, subtract } from "../../lang/build.ts";
import { laneOf, rangeOf, workgroupOf } from "../../lang/expr.ts";
import type { Expr } from "../../lang/kernel.ts";
import type { AttentionSchedule } from "./schedule.ts";

export interface OwnRows {
  readonly workgroups: number;
  /** The same for all lanes. */
  readonly matrix: Expr;
  /** The first row that some lane owns, and the one after the last. */
  readonly first: Expr;
  readonly end: Expr;
  /** For each row of a lane its place, inside the matrix even where it has no row there. */
  readonly at: readonly Expr[];
  /** Whether there is such a row. */
  readonly exists: readonly Expr[];
}

/**
 * Workgroups for all rows of `matrices` matrices of `count` rows: next to each other those of other matrices, so that
 * they take equally long; the last rows first if `isReversed`, since what takes longest should not begin last.
 */
export function ownRows(
  matrices: number,
  count: number,
  { lanes, rows }: AttentionSchedule,
  isReversed: boolean,
): OwnRows {
  const together = lanes * rows;
  const blocks = Math.ceil(count / together);
  const workgroups = matrices * blocks;
  const workgroup = workgroupOf(workgroups);
  const number = divide(workgroup, i32(matrices));
  const block = isReversed ? subtract(i32(blocks - 1), number) : number;
  const first = multiply(block, i32(together));
  // Neighbouring lanes own neighbouring rows.
  const rowOf = (i: number): Expr => add(first, add(laneOf(lanes), i32(i * lanes)));
  const places = Array.from({ length: rows }, (_, i) => rowOf(i));
  return {
    workgroups,
    matrix: remainder(workgroup, i32(matrices)),
    first,
    end: minimum(add(first, i32(together)), i32(count)),
    at: places.map((place) => insideOf(place, count)),
    exists: places.map((place) => less(place, i32(count))),
  };
}

/** A place at most the last one of `count`. */
export function insideOf(place: Expr, count: number): Expr {
  return rangeOf(place).max < count ? place : minimum(place, i32(count - 1));
}

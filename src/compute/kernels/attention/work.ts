/** What a kernel of attention is made from, and the loops that all of them have. */
import { add, i32, multiply, shiftRight } from "../../lang/build.ts";
import { constant, workgroupOf } from "../../lang/expr.ts";
import type { Expr, Statement } from "../../lang/kernel.ts";
import { arrayIn, assign, varIn, when, type PrivateArray } from "../../lang/statements.ts";
import { isConstant } from "../../lang/expr.ts";
import type { Loops, Sink } from "../grid.ts";
import type { Attention, AttentionReads } from "./attention.ts";
import type { OwnRows } from "./own-rows.ts";
import type { AttentionSchedule } from "./schedule.ts";
import type { Block } from "./shared-rows.ts";

export interface AttentionWork {
  readonly attention: Attention;
  readonly reads: AttentionReads;
  readonly schedule: AttentionSchedule;
  readonly sink: Sink;
  readonly loops: Loops;
}

/** A value of each of a lane's rows in one column. */
export type OwnColumn = (row: number, column: Expr) => Expr;

/**
 * A loop over `count` columns that drivers do not write out: lavapipe does where it sees that there are at most 32, and
 * then compiles for seconds. On GPUs it pays, and they see the count.
 */
export function overColumns(
  { loops, schedule }: AttentionWork,
  workgroups: number,
  count: number,
  body: (column: Expr) => readonly Statement[],
): Statement {
  const hidden = schedule.kind === "staged" ? i32(0) : shiftRight(workgroupOf(workgroups), i32(31));
  return loops.for("column", i32(0), add(i32(count), hidden), body);
}

/** Rows of sums, one for each of a lane's rows. */
export interface Sums {
  readonly statement: Statement;
  load(row: number, column: Expr): Expr;
  store(row: number, column: Expr, value: Expr): Statement;
}

/** Zeros, `width` for each of a lane's rows. */
export function sumsOf({ loops, schedule: { rows } }: AttentionWork, width: number): Sums {
  const array = arrayIn(loops.names, "sums", "f32", rows * width);
  return sumsIn(array, width);
}

function sumsIn(array: PrivateArray, width: number): Sums {
  const place = (row: number, column: Expr): Expr => add(i32(row * width), column);
  return {
    statement: array.statement,
    load: (row, column) => array.load(place(row, column)),
    store: (row, column, value) => array.store(place(row, column), value),
  };
}

/** What a lane reads of its own rows again and again: kept in private arrays on GPUs, loaded where loads are equal. */
export function keptRows(
  work: AttentionWork,
  own: OwnRows,
  width: number,
  at: OwnColumn,
): { readonly statements: readonly Statement[]; readonly column: OwnColumn } {
  if (work.schedule.kind !== "staged") return { statements: [], column: at };
  const kept = sumsOf(work, width);
  const fill = overColumns(work, own.workgroups, width, (column) =>
    own.at.map((_, row) => kept.store(row, column, at(row, column))),
  );
  return { statements: [kept.statement, fill], column: (row, column) => kept.load(row, column) };
}

/** The products of a lane's rows with those of a block: [row][column of the block], as variables. */
export function products(
  work: AttentionWork,
  own: OwnRows,
  width: number,
  ownColumn: OwnColumn,
  shared: (column: Expr) => ReturnType<Block["column"]>,
): { readonly statements: readonly Statement[]; readonly values: readonly (readonly Expr[])[] } {
  const { loops, schedule } = work;
  const declarations: Statement[] = [];
  const values = own.at.map(() =>
    Array.from({ length: schedule.columns }, () => {
      const total = varIn(loops.names, "product", constant("f32", 0));
      declarations.push(total.statement);
      return total.use;
    }),
  );
  const loop = overColumns(work, own.workgroups, width, (column) => {
    const others = shared(column);
    const sums = values.flatMap((totals, row) => {
      const x = ownColumn(row, column);
      return totals.map((total, n) => assign(total, add(total, multiply(x, others.values[n] ?? x))));
    });
    return [...others.statements, ...sums];
  });
  return { statements: [...declarations, loop], values };
}

/** sums[row][c] = sums[row][c] * shrunk[row] + the sum over n of weights[row][n] * shared[n][c], for all columns c. */
export function addWeighted(
  work: AttentionWork,
  own: OwnRows,
  width: number,
  { sums, weights, shared, shrunk }: Weighted,
): Statement {
  return overColumns(work, own.workgroups, width, (column) => {
    const others = shared(column);
    const stores = weights.map((row, i) => {
      const parts = row.map((weight, n) => multiply(weight, others.values[n] ?? weight));
      const before = sums.load(i, column);
      const factor = shrunk?.[i];
      const kept = factor === undefined ? before : multiply(before, factor);
      return sums.store(i, column, add(kept, parts.reduce(add)));
    });
    return [...others.statements, ...stores];
  });
}

export interface Weighted {
  readonly sums: Sums;
  readonly weights: readonly (readonly Expr[])[];
  readonly shared: (column: Expr) => ReturnType<Block["column"]>;
  readonly shrunk?: readonly Expr[];
}

/** Stores for each column and each row that exists. */
export function storeRows(
  work: AttentionWork,
  own: OwnRows,
  width: number,
  value: (row: number, column: Expr) => readonly Statement[],
): Statement {
  return overColumns(work, own.workgroups, width, (column) =>
    own.exists.flatMap((exists, row) => onlyIf(exists, value(row, column))),
  );
}

export function onlyIf(condition: Expr, body: readonly Statement[]): readonly Statement[] {
  return isConstant(condition, true) ? body : [when(condition, body)];
}

/** What a kernel of attention is made from, and the loops that all of them have. */
import { add, i32, multiply } from "../../lang/build.ts";
import { constant, isConstant } from "../../lang/expr.ts";
import type { Expr, Statement } from "../../lang/kernel.ts";
import { arrayIn, assign, varIn, when } from "../../lang/statements.ts";
import type { Loops, Sink } from "../grid.ts";
import type { Attention, AttentionReads } from "./attention.ts";
import type { AttentionSchedule } from "./schedule.ts";
import type { Column } from "./shared-rows.ts";

export interface AttentionWork {
  readonly attention: Attention;
  readonly reads: AttentionReads;
  readonly schedule: AttentionSchedule;
  readonly sink: Sink;
  readonly loops: Loops;
}

/** A value of one of a lane's rows in a column. */
export type OwnColumn = (row: number, column: Expr) => Expr;

/** The values of a block's rows in a column. */
export type SharedColumn = (column: Expr) => Column;

/** For each of a lane's rows, one for each row of a block. */
export type Tile = readonly (readonly Expr[])[];

export function overColumns(
  { loops }: AttentionWork,
  count: number,
  body: (column: Expr) => readonly Statement[],
): Statement {
  return loops.for("column", i32(0), i32(count), body);
}

/** Columns of values in private memory, for each of a lane's rows. */
export interface OwnArray {
  readonly statement: Statement;
  load(row: number, column: Expr): Expr;
  store(row: number, column: Expr, value: Expr): Statement;
}

/** Zeros, `width` for each of a lane's rows. Arrays and loops, since a name for each would compile for a minute. */
export function ownArray({ loops, schedule: { rows } }: AttentionWork, stem: string, width: number): OwnArray {
  const array = arrayIn(loops.names, stem, "f32", rows * width);
  const place = (row: number, column: Expr): Expr => add(i32(row * width), column);
  return {
    statement: array.statement,
    load: (row, column) => array.load(place(row, column)),
    store: (row, column, value) => array.store(place(row, column), value),
  };
}

/** What a lane reads of its own rows for each block: kept in private arrays on GPUs, loaded again where that costs the same. */
export function keptRows(
  work: AttentionWork,
  width: number,
  at: OwnColumn,
): { readonly statements: readonly Statement[]; readonly column: OwnColumn } {
  const { kind, rows } = work.schedule;
  if (kind !== "staged") return { statements: [], column: at };
  const kept = ownArray(work, "kept", width);
  const fill = overColumns(work, width, (column) =>
    Array.from({ length: rows }, (_, row) => kept.store(row, column, at(row, column))),
  );
  return { statements: [kept.statement, fill], column: (row, column) => kept.load(row, column) };
}

/** The products of a lane's rows with those of a block, as variables. */
export function products(
  work: AttentionWork,
  width: number,
  own: OwnColumn,
  shared: SharedColumn,
): { readonly statements: readonly Statement[]; readonly values: Tile } {
  const { rows, columns } = work.schedule;
  const declarations: Statement[] = [];
  const values = Array.from({ length: rows }, () =>
    Array.from({ length: columns }, () => {
      const total = varIn(work.loops.names, "product", constant("f32", 0));
      declarations.push(total.statement);
      return total.use;
    }),
  );
  const loop = overColumns(work, width, (column) => {
    const others = shared(column);
    const sums = values.flatMap((totals, row) => {
      const x = own(row, column);
      return totals.map((total, n) => assign(total, add(total, multiply(x, others.values[n] ?? x))));
    });
    return [...others.statements, ...sums];
  });
  return { statements: [...declarations, loop], values };
}

export interface Weighted {
  readonly sums: OwnArray;
  readonly weights: Tile;
  readonly shared: SharedColumn;
  /** What the sums are multiplied with before; nothing by default. */
  readonly shrunk?: readonly Expr[];
}

/** sums[row][c] = sums[row][c] * shrunk[row] + the sum over n of weights[row][n] * shared[n][c], for all columns c. */
export function addWeighted(
  work: AttentionWork,
  width: number,
  { sums, weights, shared, shrunk }: Weighted,
): Statement {
  return overColumns(work, width, (column) => {
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

/** `value` for each column and each row that exists. */
export function storeRows(
  work: AttentionWork,
  exist: readonly Expr[],
  width: number,
  value: (row: number, column: Expr) => readonly Statement[],
): Statement {
  return overColumns(work, width, (column) => exist.flatMap((exists, row) => onlyIf(exists, value(row, column))));
}

export function onlyIf(condition: Expr, body: readonly Statement[]): readonly Statement[] {
  return isConstant(condition, true) ? body : [when(condition, body)];
}

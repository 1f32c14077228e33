/** Columns made orthonormal, for many thin matrices at once: a workgroup has one, a lane of it some rows. */
import * as build from "../../lang/build.ts";
import type { Expr, Kernel, Statement } from "../../lang/kernel.ts";
import { assign, letIn, varIn, type Names } from "../../lang/statements.ts";
import { bound } from "./chunks.ts";
import { chunkKernel, combined, each, eachOf, entry, EXPONENT, NAN, ofLanes, powerOf, type Factors, type MatrixInKernel } from "./low-rank.ts"; // prettier-ignore

const { add, and, bitcast, cast, divide, f32, i32, less, lessEqual, load, maximum, multiply, select, subtract, u32, unary } = build; // prettier-ignore

/** What is left of a column beside the ones before it, when it is no more than rounding; of its length, squared. */
const RESIDUE_MAX = 1e-10;

/**
 * Bindings: exponents, table, messages, whose P becomes orthonormal, column after column (modified Gram-Schmidt, twice);
 * NaN where M is not finite, zeros where it is tiny. A lane has its rows to itself.
 */
export function orthonormalize(factors: Factors): Kernel {
  const { rank, messageWords } = factors;
  const bindings = [bound(messageWords, "read"), bound(messageWords, "readWrite")] as const;
  return chunkKernel("P", factors, bindings, (names, _, matrix) => {
    const exponentAt = (row: Expr): Expr => cast("i32", load(0, add(matrix.word, row), "u32"));
    const largest = varIn(names, "largest", u32(0));
    const find = eachOf(names, matrix.rows, ofLanes, (row) => [
      assign(largest.use, maximum(largest.use, load(0, add(matrix.word, row), "u32"))),
    ]);
    const most = combined(names, largest.use, maximum);
    const exponent = letIn(names, "exponent", cast("i32", most.use));
    const rescale = eachOf(names, matrix.rows, ofLanes, (row) => {
      const difference = subtract(exponentAt(row), exponent.use);
      const scale = letIn(names, "scale", powerOf(add(difference, i32(EXPONENT.one))));
      const scaled = each(rank, (column) => {
        const own = entry(matrix, row, column, rank);
        return own.put(bitcast("u32", multiply(own.value, scale.use)));
      });
      return [scale.statement, ...scaled];
    });
    const columns = each(rank, (column) => columnMadeNormal(names, matrix, { column, rank, exponent: exponent.use }));
    return [largest.statement, find, ...most.statements, exponent.statement, rescale, ...columns.flat()];
  });
}

interface ColumnOfMatrix {
  readonly column: number;
  readonly rank: number;
  /** Of the largest value of M. */
  readonly exponent: Expr;
}

/** One column of P, beside those before it. */
function columnMadeNormal(
  names: Names,
  matrix: MatrixInKernel,
  { column, rank, exponent }: ColumnOfMatrix,
): Statement[] {
  const dot = (other: number): ReturnType<typeof combined> => {
    const sum = varIn(names, "sum", f32(0));
    const loop = eachOf(names, matrix.rows, ofLanes, (row) => [
      assign(
        sum.use,
        add(sum.use, multiply(entry(matrix, row, other, rank).value, entry(matrix, row, column, rank).value)),
      ),
    ]);
    const all = combined(names, sum.use, add);
    return { statements: [sum.statement, loop, ...all.statements], use: all.use };
  };
  const remove = (): Statement[] =>
    each(column, (before) => {
      const along = dot(before);
      const loop = eachOf(names, matrix.rows, ofLanes, (row) => {
        const own = entry(matrix, row, column, rank);
        return [
          own.put(bitcast("u32", subtract(own.value, multiply(along.use, entry(matrix, row, before, rank).value)))),
        ];
      });
      return [...along.statements, loop];
    }).flat();
  const whole = dot(column);
  const once = remove();
  const rest = dot(column);
  const isNew = and(less(multiply(whole.use, f32(RESIDUE_MAX)), rest.use), lessEqual(i32(EXPONENT.tiny), exponent));
  const twice = remove(); // What rounding left of the others in a small rest.
  const length = dot(column);
  const inverse = letIn(names, "inverse", select(isNew, divide(f32(1), unary("sqrt", length.use)), f32(0)));
  const isFinite = less(exponent, i32(EXPONENT.infinite));
  const scale = eachOf(names, matrix.rows, ofLanes, (row) => {
    const own = entry(matrix, row, column, rank);
    return [own.put(select(isFinite, bitcast("u32", multiply(own.value, inverse.use)), u32(NAN)))];
  });
  const sums = [...whole.statements, ...once, ...rest.statements, ...twice, ...length.statements];
  return [...sums, inverse.statement, scale];
}

/**
 * Rows: one invocation goes along a row as often as it must, reducing, and storing elements and results of rows.
 *
 * A *row* is all that a reduction runs over for one of its results. What depends on a reduction of the row (the
 * normalised value, the softmax) is computed in a later sweep by the same invocation, so that a softmax, a norm or a
 * loss is one kernel: each sweep reads the row again, nothing in between is stored.
 *
 * The compiler splits reductions to few rows in two, so that there are enough invocations (see `compiler/split.ts`).
 */
import { add, i32, minimum, multiply } from "../lang/build.ts";
import { invocationOf } from "../lang/expr.ts";
import type { Expr, ScalarType, Statement } from "../lang/kernel.ts";
import { assign, letIn, varIn } from "../lang/statements.ts";
import { elementCount } from "../layout/shape.ts";
import { combine, identityOf, type Accumulation } from "./accumulate.ts";
import { unflatten, type Grid, type Index, type Loops, type Operand } from "./grid.ts";

/**
 * A float sum longer than this is summed in blocks of it, and the blocks' sums are summed: the rounding error grows
 * with BLOCK + n / BLOCK instead of n.
 */
const BLOCK = 256;
/** Shorter inner loops are no blocks of their own. */
const INNER_MIN = 8;

/** Elements in rows: a row has one index along each axis but `axes` (ascending), and all along those. */
export interface RowSpace {
  readonly shape: readonly number[];
  readonly axes: readonly number[];
}

/** fn over the row of operand[index of the element]. */
export interface RowReduction {
  readonly fn: Accumulation;
  readonly type: ScalarType;
  readonly operand: Operand;
}

/** One way along the row. */
export interface Sweep {
  readonly reductions: readonly RowReduction[];
  /** What is done with each element besides. */
  element(index: Index): readonly Statement[];
  /** What is done after the last element; `results` are those of the reductions. */
  finish(row: Index, results: readonly Expr[]): readonly Statement[];
}

export function rowCount({ shape, axes }: RowSpace): number {
  return elementCount(shape.filter((_, axis) => !axes.includes(axis)));
}

export function columnCount({ shape, axes }: RowSpace): number {
  return elementCount(axes.map((axis) => shape[axis] ?? 1));
}

/** Rows with all sweeps, one after another. Indices have an entry an axis of the space's shape. */
export function rows(space: RowSpace, sweeps: readonly Sweep[], loops: Loops): Grid {
  const { shape, axes } = space;
  const rowShape = shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  const invocations = elementCount(rowShape);
  const row = unflatten(invocationOf(invocations), rowShape);
  const body = sweeps.flatMap((sweep) => runSweep(space, row, sweep, loops));
  return { invocations, body };
}

/** The kernel of one reduction alone: out[i] = fn over `axes` of operand[i with any index there]. */
export function reduce(
  reduction: Omit<RowReduction, "operand"> & RowSpace,
  operand: Operand,
  sink: (row: Index, result: Expr) => readonly Statement[],
  loops: Loops,
): Grid {
  const finish = (row: Index, [result]: readonly Expr[]): readonly Statement[] =>
    result === undefined ? [] : sink(row, result);
  return rows(reduction, [{ reductions: [{ ...reduction, operand }], element: () => [], finish }], loops);
}

function runSweep({ shape, axes }: RowSpace, row: Index, sweep: Sweep, loops: Loops): readonly Statement[] {
  const { reductions } = sweep;
  const index = [...row];

  /** Does all that is under the axes from the `level`-th on, at the indices of those before it. */
  function visit(totals: readonly Expr[], level: number): readonly Statement[] {
    const axis = axes[level];
    if (axis === undefined) return visitElement(totals);
    const size = shape[axis] ?? 1;
    if (size === 1) return visit(totals, level + 1);
    const inner = elementCount(axes.slice(level + 1).map((other) => shape[other] ?? 1));
    const along = (into: readonly Expr[], from: Expr, to: Expr, inParts: boolean): Statement =>
      loops.for("k", from, to, (counter) => {
        index[axis] = counter;
        return inParts ? visitPart(into, (parts) => visit(parts, level + 1)) : visit(into, level + 1);
      });
    const isShort = !reductions.some(isFloatSum) || size * inner <= 2 * BLOCK;
    if (isShort || inner >= INNER_MIN) return [along(totals, i32(0), i32(size), !isShort)];
    const blocks = i32(Math.ceil(size / BLOCK));
    const visitBlock = (block: Expr): readonly Statement[] => {
      const from = multiply(block, i32(BLOCK));
      return visitPart(totals, (parts) => [along(parts, from, minimum(add(from, i32(BLOCK)), i32(size)), false)]);
    };
    return [loops.for("block", i32(0), blocks, visitBlock)];
  }

  /** The same with float sums of its own, each of which is added to its total once. */
  function visitPart(
    totals: readonly Expr[],
    inside: (parts: readonly Expr[]) => readonly Statement[],
  ): readonly Statement[] {
    const before: Statement[] = [];
    const after: Statement[] = [];
    const parts = totals.map((total, i) => {
      const reduction = reductions[i];
      if (reduction === undefined || !isFloatSum(reduction)) return total;
      const part = varIn(loops.names, "part", identityOf(reduction.fn, reduction.type));
      before.push(part.statement);
      after.push(assign(total, combine(reduction.fn, total, part.use)));
      return part.use;
    });
    return [...before, ...inside(parts), ...after];
  }

  function visitElement(totals: readonly Expr[]): readonly Statement[] {
    const at = [...index];
    const sums = reductions.map(({ fn, operand }, i) => {
      const total = totals[i] as Expr;
      return assign(total, combine(fn, total, operand(at)));
    });
    return [...sums, ...sweep.element(at)];
  }

  const totals = reductions.map(({ fn, type }) => varIn(loops.names, "total", identityOf(fn, type)));
  const along = visit(totals.map(({ use }) => use), 0); // prettier-ignore
  // Named, so that what is computed of a result alone is computed once, outside of later sweeps.
  const results = totals.map(({ use }) => letIn(loops.names, "result", use));
  return [
    ...totals.map(({ statement }) => statement),
    ...along,
    ...results.map(({ statement }) => statement),
    ...sweep.finish(row, results.map(({ use }) => use)), // prettier-ignore
  ];
}

function isFloatSum({ fn, type }: Pick<RowReduction, "fn" | "type">): boolean {
  return fn === "sum" && type === "f32";
}

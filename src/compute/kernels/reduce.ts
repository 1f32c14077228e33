/**
 * Reduction over some axes: one invocation an output element, with a loop an axis inside.
 *
 * The compiler splits reductions to few outputs in two, so that there are enough invocations (see `compiler/split.ts`).
 */
import { add, i32, minimum, multiply } from "../lang/build.ts";
import { invocationOf } from "../lang/expr.ts";
import type { Expr, ScalarType, Statement } from "../lang/kernel.ts";
import { assign, varIn } from "../lang/statements.ts";
import { elementCount } from "../layout/shape.ts";
import type { DType } from "../layout/dtype.ts";
import { combine, identityOf, type Accumulation } from "./accumulate.ts";
import { unflatten, type Grid, type Loops, type Operand, type Sink } from "./grid.ts";

/**
 * A float sum longer than two blocks is summed in blocks, and the blocks' sums are summed: the rounding error grows with
 * block + n / block instead of n. The default first.
 */
const BLOCKS: readonly number[] = [256, 64];
/** Shorter inner loops are no blocks of their own. */
const INNER_MIN = 8;

/** The blocks that a reduction of `length` elements may be summed in; only the default where none is cut. */
export function blockCandidates(fn: Accumulation, dtype: DType, length: number): readonly number[] {
  const [usual = 256] = BLOCKS;
  const isCut = fn === "sum" && dtype === "float32";
  // Where neither is cut, they are the same.
  return BLOCKS.filter((block) => block === usual || (isCut && length > 2 * Math.min(block, usual)));
}

export interface Reduction {
  readonly fn: Accumulation;
  readonly type: ScalarType;
  /** Of the operand. */
  readonly shape: readonly number[];
  /** Ascending; the output has size 1 there. */
  readonly axes: readonly number[];
}

/** out[i] = fn over `axes` of operand[i with any index there]; float sums in blocks of `block`. */
export function reduce(reduction: Reduction, block: number, operand: Operand, sink: Sink, loops: Loops): Grid {
  const { fn, type, shape, axes } = reduction;
  const outputShape = shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  const invocations = elementCount(outputShape);
  const output = unflatten(invocationOf(invocations), outputShape);
  const index = [...output];

  /** Adds to `total` all that is under the axes from the `level`-th on, at the indices of those before it. */
  function accumulate(total: Expr, level: number): readonly Statement[] {
    const axis = axes[level];
    if (axis === undefined) return [assign(total, combine(fn, total, operand(index)))];
    const size = shape[axis] ?? 1;
    if (size === 1) return accumulate(total, level + 1);
    const inner = elementCount(axes.slice(level + 1).map((other) => shape[other] ?? 1));
    const visit = (into: Expr, from: Expr, to: Expr, inParts: boolean): Statement =>
      loops.for("k", from, to, (counter) => {
        index[axis] = counter;
        return inParts ? inPart(into, level + 1) : accumulate(into, level + 1);
      });
    const isShort = fn !== "sum" || type !== "f32" || size * inner <= 2 * block;
    if (isShort || inner >= INNER_MIN) return [visit(total, i32(0), i32(size), !isShort)];
    const blocks = i32(Math.ceil(size / block));
    const visitBlock = (number: Expr): readonly Statement[] => {
      const from = multiply(number, i32(block));
      const part = varIn(loops.names, "part", identityOf(fn, type));
      const body = visit(part.use, from, minimum(add(from, i32(block)), i32(size)), false);
      return [part.statement, body, assign(total, combine(fn, total, part.use))];
    };
    return [loops.for("block", i32(0), blocks, visitBlock)];
  }

  /** The same, with a sum of its own that is added to `total` once. */
  function inPart(total: Expr, level: number): readonly Statement[] {
    const part = varIn(loops.names, "part", identityOf(fn, type));
    return [part.statement, ...accumulate(part.use, level), assign(total, combine(fn, total, part.use))];
  }

  const total = varIn(loops.names, "total", identityOf(fn, type));
  return { invocations, body: [total.statement, ...accumulate(total.use, 0), ...sink(output, total.use)] };
}

/**
 * Sums into the places that indices name, in the order of the contributions: no atomics, the same bits every time.
 *
 * Two ways. By element: each invocation owns an output element and looks at all contributions that could reach it; best
 * when there are few. By line: each invocation owns a line of the output along the axis, or a range of it, clears it, and
 * adds each contribution that belongs there; its work does not grow with size times contributions, and there is no copy
 * of the output. In ranges each contribution's index is looked at by as many invocations as there are ranges.
 */
import { add, and, divide, equal, greaterEqual, i32, less, load, minimum, multiply, remainder } from "../lang/build.ts";
import { constant, invocationOf } from "../lang/expr.ts";
import type { Expr, ScalarType } from "../lang/kernel.ts";
import { assign, letIn, store, varIn, when } from "../lang/statements.ts";
import { elementCount } from "../layout/shape.ts";
import type { DeviceTraits } from "./device-traits.ts";
import { flatten, unflatten, type Grid, type Loops, type Operand, type Sink } from "./grid.ts";

export interface Scatter {
  readonly type: Exclude<ScalarType, "bool">;
  /** Of what is added, and of the indices. */
  readonly shape: readonly number[];
  readonly axis: number;
  /** The output's, along `axis`. */
  readonly size: number;
}

/** Up to this many contributions a line, looking at all of them for each element is cheap. */
const CONTRIBUTIONS_FEW = 4;

/** Each more is another look at all indices. */
const RANGES_MAX = 64;
/** On a hardware GPU. */
const INVOCATIONS_WANTED = 4096;

/** True when the output has to be bound for reading too. */
export function isByLine({ shape, axis }: Scatter): boolean {
  return (shape[axis] ?? 1) > CONTRIBUTIONS_FEW;
}

function withAxis(index: readonly Expr[], axis: number, at: Expr): Expr[] {
  return index.map((old, i) => (i === axis ? at : old));
}

/** out[q] = sum of values[p] over p with indices[p] = q[axis], and p = q elsewhere; one invocation an element. */
export function scatterByElement(scatter: Scatter, values: Operand, indices: Operand, sink: Sink, loops: Loops): Grid {
  const { type, shape, axis, size } = scatter;
  const outputShape = shape.map((old, i) => (i === axis ? size : old));
  const invocations = elementCount(outputShape);
  const output = unflatten(invocationOf(invocations), outputShape);
  const total = varIn(loops.names, "total", constant(type, 0));
  const along = loops.for("i", i32(0), i32(shape[axis] ?? 1), (i) => {
    const index = withAxis(output, axis, i);
    const isHere = equal(indices(index), output[axis] ?? i32(0));
    return [when(isHere, [assign(total.use, add(total.use, values(index)))])];
  });
  return { invocations, body: [total.statement, along, ...sink(output, total.use)] };
}

/**
 * Ranges to cut a line of the output in. On software adapters, one: looks at indices cost as much as additions, so that 4
 * ranges of 4096 contributions to 1000 places take 3 times as long.
 */
export function scatterRanges({ shape, axis, size }: Scatter, { isSoftware }: DeviceTraits): number {
  if (isSoftware) return 1;
  const lines = elementCount(withSizeOne(shape, axis));
  const wanted = Math.min(RANGES_MAX, Math.ceil(INVOCATIONS_WANTED / Math.max(1, lines)));
  const span = Math.ceil(size / Math.max(1, Math.min(wanted, size)));
  return Math.max(1, Math.ceil(size / Math.max(1, span)));
}

/** The same, one invocation for each of `ranges` ranges of a line, into binding `out`. */
export function scatterByLine(
  scatter: Scatter,
  ranges: number,
  values: Operand,
  indices: Operand,
  out: number,
  loops: Loops,
): Grid {
  const { type, shape, axis, size } = scatter;
  const outputShape = shape.map((old, i) => (i === axis ? size : old));
  const lines = withSizeOne(shape, axis);
  const lineCount = elementCount(lines);
  const invocations = lineCount * ranges;
  const invocation = invocationOf(invocations);
  // Neighbours own neighbouring lines, and look at the same indices where those of the lines are the same.
  const line = unflatten(ranges === 1 ? invocation : remainder(invocation, i32(lineCount)), lines);
  const span = Math.ceil(size / ranges);
  const from = ranges === 1 ? i32(0) : multiply(divide(invocation, i32(lineCount)), i32(span));
  const to = ranges === 1 ? i32(size) : minimum(add(from, i32(span)), i32(size));
  const placeOf = (at: Expr): Expr => flatten(withAxis(line, axis, at), outputShape);
  const clear = loops.for("i", from, to, (i) => [store(out, placeOf(i), constant(type, 0))]);
  const sum = loops.for("i", i32(0), i32(shape[axis] ?? 1), (i) => {
    const index = withAxis(line, axis, i);
    const target = letIn(loops.names, "target", indices(index));
    const isInside = and(greaterEqual(target.use, from), less(target.use, to));
    const place = placeOf(target.use);
    return [target.statement, when(isInside, [store(out, place, add(load(out, place, type), values(index)))])];
  });
  return { invocations, body: [clear, sum] };
}

function withSizeOne(shape: readonly number[], axis: number): number[] {
  return shape.map((size, i) => (i === axis ? 1 : size));
}

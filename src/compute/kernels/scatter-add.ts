/**
 * Sums into the places that indices name, in the order of the contributions: no atomics, the same bits every time.
 *
 * Two ways. By element: each invocation owns an output element and looks at all contributions that could reach it; best
 * when there are few. By line: each invocation owns a line of the output along the axis, clears it, and adds each
 * contribution where it belongs; its work does not grow with size times contributions.
 */
import { add, and, equal, greaterEqual, i32, less, load } from "../lang/build.ts";
import { constant, invocationOf } from "../lang/expr.ts";
import type { Expr, ScalarType } from "../lang/kernel.ts";
import { assign, letIn, store, varIn, when } from "../lang/statements.ts";
import { elementCount } from "../layout/shape.ts";
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

/** The same, one invocation a line, into binding `out`. */
export function scatterByLine(scatter: Scatter, values: Operand, indices: Operand, out: number, loops: Loops): Grid {
  const { type, shape, axis, size } = scatter;
  const outputShape = shape.map((old, i) => (i === axis ? size : old));
  const lines = withSizeOne(shape, axis);
  const invocations = elementCount(lines);
  const line = unflatten(invocationOf(invocations), lines);
  const placeOf = (at: Expr): Expr => flatten(withAxis(line, axis, at), outputShape);
  const clear = loops.for("i", i32(0), i32(size), (i) => [store(out, placeOf(i), constant(type, 0))]);
  const sum = loops.for("i", i32(0), i32(shape[axis] ?? 1), (i) => {
    const index = withAxis(line, axis, i);
    const target = letIn(loops.names, "target", indices(index));
    const isInside = and(greaterEqual(target.use, i32(0)), less(target.use, i32(size)));
    const place = placeOf(target.use);
    return [target.statement, when(isInside, [store(out, place, add(load(out, place, type), values(index)))])];
  });
  return { invocations, body: [clear, sum] };
}

function withSizeOne(shape: readonly number[], axis: number): number[] {
  return shape.map((size, i) => (i === axis ? 1 : size));
}

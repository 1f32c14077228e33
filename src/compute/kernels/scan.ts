/**
 * Running totals along an axis: one invocation a line, which goes along it.
 *
 * The compiler cuts few long lines into chunks (see `compiler/split.ts`).
 */
import { i32 } from "../lang/build.ts";
import { invocationOf } from "../lang/expr.ts";
import type { ScalarType } from "../lang/kernel.ts";
import { assign, varIn } from "../lang/statements.ts";
import { elementCount } from "../layout/shape.ts";
import { combine, identityOf, type Accumulation } from "./accumulate.ts";
import { unflatten, type Grid, type Loops, type Operand, type Sink } from "./grid.ts";

export interface Scan {
  readonly fn: Accumulation;
  readonly type: ScalarType;
  readonly shape: readonly number[];
  readonly axis: number;
}

/** out[.., i, ..] = fn of operand[.., 0 to i, ..] */
export function scan({ fn, type, shape, axis }: Scan, operand: Operand, sink: Sink, loops: Loops): Grid {
  const lines = shape.map((size, i) => (i === axis ? 1 : size));
  const invocations = elementCount(lines);
  const line = unflatten(invocationOf(invocations), lines);
  const total = varIn(loops.names, "total", identityOf(fn, type));
  const along = loops.for("i", i32(0), i32(shape[axis] ?? 1), (i) => {
    const index = line.map((at, other) => (other === axis ? i : at));
    return [assign(total.use, combine(fn, total.use, operand(index))), ...sink(index, total.use)];
  });
  return { invocations, body: [total.statement, along] };
}

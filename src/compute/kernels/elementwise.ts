/** One invocation an element; all arithmetic is the operand's. */
import { invocationOf } from "../lang/expr.ts";
import { elementCount } from "../layout/shape.ts";
import { unflatten, type Grid, type Operand, type Sink } from "./grid.ts";

/** out[i] = operand[i], for each index i into `shape`. */
export function elementwise(shape: readonly number[], operand: Operand, sink: Sink): Grid {
  const invocations = elementCount(shape);
  const index = unflatten(invocationOf(invocations), shape);
  return { invocations, body: sink(index, operand(index)) };
}

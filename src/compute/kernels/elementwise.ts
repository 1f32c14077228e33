/** Element by element; all arithmetic is the operand's. */
import { add, i32, multiply } from "../lang/build.ts";
import { invocationOf } from "../lang/expr.ts";
import { elementCount } from "../layout/shape.ts";
import { unflatten, type Grid, type Loops, type Operand, type Sink } from "./grid.ts";

/** From how many elements on an invocation computes several: half the time on software adapters. */
const FOUR_FROM = 2 ** 14;
const EIGHT_FROM = 2 ** 17;

/** Worth trying, where there are many elements. */
const EACH = [1, 2, 4, 8, 16];
/** Below this, kernels end before it matters. */
const CHOICE_FROM = 2 ** 12;

/** How many of `count` elements an invocation may compute: the default first. */
export function elementsEachCandidates(count: number): readonly number[] {
  const usual = count >= EIGHT_FROM && count % 8 === 0 ? 8 : count >= FOUR_FROM && count % 4 === 0 ? 4 : 1;
  if (count < CHOICE_FROM) return [usual];
  return [usual, ...EACH.filter((each) => each !== usual && count % each === 0)];
}

/** out[i] = operand[i], for each index i into `shape`; `each` elements an invocation, a divisor of their count. */
export function elementwise(shape: readonly number[], each: number, operand: Operand, sink: Sink, loops: Loops): Grid {
  const invocations = elementCount(shape) / each;
  const invocation = invocationOf(invocations);
  // Neighbours compute neighbours, so that they load and store them together.
  const element = loops.for("part", i32(0), i32(each), (part) => {
    const index = unflatten(add(invocation, multiply(part, i32(invocations))), shape);
    return sink(index, operand(index));
  });
  if (each > 1) return { invocations, body: [element] };
  const index = unflatten(invocation, shape);
  return { invocations, body: sink(index, operand(index)) };
}

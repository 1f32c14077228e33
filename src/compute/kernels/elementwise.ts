/** Element by element; all arithmetic is the caller's. */
import { add, i32, multiply } from "../lang/build.ts";
import { invocationOf } from "../lang/expr.ts";
import type { Statement } from "../lang/kernel.ts";
import { elementCount } from "../layout/shape.ts";
import { unflatten, type Grid, type Index, type Loops } from "./grid.ts";

/** From how many elements on an invocation computes several: half the time on software adapters. */
const FOUR_FROM = 2 ** 14;
const EIGHT_FROM = 2 ** 17;

function elementsEach(count: number): number {
  if (count >= EIGHT_FROM && count % 8 === 0) return 8;
  return count >= FOUR_FROM && count % 4 === 0 ? 4 : 1;
}

/** Does `body` for each index into `shape`; an invocation does `each` of them, a divisor of the count. */
export function elementwise(
  shape: readonly number[],
  body: (index: Index) => readonly Statement[],
  loops: Loops,
  each: number = elementsEach(elementCount(shape)),
): Grid {
  const count = elementCount(shape);
  const invocations = count / each;
  const invocation = invocationOf(invocations);
  if (each === 1) return { invocations, body: body(unflatten(invocation, shape)) };
  // Neighbours compute neighbours, so that they load and store them together.
  const element = loops.for("part", i32(0), i32(each), (part) =>
    body(unflatten(add(invocation, multiply(part, i32(invocations))), shape)),
  );
  return { invocations, body: [element] };
}

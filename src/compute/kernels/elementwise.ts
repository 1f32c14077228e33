/** Element by element; all arithmetic is the caller's. */
import { add, i32, multiply } from "../lang/build.ts";
import { invocationOf } from "../lang/expr.ts";
import type { Statement } from "../lang/kernel.ts";
import { elementCount } from "../layout/shape.ts";
import { unflatten, type Grid, type Index, type Loops } from "./grid.ts";

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

/** Does `body` for each index into `shape`; `each` of them an invocation, a divisor of their count. */
export function elementwise(
  shape: readonly number[],
  each: number,
  body: (index: Index) => readonly Statement[],
  loops: Loops,
): Grid {
  const invocations = elementCount(shape) / each;
  const invocation = invocationOf(invocations);
  if (each === 1) return { invocations, body: body(unflatten(invocation, shape)) };
  // Neighbours compute neighbours, so that they load and store them together.
  const element = loops.for("part", i32(0), i32(each), (part) =>
    body(unflatten(add(invocation, multiply(part, i32(invocations))), shape)),
  );
  return { invocations, body: [element] };
}

/** Element by element; all arithmetic is the caller's. */
import { add, i32, multiply } from "../lang/build.ts";
import { invocationOf } from "../lang/expr.ts";
import type { Statement } from "../lang/kernel.ts";
import { VECTOR } from "../lang/vector-access.ts";
import { elementCount } from "../layout/shape.ts";
import type { DeviceTraits } from "./device-traits.ts";
import { unflatten, type Grid, type Index, type Loops } from "./grid.ts";

/**
 * The elements of an invocation: a divisor of their count. Neighbours are written out, for vector accesses; others are
 * a loop, and as far apart as there are invocations, so that neighbouring invocations compute neighbours.
 */
export interface ElementSchedule {
  readonly each: number;
  readonly areNeighbours: boolean;
}

/** From how many elements on an invocation computes several. */
const FOUR_FROM = 2 ** 14;
const EIGHT_FROM = 2 ** 17;

/** The arithmetic of an element, in additions, from which on it is written once, in a loop, and not four times. */
const COST_LARGE = 64;

/** Worth trying, where there are many elements. */
const EACH = [1, 2, 4, 8, 16];
/** Below this, kernels end before it matters. */
const CHOICE_FROM = 2 ** 12;

/** "4", "4 neighbours": the same in every version. */
export function elementScheduleName({ each, areNeighbours }: ElementSchedule): string {
  return areNeighbours ? `${each} neighbours` : String(each);
}

/**
 * How `count` elements of such a cost may be computed, the default first: mostly as vectors. On software adapters a
 * vector takes half the time of a loop, and a third to compile.
 */
export function elementCandidates(count: number, cost: number, traits: DeviceTraits): readonly ElementSchedule[] {
  // Neighbouring invocations are a vector already.
  if (traits.hasVectorLanes === true) return [{ each: 1, areNeighbours: false }];
  const apart = (each: number): ElementSchedule => ({ each, areNeighbours: false });
  const vectors = count % VECTOR === 0 ? [{ each: VECTOR, areNeighbours: true }] : [];
  const one = [apart(1)];
  if (count < CHOICE_FROM) return one;
  const several = count >= EIGHT_FROM && count % 8 === 0 ? 8 : count >= FOUR_FROM && count % 4 === 0 ? 4 : 1;
  const usual = cost >= COST_LARGE ? [apart(several), ...vectors] : count < FOUR_FROM ? [...one, ...vectors] : vectors;
  const others = EACH.filter((each) => count % each === 0).map(apart);
  const byName = new Map([...usual, ...others].map((schedule) => [elementScheduleName(schedule), schedule]));
  return [...byName.values()];
}

/** Does `body` for each index into `shape`. It may end in stores, of what no other index reads. */
export function elementwise(
  shape: readonly number[],
  { each, areNeighbours }: ElementSchedule,
  body: (index: Index) => readonly Statement[],
  loops: Loops,
): Grid {
  const invocations = elementCount(shape) / each;
  const invocation = invocationOf(invocations);
  if (each === 1) return { invocations, body: body(unflatten(invocation, shape)) };
  if (areNeighbours) {
    const first = multiply(invocation, i32(each));
    const all = Array.from({ length: each }, (_, i) => body(unflatten(add(first, i32(i)), shape))).flat();
    // Side by side, stores are seen to be neighbours.
    const isStore = ({ kind }: Statement): boolean => kind === "store";
    return { invocations, body: [...all.filter((line) => !isStore(line)), ...all.filter(isStore)] };
  }
  const element = loops.for("part", i32(0), i32(each), (part) =>
    body(unflatten(add(invocation, multiply(part, i32(invocations))), shape)),
  );
  return { invocations, body: [element] };
}

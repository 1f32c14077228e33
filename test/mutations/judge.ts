/**
 * What makes two trainings the same, and one of them a success.
 *
 * float32 rounds to 6e-8. A loss here sums some thousand products and is a function of parameters that went through at
 * most ten updates, each of which brings in errors of the same size: some 1e-6 in all, if nothing in the model is
 * chaotic, and measured 1e-6 at most. 1e-4, what is asked of whole training runs against PyTorch, is a hundred times
 * that, and small against what a wrong gradient does: it shows in the second loss.
 */
import { present } from "../../src/base/assert.ts";
import type { Mutation } from "./mutation.ts";
import { STEPS } from "./training.ts";
import type { Course } from "./training.ts";

const RELATIVE = 1e-4;

/** In words where `found` is not `expected`, as far as both went: `steps`, or to the end. */
export function differences(found: Course, expected: Course, steps: number = STEPS): string[] {
  const names = [...new Set([...Object.keys(found), ...Object.keys(expected)])];
  const watched = steps === STEPS ? names : names.filter((name) => expected[name]?.length === STEPS);
  return watched.flatMap((name) => {
    const [ours, theirs] = [found[name] ?? [], (expected[name] ?? []).slice(0, steps)];
    if (ours.length !== theirs.length) return [`${name}: ${ours.length} values for ${theirs.length}`];
    const step = theirs.findIndex(
      (value, i) => !(Math.abs(present(ours[i], name) - value) <= RELATIVE * Math.abs(value)),
    );
    return step < 0 ? [] : [`${name} of step ${step}: ${ours[step]} for ${theirs[step]}`];
  });
}

/** In words what `course` failed to reach. */
export function failures({ goals }: Mutation, course: Course): string[] {
  return Object.entries(goals).flatMap(([name, part]) => {
    const series = course[name] ?? [];
    const [first = Number.NaN, last = Number.NaN] = [series[0], series[STEPS - 1]];
    if (part > 1 ? last >= part * first : last <= part * first) return [];
    return [`${name}: expected ${part} times the first value ${first}, found ${last}`];
  });
}

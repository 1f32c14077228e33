/** Whether two runs learned the same thing: their losses, step by step. */
import type { RunLine } from "../../src/network/wire/run-line.ts";

export interface LossComparison {
  /** Steps that both have. */
  readonly steps: number;
  /** The largest of |a - b| / |b| over them. NaN where a loss is none. */
  readonly relativeMax: number;
  /** Where that is; 0 when there is nothing to compare. */
  readonly atStep: number;
  /** Steps that only one of the two has. */
  readonly unmatched: readonly number[];
}

/** The loss of each step; the last line of a step wins, since a rollback does steps again. */
export function lossesOf(lines: readonly RunLine[]): Map<number, number> {
  const losses = new Map<number, number>();
  for (const line of lines) if (line.type === "step") losses.set(line.step, line.loss);
  return losses;
}

/** Largest relative difference of the losses in `linesA` from those in `linesB`. */
export function compareLosses(linesA: readonly RunLine[], linesB: readonly RunLine[]): LossComparison {
  const a = lossesOf(linesA);
  const b = lossesOf(linesB);
  let relativeMax = 0;
  let atStep = 0;
  let steps = 0;
  for (const [step, loss] of a) {
    const other = b.get(step);
    if (other === undefined) continue;
    steps += 1;
    const relative = loss === other ? 0 : Math.abs(loss - other) / Math.abs(other);
    // Not `relative > relativeMax`: a NaN must win, and stay.
    if (!(relative <= relativeMax) && !Number.isNaN(relativeMax)) [relativeMax, atStep] = [relative, step];
  }
  const unmatched = [...new Set([...a.keys(), ...b.keys()])].filter((step) => a.has(step) !== b.has(step));
  return { steps, relativeMax, atStep, unmatched: unmatched.sort((x, y) => x - y) };
}

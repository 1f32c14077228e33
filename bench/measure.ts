/** Taking time: a warm-up, then the median of a few. */
import { systemClock } from "../src/base/clock.ts";

export const SAMPLES = 5;

/** A sample of several steps takes about so long: a wait for the device then counts for little, and a case for seconds. */
const SAMPLE_MS = 250;
const STEPS_MAX = 500;
/** All samples of one library, where a step takes seconds. */
const TOTAL_MS_MAX = 15_000;

/** Milliseconds that `work` takes: the median of 5 after one run that does not count. */
export async function medianMs(work: () => Promise<unknown>): Promise<number> {
  await work();
  const samples: number[] = [];
  for (let i = 0; i < SAMPLES; i++) samples.push(await elapsedMs(work));
  return median(samples);
}

export async function elapsedMs(work: () => Promise<unknown>): Promise<number> {
  const startMs = systemClock.nowMs();
  await work();
  return systemClock.nowMs() - startMs;
}

/** NaN of none. */
export function median(samples: readonly number[]): number {
  return [...samples].sort((a, b) => a - b)[samples.length >> 1] ?? Number.NaN;
}

/** Steps of one sample, submitted in a row before one wait, where a step takes `stepMs`. */
export function planSteps(stepMs: number): number {
  return Math.min(STEPS_MAX, Math.max(1, Math.round(SAMPLE_MS / Math.max(stepMs, 1e-3))));
}

/** Whether these samples, of so many milliseconds each, do: five, or fewer where one more would take too long. */
export function areEnough(samplesMs: readonly number[]): boolean {
  const spentMs = samplesMs.reduce((sum, ms) => sum + ms, 0);
  const nextMs = spentMs / samplesMs.length;
  return samplesMs.length >= SAMPLES || spentMs + nextMs > TOTAL_MS_MAX;
}

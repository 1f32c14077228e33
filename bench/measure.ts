/** Taking time: a warm-up, then the median of a few. */
import { systemClock } from "../src/base/clock.ts";

const SAMPLES = 5;

/** Milliseconds that `work` takes: the median of 5 after one run that does not count. */
export async function medianMs(work: () => Promise<unknown>): Promise<number> {
  await work();
  const samples: number[] = [];
  for (let i = 0; i < SAMPLES; i++) {
    const startMs = systemClock.nowMs();
    await work();
    samples.push(systemClock.nowMs() - startMs);
  }
  return samples.sort((a, b) => a - b)[SAMPLES >> 1] ?? Number.NaN;
}

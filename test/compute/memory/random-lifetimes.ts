/** Lifetimes as programs have them, and lifetimes without any order. Seeded. */
import { Random } from "../../../src/base/random.ts";
import type { Lifetime } from "../../../src/compute/memory/placement.ts";

const SIZE_BYTES_MIN = 256;
const SIZE_BYTES_MAX = 4 * 2 ** 20;

/** Log-uniform, in granules. */
function randomBytes(random: Random): number {
  const bytes = SIZE_BYTES_MIN * (SIZE_BYTES_MAX / SIZE_BYTES_MIN) ** random.uniform();
  return Math.ceil(bytes / SIZE_BYTES_MIN) * SIZE_BYTES_MIN;
}

/** Intervals of any length anywhere. */
export function randomIntervals(seed: number): Lifetime[] {
  const random = new Random("intervals", seed);
  const steps = 5 + random.below(100);
  return Array.from({ length: 5 + random.below(195) }, () => {
    const [a, b] = [random.below(steps), random.below(steps)];
    return { bytes: randomBytes(random), first: Math.min(a, b), last: Math.max(a, b) };
  });
}

/**
 * A chain of kernels forward, some of whose results are read again further on (skips), by the gradient or not at all
 * after the next one; then backward, where each step reads the gradient that comes and what was kept, and some make a
 * parameter's gradient that is read at the end, or at once.
 */
export function randomTraining(seed: number): Lifetime[] {
  const random = new Random("training", seed);
  const layers = 4 + random.below(80);
  const steps = 2 * layers + 1;
  const lifetimes: Lifetime[] = [];
  const widthBytes = Array.from({ length: 1 + random.below(8) }, () => randomBytes(random));
  const anyWidth = (): number => widthBytes[random.below(widthBytes.length)] ?? SIZE_BYTES_MIN;
  const keptShare = random.uniform();
  for (let layer = 0; layer < layers; layer++) {
    const bytes = random.uniform() < 0.7 ? anyWidth() : randomBytes(random);
    const backwardStep = steps - 1 - layer;
    let last = Math.min(layers, layer + 1);
    if (random.uniform() < 0.2) last = Math.min(layers, layer + 1 + random.below(8));
    if (random.uniform() < keptShare) last = backwardStep;
    lifetimes.push({ bytes, first: layer, last });
    if (random.uniform() < 0.3) lifetimes.push({ bytes: randomBytes(random), first: layer, last: layer });
    lifetimes.push({ bytes, first: backwardStep - 1, last: backwardStep });
    if (random.uniform() < 0.5) {
      const isReadAtOnce = random.uniform() < 0.5;
      const readStep = isReadAtOnce ? Math.min(steps, backwardStep + 1) : steps;
      lifetimes.push({ bytes: randomBytes(random), first: backwardStep, last: readStep });
    }
  }
  return lifetimes;
}

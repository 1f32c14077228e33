/** Bytes sent, by what they were sent for: payload and header. What `getStats()` of the browser has to confirm. */
import type { ByteCategory, ByteCounts } from "./wire/run-line.ts";

const NONE: ByteCounts = { gradients: 0, parameters: 0, optimizerReplica: 0, checkpoint: 0, join: 0, control: 0 };

/** In the order of their numbers on the wire. */
export const BYTE_CATEGORIES: readonly ByteCategory[] = Object.keys(NONE) as ByteCategory[];

export class ByteLedger {
  readonly #counts: Record<ByteCategory, number> = { ...NONE };

  add(category: ByteCategory, bytes: number): void {
    this.#counts[category] += bytes;
  }

  /** A copy of the counts since the beginning. */
  counts(): ByteCounts {
    return { ...this.#counts };
  }
}

/** What was counted since an earlier look. */
export function bytesSince(now: ByteCounts, before: ByteCounts): ByteCounts {
  const difference = { ...NONE } as Record<ByteCategory, number>;
  for (const category of BYTE_CATEGORIES) difference[category] = now[category] - before[category];
  return difference;
}

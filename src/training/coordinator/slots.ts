/** Sharing a step's slots among members by measured speed. What is computed never depends on it, only who computes. */
import { assert } from "../../base/assert.ts";

/** A new sharing must promise this much less time than the old one to replace it: shares must not flap with the noise. */
const GAIN_MIN = 1.15;
/** Speeds are noisy: a member is left without slots only when it is this much slower than the fastest. */
export const SPEED_SHARE_MIN: number = 1 / 8;

/**
 * Slots by rank. `speeds` are slots per second (at least 1e-3), 0 for a member that computes nothing (a listener). `previous` is kept
 * unless another sharing is clearly faster.
 */
export function shareSlots(
  slots: number,
  speeds: readonly number[],
  previous: readonly (readonly number[])[] | null,
): number[][] {
  assert(
    speeds.some((speed) => speed > 0),
    "shareSlots: no member computes",
  );
  const counts = quickest(slots, speeds);
  if (previous && previous.length === speeds.length) {
    const old = previous.map((list) => list.length);
    const fits = old.every((count, rank) => count === 0 || (speeds[rank] ?? 0) > 0);
    const total = old.reduce((sum, count) => sum + count, 0);
    if (fits && total === slots && makespan(old, speeds) <= GAIN_MIN * makespan(counts, speeds)) {
      return previous.map((list) => [...list]);
    }
  }
  return inBlocks(counts);
}

/**
 * Each share in powers of two, the largest of all shares first: so each is a block of the tree in which gradients are added
 * up (`parallel/data/slot-tree.ts`), and a member sends as many sums as its share has ones in binary.
 */
function inBlocks(counts: readonly number[]): number[][] {
  const shares: number[][] = counts.map(() => []);
  const most = Math.max(...counts);
  let next = 0;
  for (let size = 2 ** Math.floor(Math.log2(most)); size >= 1; size /= 2) {
    for (const [rank, count] of counts.entries()) {
      if (Math.floor(count / size) % 2 === 0) continue;
      for (let at = 0; at < size; at++) shares[rank]?.push(next++);
    }
  }
  return shares;
}

/**
 * Everybody who is not far slower than the fastest gets one slot, where there are enough; then each slot in turn goes to
 * whoever would finish it first, which is optimal for equal slots. Ties go to the lowest rank.
 */
function quickest(slots: number, speeds: readonly number[]): number[] {
  const slowest = Math.max(...speeds) * SPEED_SHARE_MIN;
  const steady = speeds.filter((speed) => speed > 0 && speed >= slowest).length;
  const counts: number[] = speeds.map((speed) => (steady <= slots && speed > 0 && speed >= slowest ? 1 : 0));
  for (let slot = counts.reduce((sum, count) => sum + count, 0); slot < slots; slot++) {
    let best = -1;
    let bestEnd = Number.POSITIVE_INFINITY;
    speeds.forEach((speed, rank) => {
      const end = ((counts[rank] ?? 0) + 1) / speed;
      if (speed > 0 && end < bestEnd * (1 - 1e-9)) {
        best = rank;
        bestEnd = end;
      }
    });
    counts[best] = (counts[best] ?? 0) + 1;
  }
  return counts;
}

function makespan(counts: readonly number[], speeds: readonly number[]): number {
  return Math.max(...counts.map((count, rank) => (count === 0 ? 0 : count / (speeds[rank] ?? 0))));
}

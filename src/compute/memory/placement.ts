/**
 * Which values can share memory: pure bookkeeping over lifetimes, no GPU in sight.
 *
 * The larger values choose first, and each takes the tightest slot that is free while it lives (Pisarchyk and Lee,
 * "Efficient Memory Management for Deep Neural Net Inference", 2020, section 4: greedy by size).
 */

/** A value's memory is its own from step `first` to step `last`, both included. */
export interface Lifetime {
  readonly bytes: number;
  readonly first: number;
  readonly last: number;
}

export interface Placement {
  /** For each value, its slot. */
  readonly slots: readonly number[];
  /** For each slot, the size of the largest value in it. */
  readonly slotBytes: readonly number[];
}

/** Slots such that values that live at the same time have different ones. Quadratic in the values. */
export function planPlacement(lifetimes: readonly Lifetime[]): Placement {
  const slots = new Array<number>(lifetimes.length).fill(0);
  const slotBytes: number[] = [];
  const occupants: Lifetime[][] = [];
  const bySize = lifetimes.map((lifetime, value) => ({ lifetime, value }));
  bySize.sort((a, b) => b.lifetime.bytes - a.lifetime.bytes || a.lifetime.first - b.lifetime.first);
  for (const { lifetime, value } of bySize) {
    // Slots were made from the largest value down, so the last one that is free is the tightest.
    let slot = occupants.findLastIndex((others) => !others.some((other) => overlap(other, lifetime)));
    if (slot < 0) {
      slot = slotBytes.push(lifetime.bytes) - 1;
      occupants.push([]);
    }
    occupants[slot]?.push(lifetime);
    slots[value] = slot;
  }
  return { slots, slotBytes };
}

function overlap(a: Lifetime, b: Lifetime): boolean {
  return a.first <= b.last && b.first <= a.last;
}

/**
 * Unequal shares for unequal links. In a direct all-reduce of V bytes a rank that reduces a share s sends
 * V (1 + (n - 2) s), and receives as much; with a bandwidth b it takes V (1 + (n - 2) s) / b.
 */
import { assert } from "../../../base/assert.ts";

/** Who reduces how much, and how long it takes. */
export interface LinkShares {
  /** Parts of 1, by rank. */
  readonly shares: readonly number[];
  /** For each byte of the buffer. */
  readonly msPerByte: number;
}

/**
 * The shares that end first: T = max(V / min b, 2 (n-1) V / sum b), s_i = (T b_i / V - 1) / (n - 2).
 *
 * Where the slowest link alone decides T, the others have time to spare, and what they could do beyond 1 is left out
 * in proportion. With two ranks both send V, whatever the shares.
 * @param bytesPerMs bandwidth of each rank, both ways
 */
export function linkShares(bytesPerMs: readonly number[]): LinkShares {
  const size = bytesPerMs.length;
  assert(size >= 1 && bytesPerMs.every((one) => one > 0), "linkShares: expected bandwidths above 0");
  const slowest = Math.min(...bytesPerMs);
  const sum = bytesPerMs.reduce((total, one) => total + one, 0);
  if (size <= 2) return { shares: bytesPerMs.map(() => 1 / size), msPerByte: size === 1 ? 0 : 1 / slowest };
  const msPerByte = Math.max(1 / slowest, (2 * (size - 1)) / sum);
  const able = bytesPerMs.map((one) => Math.max(0, (msPerByte * one - 1) / (size - 2)));
  const whole = able.reduce((total, one) => total + one, 0);
  return { shares: able.map((one) => one / whole), msPerByte };
}

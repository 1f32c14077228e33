/** When a computed tensor counts as the expected one. */
import type { HostArray } from "../../src/compute/runtime/runtime.ts";
import type { HostValues } from "../../src/compute/tensor/host-values.ts";

/** A tensor as it was read back. */
export interface Found {
  readonly shape: readonly number[];
  readonly data: HostArray;
}

export interface Tolerance {
  readonly rtol: number;
  readonly atol: number;
}

/** Null when every element has |found - expected| <= atol + rtol |expected|, else what differs, in words. */
export function difference(name: string, found: Found, expected: HostValues, tolerance: Tolerance): string | null {
  const { data } = expected;
  // The first fixtures store scalars as [1].
  const isScalar = found.data.length === 1 && expected.shape.join() === "1";
  if (!isScalar && found.shape.join() !== expected.shape.join()) {
    return `${name}: shape [${found.shape.join(", ")}] for [${expected.shape.join(", ")}]`;
  }
  const wrong: number[] = [];
  for (const [at, value] of data.entries()) {
    const off = Math.abs((found.data[at] ?? Number.NaN) - value);
    // Not `off > ...`: NaN is wrong too. Equal infinities are right, and their difference is NaN.
    const isRight = off <= tolerance.atol + tolerance.rtol * Math.abs(value) || Object.is(found.data[at], value);
    if (!isRight) wrong.push(at);
  }
  const [first] = wrong;
  if (first === undefined) return null;
  return `${name}[${first}]: ${found.data[first]} for ${data[first]} (${wrong.length} of ${data.length} elements)`;
}

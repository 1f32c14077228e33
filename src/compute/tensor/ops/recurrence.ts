import { sizeOf } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import { shift } from "./shift.ts";

/**
 * s[k] = b[k] + a[k] * s[k + 1] along `axis`, with s = 0 after the end. Shape of a, b and s: the same.
 *
 * In log2(n) steps, each of which joins twice as many terms (Hillis and Steele, "Data parallel algorithms", 1986), and
 * without a division: exact where some a are 0, and differentiable any number of times.
 */
export function reverseRecurrence(a: Tensor, b: Tensor, axis: number): Tensor {
  const size = sizeOf(b.shape, axis);
  let [factor, sum] = [a, b];
  for (let by = 1; by < size; by *= 2) {
    sum = sum.add(factor.mul(shift(sum, axis, -by, 0)));
    if (2 * by < size) factor = factor.mul(shift(factor, axis, -by, 0));
  }
  return sum;
}

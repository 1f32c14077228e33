import type { Tensor } from "../tensor.ts";

/** Kronecker's product: each element of `a` times all of `b`, in blocks; the shorter shape gets leading axes of size 1. */
export function kron(a: Tensor, b: Tensor): Tensor {
  const rank = Math.max(a.shape.length, b.shape.length);
  const padded = (shape: readonly number[]): number[] => [...Array.from({ length: rank - shape.length }, () => 1), ...shape]; // prettier-ignore
  const [left, right] = [padded(a.shape), padded(b.shape)];
  const blocks = a.reshape(left.flatMap((size) => [size, 1])).mul(b.reshape(right.flatMap((size) => [1, size])));
  return blocks.reshape(left.map((size, axis) => size * (right[axis] ?? 1)));
}

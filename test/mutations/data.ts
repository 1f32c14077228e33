/** Batches: seeded, so that every device and every run sees the same. */
import { Random } from "../../src/index.ts";
import type { HostValues, Shape } from "../../src/index.ts";

/** Values that `next` draws or computes, row by row. */
export function values(shape: Shape, next: (index: number) => number): HostValues {
  const count = shape.reduce((product, size) => product * size, 1);
  return { shape, data: Float32Array.from({ length: count }, (_, index) => next(index)) };
}

/** Standard normal numbers. */
export function normals(seed: number, shape: Shape): HostValues {
  const random = new Random(seed);
  return values(shape, () => random.normal());
}

/** Whole numbers from 0 to `count` - 1. */
export function integers(seed: number, shape: Shape, count: number): HostValues {
  const random = new Random(seed);
  return { shape, data: Int32Array.from(values(shape, () => random.below(count)).data) };
}

/** Whole numbers that are given. */
export function indices(list: readonly number[]): HostValues {
  return { shape: [list.length], data: Int32Array.from(list) };
}

export interface TextOptions {
  readonly batch?: number;
  readonly time?: number;
  readonly vocabulary?: number;
}

/** Random text x [batch, time], and y, which is x one token later. */
export function text(
  seed: number,
  { batch = 4, time = 8, vocabulary = 11 }: TextOptions = {},
): { x: HostValues; y: HostValues } {
  const { data } = integers(seed, [batch, time + 1], vocabulary);
  const from = (first: number): HostValues => ({
    shape: [batch, time],
    data: Int32Array.from(
      { length: batch * time },
      (_, i) => data[Math.floor(i / time) * (time + 1) + (i % time) + first] ?? 0,
    ),
  });
  return { x: from(0), y: from(1) };
}

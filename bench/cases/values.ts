/** Values of the problems: a function of their labels alone, and quickly made. */
import { Random } from "../../src/base/random.ts";
import type { HostIndices, HostTensor } from "./problem.ts";

/** Uniform with variance `scale` squared. */
export function values(shape: readonly number[], scale: number, ...labels: readonly (string | number)[]): HostTensor {
  const words = wordsOf(shape, labels);
  const range = scale * Math.sqrt(3);
  // The upper bits: the lower ones of this generator are poor.
  return { shape, data: Float32Array.from(words, (word) => ((word >>> 8) / 0x800000 - 1) * range) };
}

/** Whole numbers in [0, bound). */
export function indices(shape: readonly number[], bound: number, ...labels: readonly (string | number)[]): HostIndices {
  return { shape, data: Int32Array.from(wordsOf(shape, labels), (word) => Math.floor((word / 0x100000000) * bound)) };
}

function wordsOf(shape: readonly number[], labels: readonly (string | number)[]): Uint32Array {
  const words = new Uint32Array(shape.reduce((product, size) => product * size, 1));
  let word = new Random("bench", ...labels).uint32();
  for (let i = 0; i < words.length; i++) words[i] = word = (Math.imul(word, 1_664_525) + 1_013_904_223) >>> 0;
  return words;
}

/** [rows, columns] -> [columns, rows]. */
export function transposed({ shape, data }: HostTensor): HostTensor {
  return permuted({ shape, data }, [1, 0]);
}

/** The tensor whose axis i is the axis `order[i]` of this one. */
export function permuted({ shape, data }: HostTensor, order: readonly number[]): HostTensor {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));
  const sizes = order.map((axis) => shape[axis] ?? 1);
  const steps = order.map((axis) => strides[axis] ?? 0);
  const out = new Float32Array(data.length);
  const place = sizes.map(() => 0);
  let from = 0;
  for (let to = 0; to < out.length; to++) {
    out[to] = data[from] ?? 0;
    // The last axis counts fastest; one that is full starts again and carries on to the one before.
    for (let axis = sizes.length - 1; axis >= 0; axis--) {
      const [size = 1, step = 0, at = 0] = [sizes[axis], steps[axis], place[axis]];
      from += step;
      place[axis] = at + 1;
      if (at + 1 < size) break;
      from -= step * size;
      place[axis] = 0;
    }
  }
  return { shape: sizes, data: out };
}

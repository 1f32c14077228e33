/** Arrays in plain float64 for oracles: shapes, indices, broadcasting, and nothing of ours but the types. */
import type { Shape } from "../../../../src/compute/compiler/ir.ts";

/** Row-major values. Booleans are 0 and 1. */
export interface NdArray {
  readonly shape: Shape;
  readonly data: Float64Array;
}

type Index = readonly number[];

/** An array whose element at each index is `value(index, place)`. */
export function ndArray(shape: Shape, value: (index: Index, place: number) => number): NdArray {
  const data = new Float64Array(shape.reduce((count, size) => count * size, 1));
  const index = shape.map(() => 0);
  for (let place = 0; place < data.length; place++) {
    data[place] = value([...index], place);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis] = (index[axis] ?? 0) + 1;
      if (index[axis] !== shape[axis]) break;
      index[axis] = 0;
    }
  }
  return { shape: [...shape], data };
}

/** The element at `index`; NaN outside. */
export function at({ shape, data }: NdArray, index: Index): number {
  if (index.length !== shape.length) return Number.NaN;
  let place = 0;
  for (const [axis, size] of shape.entries()) {
    const i = index[axis] ?? -1;
    if (i < 0 || i >= size) return Number.NaN;
    place = place * size + i;
  }
  return data[place] ?? Number.NaN;
}

/** The shape that all broadcast to, by NumPy's rules; sizes are trusted to fit. */
export function broadcastShape(...shapes: Shape[]): number[] {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) => {
    const sizes = shapes.map((shape) => shape[axis - rank + shape.length] ?? 1);
    return sizes.find((size) => size !== 1) ?? 1;
  });
}

/** The element of `x` that broadcasting puts at `index` of a larger shape. */
export function broadcastAt(x: NdArray, index: Index): number {
  const own = index.slice(index.length - x.shape.length);
  return at(x, own.map((i, axis) => (x.shape[axis] === 1 ? 0 : i))); // prettier-ignore
}

/** fn of the elements of all `arrays`, which broadcast. */
export function mapArrays(fn: (...values: number[]) => number, ...arrays: NdArray[]): NdArray {
  return ndArray(broadcastShape(...arrays.map(({ shape }) => shape)), (index) =>
    fn(...arrays.map((array) => broadcastAt(array, index))),
  );
}

/** fn of the values along `axes`, which keep size 1 or go. */
export function reduceArray(
  x: NdArray,
  axes: readonly number[],
  keepDim: boolean,
  fn: (values: number[]) => number,
): NdArray {
  const rank = x.shape.length;
  const over = new Set(axes.map((axis) => (axis < 0 ? axis + rank : axis)));
  const kept = x.shape.map((size, axis) => (over.has(axis) ? 1 : size));
  const groups = new Map<string, number[]>();
  ndArray(x.shape, (index, place) => {
    const key = index.map((i, axis) => (over.has(axis) ? 0 : i)).join();
    const group = groups.get(key) ?? [];
    groups.set(key, group);
    return group.push(x.data[place] ?? Number.NaN);
  });
  const out = ndArray(kept, (index) => fn(groups.get(index.join()) ?? []));
  return keepDim ? out : { shape: x.shape.filter((_, axis) => !over.has(axis)), data: out.data };
}

import { OptionError, ShapeError } from "../../../base/errors.ts";
import { slice as sliceNode } from "../../compiler/graph.ts";
import { defineOp } from "../op.ts";
import { formatShape } from "../../layout/shape.ts";
import { normalizeAxes, normalizeAxis, sizeOf } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import { padWith } from "./pad.ts";
import type { Axes } from "./sum.ts";

interface Ranges {
  readonly starts: readonly number[];
  readonly sizes: readonly number[];
  readonly steps: readonly number[];
}

/** dL/dx = 0 with g at start + i * step: a padding, of g reversed where a step is negative. */
const op = defineOp<[Tensor], Ranges>({
  name: "slice",
  forward: ([x], { starts, sizes, steps }) => sliceNode(x, starts, sizes, steps),
  backward: ({ grad, inputs: [x], options: { starts, sizes, steps } }) => {
    const reversed = steps.flatMap((step, axis) => (step < 0 ? [axis] : []));
    const size = (axis: number): number => sizeOf(sizes, axis);
    const low = starts.map((start, axis) => Math.min(start, start + (size(axis) - 1) * sizeOf(steps, axis)));
    const interior = steps.map((step) => Math.abs(step) - 1);
    const high = x.shape.map(
      (all, axis) => all - sizeOf(low, axis) - (size(axis) - 1) * (sizeOf(interior, axis) + 1) - 1,
    );
    return [padWith(flip(grad, reversed), { low, high, interior, value: 0 })];
  },
});

/** [start, stop, step] of an axis: Python's x[start:stop:step]; null for the end, negative counts from there. */
export type Range = readonly [start: number | null, stop: number | null, step?: number];

/** The part of `x` in `ranges`, one for each axis from the first; axes without one are whole. @throws OptionError, ShapeError */
export function slice(x: Tensor, ranges: readonly (Range | null)[]): Tensor {
  if (ranges.length > x.shape.length) {
    throw new ShapeError(`slice: expected at most ${x.shape.length} ranges, found ${ranges.length}`);
  }
  const starts: number[] = [];
  const sizes: number[] = [];
  const steps: number[] = [];
  x.shape.forEach((size, axis) => {
    const [start, stop, step = 1] = ranges[axis] ?? [null, null];
    if (!Number.isInteger(step) || step < 1) {
      throw new OptionError(`slice: expected a step of at least 1, found ${step}; reverse with flip`);
    }
    const from = clip(start ?? 0, size);
    const to = clip(stop ?? size, size);
    if (to <= from) {
      throw new ShapeError(`slice: expected a part that is not empty, found ${from} to ${to} of axis ${axis}`);
    }
    starts.push(from);
    sizes.push(Math.ceil((to - from) / step));
    steps.push(step);
  });
  if (sizes.every((size, axis) => size === x.shape[axis])) return x;
  return op([x], { starts, sizes, steps });
}

function clip(position: number, size: number): number {
  return Math.min(Math.max(position < 0 ? position + size : position, 0), size);
}

/** `length` elements of `axis` from `start`. @throws ShapeError */
export function narrow(x: Tensor, axis: number, start: number, length: number): Tensor {
  const at = normalizeAxis("narrow", axis, x.shape.length);
  const size = sizeOf(x.shape, at);
  if (start < 0 || length < 1 || start + length > size) {
    throw new ShapeError(
      `narrow: expected a part of the ${size} elements of axis ${at}, found ${length} from ${start}`,
    );
  }
  return slice(x, x.shape.map((_, i) => (i === at ? [start, start + length] : null))); // prettier-ignore
}

/** Element `index` of `axis`, which goes away. */
export function select(x: Tensor, axis: number, index: number): Tensor {
  const at = normalizeAxis("select", axis, x.shape.length);
  const from = index < 0 ? index + sizeOf(x.shape, at) : index;
  return narrow(x, at, from, 1).squeeze(at);
}

/** `x` in reverse order along `axes`. */
export function flip(x: Tensor, axes: Axes): Tensor {
  const list = normalizeAxes("flip", axes, x.shape.length);
  if (list.length === 0) return x;
  const reversed = x.shape.map((_, axis) => list.includes(axis));
  return op([x], {
    starts: x.shape.map((size, axis) => (reversed[axis] === true ? size - 1 : 0)),
    sizes: x.shape,
    steps: reversed.map((is) => (is ? -1 : 1)),
  });
}

/** Parts of `axis` of `size` each (the last may be smaller), or of the given sizes. @throws ShapeError */
export function split(x: Tensor, size: number | readonly number[], axis = 0): Tensor[] {
  const at = normalizeAxis("split", axis, x.shape.length);
  const all = sizeOf(x.shape, at);
  const sizes = typeof size === "number" ? evenParts(all, size) : size;
  if (sizes.reduce((sum, part) => sum + part, 0) !== all) {
    throw new ShapeError(`split: expected parts that make ${all}, found ${formatShape(sizes)}`);
  }
  let start = 0;
  return sizes.map((part) => {
    start += part;
    return narrow(x, at, start - part, part);
  });
}

function evenParts(all: number, size: number): number[] {
  if (!Number.isInteger(size) || size < 1) {
    throw new OptionError(`split: expected a size of at least 1, found ${size}`);
  }
  return Array.from({ length: Math.ceil(all / size) }, (_, part) => Math.min(size, all - part * size));
}

/** At most `count` parts of `axis` of equal size (the last may be smaller). */
export function chunk(x: Tensor, count: number, axis = 0): Tensor[] {
  if (!Number.isInteger(count) || count < 1) {
    throw new OptionError(`chunk: expected a count of at least 1, found ${count}`);
  }
  const at = normalizeAxis("chunk", axis, x.shape.length);
  return split(x, Math.ceil(sizeOf(x.shape, at) / count), at);
}

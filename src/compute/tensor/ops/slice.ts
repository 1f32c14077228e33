import { OptionError, ShapeError } from "../../../base/errors.ts";
import { slice as sliceNode } from "../../compiler/graph.ts";
import type { Shape } from "../../compiler/ir.ts";
import { defineOp } from "../op.ts";
import { normalizeIndex } from "../index-range.ts";
import { filled } from "../operands.ts";
import { normalizeAxes, normalizeAxis, sizeOf } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import { padWith } from "./pad.ts";
import type { Axes } from "./sum.ts";

/** Elements start, start + step, .. of each axis. */
export interface Ranges {
  readonly starts: readonly number[];
  readonly sizes: readonly number[];
  readonly steps: readonly number[];
}

/** dL/dx = 0 with g at start + i * step: a padding, of g reversed where a step is negative. */
const op = defineOp<[Tensor], Ranges>({
  name: "slice",
  forward: ([x], { starts, sizes, steps }) => sliceNode(x, starts, sizes, steps),
  backward: ({ grad, inputs: [x], options: { starts, sizes, steps } }) => {
    if (grad.size === 0) return [filled(x.shape, 0, x.dtype)];
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

/** [start, stop, step] of an axis: Python's x[start:stop:step]; null for either end, negative places count from the end. */
export type Range = readonly [start: number | null, stop: number | null, step?: number];

/**
 * The part of `x` in `ranges`, one for each axis from the first; axes without one are whole. Steps may be negative, and
 * places outside are clipped, both as Python's. @throws OptionError, ShapeError
 */
export function slice(x: Tensor, ranges: readonly (Range | null)[]): Tensor {
  if (ranges.length > x.shape.length) {
    throw new ShapeError(`slice: expected at most ${x.shape.length} ranges, found ${ranges.length}`);
  }
  const { starts, sizes, steps } = placesOfRanges(x.shape, ranges);
  if (sizes.every((size, axis) => size === x.shape[axis] && sizeOf(steps, axis) > 0)) return x;
  if (sizes.includes(0)) return op([x], { starts: sizes.map(() => 0), sizes, steps: sizes.map(() => 1) });
  return op([x], { starts, sizes, steps });
}

/** Where the elements of `ranges` lie in `shape`. @throws OptionError */
export function placesOfRanges(shape: Shape, ranges: readonly (Range | null)[]): Ranges {
  const parts = shape.map((size, axis) => partOf(size, ranges[axis] ?? [null, null]));
  return {
    starts: parts.map((part) => part.start),
    sizes: parts.map((part) => part.size),
    steps: parts.map((part) => part.step),
  };
}

/** Which elements a range of Python's takes of an axis: start, start + step, ... */
function partOf(axisSize: number, [start, stop, step = 1]: Range): { start: number; size: number; step: number } {
  for (const place of [start ?? 0, stop ?? 0, step]) {
    if (!Number.isInteger(place)) throw new OptionError(`slice: expected whole numbers or null, found ${place}`);
  }
  if (step === 0) throw new OptionError("slice: expected a step that is not 0, found 0");
  const [first, last] = step > 0 ? [0, axisSize] : [-1, axisSize - 1];
  const clip = (place: number): number => Math.min(Math.max(place < 0 ? place + axisSize : place, first), last);
  const from = start === null ? (step > 0 ? first : last) : clip(start);
  const to = stop === null ? (step > 0 ? last : first) : clip(stop);
  return { start: from, size: Math.max(0, Math.ceil((to - from) / step)), step };
}

/** `length` elements of `axis` from `start`, which counts from the end if it is negative. @throws ShapeError */
export function narrow(x: Tensor, axis: number, start: number, length: number): Tensor {
  const at = normalizeAxis("narrow", axis, x.shape.length);
  const size = sizeOf(x.shape, at);
  const from = start < 0 ? start + size : start;
  if (!(from >= 0 && length >= 0 && from + length <= size)) {
    throw new ShapeError(
      `narrow: expected a part of the ${size} elements of axis ${at}, found ${length} from ${start}`,
    );
  }
  return slice(x, x.shape.map((_, i) => (i === at ? [from, from + length] : null))); // prettier-ignore
}

/** Element `index` of `axis`, which goes away. @throws OptionError */
export function select(x: Tensor, axis: number, index: number): Tensor {
  const at = normalizeAxis("select", axis, x.shape.length);
  const from = normalizeIndex("select", index, sizeOf(x.shape, at));
  return narrow(x, at, from, 1).squeeze(at);
}

/** `x` in reverse order along `axes`. */
export function flip(x: Tensor, axes: Axes): Tensor {
  const list = normalizeAxes("flip", axes, x.shape.length);
  if (list.length === 0 || x.size === 0) return x;
  const reversed = x.shape.map((_, axis) => list.includes(axis));
  return op([x], {
    starts: x.shape.map((size, axis) => (reversed[axis] === true ? size - 1 : 0)),
    sizes: x.shape,
    steps: reversed.map((is) => (is ? -1 : 1)),
  });
}

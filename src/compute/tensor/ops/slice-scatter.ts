/** A tensor with a part of it replaced: what assignment to a slice would give. Gradients flow to both, each where it is seen. */
import { ShapeError } from "../../../base/errors.ts";
import { formatShape, sameShape } from "../../layout/shape.ts";
import { normalizeIndex } from "../index-range.ts";
import { filled } from "../operands.ts";
import { normalizeAxis, sizeOf, withoutAxes } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import { castTo } from "./cast.ts";
import { diagonalLength, embedded, planeLast } from "./diagonal.ts";
import type { DiagonalOptions } from "./diagonal.ts";
import { padWith } from "./pad.ts";
import { movedim } from "./permute.ts";
import { placesOfRanges } from "./slice.ts";
import type { Range } from "./slice.ts";
import { where } from "./where.ts";

/** `x` with `source`, in the shape of x.slice(ranges), in its place or added to it. */
export function putRanges(x: Tensor, ranges: readonly (Range | null)[], source: Tensor, accumulate = false): Tensor {
  const { starts, sizes, steps } = placesOfRanges(x.shape, ranges);
  checkSource("sliceScatter", source, sizes);
  if (sizes.includes(0)) return x;
  const reversed = steps.flatMap((step, axis) => (step < 0 ? [axis] : []));
  const last = sizes.map((size, axis) => sizeOf(starts, axis) + (size - 1) * sizeOf(steps, axis));
  const low = starts.map((start, axis) => Math.min(start, sizeOf(last, axis)));
  const high = starts.map((start, axis) => sizeOf(x.shape, axis) - 1 - Math.max(start, sizeOf(last, axis)));
  const around = { low, high, interior: steps.map((step) => Math.abs(step) - 1), value: 0 };
  const placed = padWith(castTo(source, x.dtype).flip(reversed), around);
  if (accumulate) return x.add(placed);
  return where(padWith(filled(sizes, 1, "bool"), around), placed, x);
}

function checkSource(operation: string, source: Tensor, shape: readonly number[]): void {
  if (!sameShape(source.shape, shape)) {
    throw new ShapeError(`${operation}: expected a source ${formatShape(shape)}, found ${formatShape(source.shape)}`);
  }
}

/** `x` with `source` in place of the elements start, start + step, .. before `end` of `axis`. @throws ShapeError, OptionError */
export function sliceScatter(
  x: Tensor,
  source: Tensor,
  axis = 0,
  start: number | null = null,
  end: number | null = null,
  step = 1,
): Tensor {
  const at = normalizeAxis("sliceScatter", axis, x.shape.length);
  return putRanges(x, x.shape.map((_, i) => (i === at ? [start, end, step] : null)), source); // prettier-ignore
}

/** `x` with `source`, which has no `axis`, in place of its element `index`. @throws ShapeError, OptionError */
export function selectScatter(x: Tensor, source: Tensor, axis: number, index: number): Tensor {
  const at = normalizeAxis("selectScatter", axis, x.shape.length);
  checkSource("selectScatter", source, withoutAxes(x.shape, [at]));
  const place = normalizeIndex("selectScatter", index, sizeOf(x.shape, at));
  return sliceScatter(x, source.unsqueeze(at), at, place, place + 1);
}

/** `x` with `source`, in the shape of its diagonal, in place of that. @throws ShapeError, OptionError */
export function diagonalScatter(
  x: Tensor,
  source: Tensor,
  { offset = 0, dim1 = 0, dim2 = 1 }: DiagonalOptions = {},
): Tensor {
  const matrices = planeLast("diagonalScatter", x, dim1, dim2);
  const [rows = 0, columns = 0] = matrices.shape.slice(-2);
  checkSource("diagonalScatter", source, [...matrices.shape.slice(0, -2), diagonalLength(rows, columns, offset)]);
  const isOnIt = embedded(filled(source.shape.slice(-1), 1, "bool"), rows, columns, offset);
  const changed = where(isOnIt, embedded(castTo(source, x.dtype), rows, columns, offset), matrices);
  return movedim(changed, [-2, -1], [dim1, dim2]);
}

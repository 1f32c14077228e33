import { ShapeError } from "../../../base/errors.ts";
import { formatShape } from "../../layout/shape.ts";
import { checkIndices } from "../index-range.ts";
import { filled, toIndices } from "../operands.ts";
import type { Operand } from "../operands.ts";
import { normalizeAxis, sizeOf } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import { castTo } from "./cast.ts";
import { gather } from "./gather.ts";
import { indexRuns } from "./index-runs.ts";
import { padWith } from "./pad.ts";
import { where } from "./where.ts";

/** What a scatter writes where: all that its checks found. */
export interface Scattered {
  readonly axis: number;
  /** int32 */
  readonly indices: Tensor;
  /** In the indices' shape and the dtype of what is written to. */
  readonly source: Tensor;
}

/** @throws ShapeError unless indices are within the source and, but for the axis, within `x`; OptionError */
export function scattered(operation: string, x: Tensor, axis: number, indices: Tensor, source: Operand): Scattered {
  const at = normalizeAxis(operation, axis, x.shape.length);
  const given = typeof source === "number" ? filled(indices.shape, source, x.dtype) : source;
  const fits =
    indices.shape.length === x.shape.length &&
    given.shape.length === x.shape.length &&
    indices.shape.every((size, i) => size <= sizeOf(given.shape, i) && (i === at || size <= sizeOf(x.shape, i)));
  if (!fits) {
    throw new ShapeError(
      `${operation}: expected indices within the source and ${formatShape(x.shape)}, found ${formatShape(indices.shape)} for ${formatShape(given.shape)}`,
    );
  }
  checkIndices(operation, indices, sizeOf(x.shape, at));
  const used = given.slice(indices.shape.map((size) => [0, size]));
  return { axis: at, indices: toIndices(operation, indices), source: castTo(used, x.dtype) };
}

/** `part`, which begins where `x` does, in the shape of `x`: 0 (false) elsewhere. */
export function paddedTo(part: Tensor, x: Tensor): Tensor {
  const none = x.shape.map(() => 0);
  return padWith(part, { low: none, high: x.shape.map((size, i) => size - sizeOf(part.shape, i)), interior: none, value: 0 }); // prettier-ignore
}

/**
 * `x` with out[p with p[axis] := indices[p]] = source[p], a tensor or a number. Where indices repeat, the last along
 * the axis wins, on every device. dL/dsource = g where it won, dL/dx = g where nothing was written.
 *
 * Without atomics: sorts the indices, then each place looks for its own. Indices out of range are refused when they came
 * from the host, and left out when they were computed on a device. @throws ShapeError, OptionError
 */
export function scatter(x: Tensor, axis: number, indices: Tensor, source: Operand): Tensor {
  if (x.shape.length === 0) return scatter(x.reshape([1]), axis, indices.reshape([-1]), typeof source === "number" ? source : source.reshape([-1])).reshape([]); // prettier-ignore
  const { axis: at, ...write } = scattered("scatter", x, axis, indices, source);
  if (write.indices.size === 0) return x;
  const { order, last, isNamed } = indexRuns(write.indices.transpose(at, -1), sizeOf(x.shape, at));
  const along = gather(order, -1, last).transpose(at, -1);
  const values = gather(write.source, at, along);
  return where(paddedTo(isNamed.transpose(at, -1), x), paddedTo(values, x), x);
}

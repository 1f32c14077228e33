import { ShapeError } from "../../../base/errors.ts";
import { formatShape, sameShape } from "../../layout/shape.ts";
import { checkIndices } from "../index-range.ts";
import { filled, toIndices } from "../operands.ts";
import type { Operand } from "../operands.ts";
import { normalizeAxis, sizeOf, withSize } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import { castTo } from "./cast.ts";
import { indexSelect } from "./gather.ts";
import { indexRuns } from "./index-runs.ts";
import { fillValue } from "./masked-fill.ts";
import { scatterSum } from "./scatter-add.ts";
import { where } from "./where.ts";

interface Places {
  readonly axis: number;
  readonly size: number;
  /** [n], int32 */
  readonly indices: Tensor;
  /** Along `axis` of `x`, for values [size]. */
  readonly along: number[];
}

function placesOf(operation: string, x: Tensor, axis: number, indices: Tensor): Places {
  const at = normalizeAxis(operation, axis, x.shape.length);
  if (indices.shape.length > 1) {
    throw new ShapeError(`${operation}: expected indices with one axis, found ${formatShape(indices.shape)}`);
  }
  const size = sizeOf(x.shape, at);
  checkIndices(operation, indices, size);
  const along = x.shape.map((_, i) => (i === at ? size : 1));
  return { axis: at, size, indices: toIndices(operation, indices).reshape([-1]), along };
}

function checkSource(operation: string, x: Tensor, { axis, indices }: Places, source: Tensor): void {
  const expected = withSize(x.shape, axis, indices.size);
  if (!sameShape(source.shape, expected)) {
    throw new ShapeError(`${operation}: expected a source ${formatShape(expected)}, found ${formatShape(source.shape)}`); // prettier-ignore
  }
}

/** Options of `indexAdd`. */
export interface IndexAddOptions {
  /** What the source is multiplied by. */
  readonly alpha?: number;
}

/**
 * `x` with alpha * `source`, whose `axis` has n elements, added at `indices` [n] of `axis`, in index order. Indices out
 * of range are refused when they came from the host, and left out when they were computed on a device. @throws ShapeError, OptionError
 */
export function indexAdd(
  x: Tensor,
  axis: number,
  indices: Tensor,
  source: Tensor,
  { alpha = 1 }: IndexAddOptions = {},
): Tensor {
  const places = placesOf("indexAdd", x, axis, indices);
  checkSource("indexAdd", x, places, source);
  const along = places.indices.reshape(x.shape.map((_, i) => (i === places.axis ? -1 : 1))).expand(source.shape);
  const scaled = castTo(alpha === 1 ? source : source.mul(alpha), x.dtype);
  return x.add(scatterSum(scaled, along, places.axis, places.size));
}

/** `x` with the elements at `indices` [n] of `axis` replaced by those of `source`; of equal indices the last wins. See `indexAdd`. @throws ShapeError, OptionError */
export function indexCopy(x: Tensor, axis: number, indices: Tensor, source: Tensor): Tensor {
  const places = placesOf("indexCopy", x, axis, indices);
  checkSource("indexCopy", x, places, source);
  if (source.size === 0) return x;
  const { order, last, isNamed } = indexRuns(places.indices, places.size);
  const values = indexSelect(castTo(source, x.dtype), places.axis, order.gather(0, last));
  return where(isNamed.reshape(places.along), values, x);
}

/** `x` with `value`, a number or a tensor [], at `indices` [n] of `axis`. See `indexAdd`. @throws ShapeError, OptionError */
export function indexFill(x: Tensor, axis: number, indices: Tensor, value: Operand): Tensor {
  const places = placesOf("indexFill", x, axis, indices);
  const ones = filled(places.indices.shape, 1, "int32");
  const isNamed = scatterSum(ones, places.indices, 0, places.size).gt(0).reshape(places.along);
  return where(isNamed, fillValue("indexFill", x, value), x);
}

import { ShapeError } from "../../../base/errors.ts";
import { formatShape } from "../../layout/shape.ts";
import { normalizeAxis, sizeOf } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import { gather } from "./gather.ts";
import { sortKeys } from "./sort-keys.ts";
import { sort } from "./sort.ts";
import type { ValuesAndIndices } from "./sort.ts";
import type { KeepDimOptions } from "./top-k.ts";
import { isFloat } from "../../layout/dtype.ts";

/** The key of NaN: one more than infinity's. See `sortKeys`. */
const NAN_KEY = 0x7f80_0001;

/** The median of all elements, the lower of two: []; NaN where there is one. @throws ShapeError for no elements */
export function median(x: Tensor): Tensor;
/** The medians along `axis`, the lower of two, and their places (int32). NaN where a line has one. @throws ShapeError, OptionError */
export function median(x: Tensor, axis: number, options?: KeepDimOptions): ValuesAndIndices;
export function median(x: Tensor, axis?: number, options: KeepDimOptions = {}): Tensor | ValuesAndIndices {
  if (axis === undefined) return middle("median", x.reshape([-1]), 0, false, options).values.reshape([]);
  return middle("median", x, axis, false, options);
}

/** As `median`, of what is not NaN: NaN only where all is. @throws ShapeError for no elements */
export function nanMedian(x: Tensor): Tensor;
/** As `median`, of what is not NaN. @throws ShapeError, OptionError */
export function nanMedian(x: Tensor, axis: number, options?: KeepDimOptions): ValuesAndIndices;
export function nanMedian(x: Tensor, axis?: number, options: KeepDimOptions = {}): Tensor | ValuesAndIndices {
  if (axis === undefined) return middle("nanMedian", x.reshape([-1]), 0, true, options).values.reshape([]);
  return middle("nanMedian", x, axis, true, options);
}

/** NaN is last in order: it begins where the numbers end. */
function middle(
  operation: string,
  x: Tensor,
  axis: number,
  ignoresNan: boolean,
  { keepDim = false }: KeepDimOptions,
): ValuesAndIndices {
  if (x.shape.length === 0) return middle(operation, x.reshape([1]), axis, ignoresNan, {});
  const at = normalizeAxis(operation, axis, x.shape.length);
  const size = sizeOf(x.shape, at);
  if (size === 0) {
    throw new ShapeError(`${operation}: expected elements along axis ${at}, found ${formatShape(x.shape)}`);
  }
  const { indices: order } = sort(x, at);
  const indices = isFloat(x.dtype) ? gather(order, at, placeOfMiddle(x, at, ignoresNan)) : order.narrow(at, (size - 1) >> 1, 1); // prettier-ignore
  const values = gather(x, at, indices);
  return keepDim ? { values, indices } : { values: values.squeeze(at), indices: indices.squeeze(at) };
}

function placeOfMiddle(x: Tensor, axis: number, ignoresNan: boolean): Tensor {
  const size = sizeOf(x.shape, axis);
  const numbers = sortKeys(x).lt(NAN_KEY).sum(axis, { keepDim: true });
  const half = numbers.sub(1).maximum(0).cast("float32").div(2).floor().cast("int32");
  return ignoresNan ? half : numbers.lt(size).where(numbers, (size - 1) >> 1);
}

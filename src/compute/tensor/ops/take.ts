import { ShapeError } from "../../../base/errors.ts";
import { elementCount, formatShape } from "../../layout/shape.ts";
import { checkIndices } from "../index-range.ts";
import { toIndices } from "../operands.ts";
import { broadcastShapes, normalizeAxis, sizeOf, withSize } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import { broadcastTo } from "./broadcast-to.ts";
import { gather } from "./gather.ts";
import { where } from "./where.ts";

/** Indices of an axis of `size`, those below 0 counted from its end; what was computed on a device is clamped. @throws OptionError, UnsupportedError */
export function fromStart(operation: string, indices: Tensor, size: number): Tensor {
  checkIndices(operation, indices, size, { allowNegative: true });
  const places = toIndices(operation, indices);
  return where(places.lt(0), places.add(size), places).maximum(0).minimum(Math.max(0, size - 1)); // prettier-ignore
}

/** The elements of `x`, in one line, at `indices` [..] -> [..]. Negative indices count from the end. @throws OptionError */
export function take(x: Tensor, indices: Tensor): Tensor {
  const places = fromStart("take", indices, x.size).reshape([-1]);
  return gather(x.reshape([-1]), 0, places).reshape(indices.shape);
}

/** As `gather`, with axes other than `axis` that broadcast; in one line for null. @throws ShapeError, OptionError */
export function takeAlongDim(x: Tensor, indices: Tensor, axis: number | null = null): Tensor {
  if (axis === null) return gather(x.reshape([-1]), 0, indices.reshape([-1]));
  if (x.shape.length !== indices.shape.length) {
    throw new ShapeError(
      `takeAlongDim: expected indices of as many axes as ${formatShape(x.shape)}, found ${formatShape(indices.shape)}`,
    );
  }
  const at = normalizeAxis("takeAlongDim", axis, x.shape.length);
  const outer = broadcastShapes("takeAlongDim", withSize(x.shape, at, 1), withSize(indices.shape, at, 1));
  const all = broadcastTo(x, withSize(outer, at, sizeOf(x.shape, at)));
  return elementCount(indices.shape) === 0 && elementCount(outer) === 0
    ? all.narrow(at, 0, 0)
    : gather(all, at, broadcastTo(indices, withSize(outer, at, sizeOf(indices.shape, at))));
}

import { ShapeError } from "../../../base/errors.ts";
import { elementCount, formatShape } from "../../layout/shape.ts";
import type { Tensor } from "../tensor.ts";
import { where } from "./where.ts";

/**
 * x where x > 0, else weight * x. The weight has one element, or one for each place on axis 1 of `x` (axis 0 of a
 * vector is one channel). @throws ShapeError
 */
export function prelu(x: Tensor, weight: Tensor): Tensor {
  const count = elementCount(weight.shape);
  const channels = x.shape.length >= 2 ? (x.shape[1] ?? 1) : 1;
  if (weight.shape.length > 1 || (count !== 1 && count !== channels)) {
    throw new ShapeError(
      `prelu: expected a weight of 1 or ${channels} elements for ${formatShape(x.shape)}, found ${formatShape(weight.shape)}`,
    );
  }
  const slopes = count === 1 ? weight.reshape([]) : weight.reshape(x.shape.slice(1).map((_, i) => (i === 0 ? count : 1))); // prettier-ignore
  return where(x.gt(0), x, x.mul(slopes));
}

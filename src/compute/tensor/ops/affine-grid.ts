import { ShapeError } from "../../../base/errors.ts";
import type { Shape } from "../../compiler/ir.ts";
import { elementCount, formatShape } from "../../layout/shape.ts";
import { toFloat } from "../operands.ts";
import { sizeOf } from "../shapes.ts";
import { iotaTensor } from "../source.ts";
import type { Tensor } from "../tensor.ts";
import { stack } from "./cat.ts";

/**
 * The grid for `gridSample` that maps each point p of the result by `theta`, [B, 2, 3], to theta (p, 1) -> [B, H, W, 2], for
 * `size` [B, C, H, W]; also [B, 3, 4] -> [B, D, H, W, 3] for [B, C, D, H, W]. @throws ShapeError
 */
export function affineGrid(theta: Tensor, size: Shape, { alignCorners = false }: { readonly alignCorners?: boolean } = {}): Tensor {
  const [batch = 0, , ...spatial] = size;
  const rank = spatial.length;
  const [b, rows, columns] = theta.shape;
  if ((rank !== 2 && rank !== 3) || theta.shape.length !== 3 || b !== batch || rows !== rank || columns !== rank + 1) {
    throw new ShapeError(`affineGrid: expected theta [B, 2, 3] and a size [B, C, H, W], or one more of each, found ${formatShape(theta.shape)} and ${formatShape(size)}`);
  }
  const count = elementCount(spatial);
  const points = spatial.map((length, axis) => {
    const place = iotaTensor(spatial, axis).cast("float32");
    if (alignCorners) return place.mul(length > 1 ? 2 / (length - 1) : 0).sub(length > 1 ? 1 : 0).reshape([count]);
    return place.mul(2).add(1).mul(1 / sizeOf(spatial, axis)).sub(1).reshape([count]);
  });
  const homogeneous = stack([...points.reverse(), iotaTensor([count], 0).mul(0).add(1).cast("float32")], 1);
  const values = toFloat(theta);
  return homogeneous.cast(values.dtype).unsqueeze(0).matmul(values.transpose(1, 2)).reshape([batch, ...spatial, rank]);
} // prettier-ignore

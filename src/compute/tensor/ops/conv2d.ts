import { ShapeError } from "../../../base/errors.ts";
import { formatShape } from "../../layout/shape.ts";
import type { Tensor } from "../tensor.ts";
import { batchedMatmul } from "./matmul.ts";
import { patches2d } from "./patches.ts";
import type { Pair } from "./patches.ts";

export interface Conv2dOptions {
  readonly stride?: Pair;
  readonly padding?: Pair;
  readonly dilation?: Pair;
  /** The channels fall into so many parts that do not see each other. */
  readonly groups?: number;
}

/**
 * Cross-correlation of x [B, C, H, W] with weight [O, C / groups, kh, kw], plus bias [O] -> [B, O, OH, OW].
 *
 * A matrix product over patches, so its gradients are those of windows and of the product. @throws ShapeError
 */
export function conv2d(x: Tensor, weight: Tensor, bias?: Tensor | null, options: Conv2dOptions = {}): Tensor {
  const { stride = 1, padding = 0, dilation = 1, groups = 1 } = options;
  const [outputs = 0, inner = 0, height = 0, width = 0] = weight.shape;
  if (weight.shape.length !== 4 || x.shape[1] !== inner * groups || outputs % groups !== 0) {
    throw new ShapeError(
      `conv2d: expected x [B, C, H, W] and weight [O, C / ${groups}, kh, kw], found ${formatShape(x.shape)} and ${formatShape(weight.shape)}`,
    );
  }
  const found = patches2d("conv2d", x, { size: [height, width], stride, padding, dilation, value: 0 });
  const [batch = 0, , rows = 0, columns = 0] = found.shape;
  // [B, G, C / G, OH, OW, kh, kw] -> [G, C / G, kh, kw, B, OH, OW]: a matrix [C / G * kh * kw, B * OH * OW] for each group.
  const columnsOfPatches = found
    .reshape([batch, groups, inner, rows, columns, height, width])
    .permute([1, 2, 5, 6, 0, 3, 4])
    .reshape([groups, inner * height * width, batch * rows * columns]);
  const filters = weight.reshape([groups, outputs / groups, inner * height * width]);
  const product = batchedMatmul(filters, columnsOfPatches)
    .reshape([outputs, batch, rows, columns])
    .permute([1, 0, 2, 3]);
  return bias ? product.add(bias.reshape([outputs, 1, 1])) : product;
}

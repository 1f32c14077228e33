import { ShapeError } from "../../../base/errors.ts";
import { formatShape } from "../../layout/shape.ts";
import { shapeOf } from "../operands.ts";
import type { Operand } from "../operands.ts";
import type { Tensor } from "../tensor.ts";
import { castTo } from "./cast.ts";
import { where } from "./where.ts";

/** `value`, a number or a tensor [], where `mask` is not 0, else `x`, in the dtype of `x`. @throws ShapeError */
export function maskedFill(x: Tensor, mask: Tensor, value: Operand): Tensor {
  if (shapeOf(value).length > 0) {
    throw new ShapeError(`maskedFill: expected a number or a tensor [], found ${formatShape(shapeOf(value))}`);
  }
  return where(mask, typeof value === "number" ? value : castTo(value, x.dtype), x);
}

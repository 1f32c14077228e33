import { ShapeError } from "../../../base/errors.ts";
import { formatShape } from "../../layout/shape.ts";
import { filled } from "../operands.ts";
import type { Operand } from "../operands.ts";
import type { Tensor } from "../tensor.ts";
import { castTo } from "./cast.ts";
import { where } from "./where.ts";

/**
 * `value`, a number or a tensor [], where `mask` is not 0, else `x`, in the dtype of `x` (float32 for a fraction among
 * integers). @throws ShapeError
 */
export function maskedFill(x: Tensor, mask: Tensor, value: Operand): Tensor {
  return where(mask, fillValue("maskedFill", x, value), x);
}

/** One value in the dtype of `x`; a fraction for integers stays one. @throws ShapeError */
export function fillValue(operation: string, x: Tensor, value: Operand): Operand {
  if (typeof value === "number") return Number.isInteger(value) ? filled([], value, x.dtype) : value;
  if (value.shape.length > 0) {
    throw new ShapeError(`${operation}: expected a number or a tensor [], found ${formatShape(value.shape)}`);
  }
  return castTo(value, x.dtype);
}

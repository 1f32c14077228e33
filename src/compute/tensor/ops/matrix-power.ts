import { OptionError, ShapeError } from "../../../base/errors.ts";
import { formatShape } from "../../layout/shape.ts";
import { eye } from "../create-ranges.ts";
import { sizeOf } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import { matmul } from "./matmul.ts";
import { where } from "./where.ts";

/** Square matrices [.., n, n] to a whole power, by repeated squaring; the identity for 0. @throws OptionError, ShapeError */
export function matrixPower(x: Tensor, power: number): Tensor {
  const rank = x.shape.length;
  if (rank < 2 || x.shape[rank - 1] !== x.shape[rank - 2]) {
    throw new ShapeError(`matrixPower: expected square matrices [.., n, n], found ${formatShape(x.shape)}`);
  }
  if (!Number.isInteger(power) || power < 0) {
    throw new OptionError(`matrixPower: expected a whole power from 0, found ${power}`);
  }
  const size = sizeOf(x.shape, rank - 1);
  let result: Tensor | null = null;
  let square = x;
  for (let rest = power; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result = result === null ? square : matmul(result, square);
    if (rest > 1) square = matmul(square, square);
  }
  if (result !== null) return result;
  const identity = eye(size, size, { dtype: x.dtype }).expand(x.shape);
  return where(identity.ge(0), identity, x); // Which is x^0 of any x, with a gradient of 0.
}

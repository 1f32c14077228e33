import { ShapeError } from "../../../base/errors.ts";
import { formatShape } from "../../layout/shape.ts";
import { iotaTensor } from "../source.ts";
import type { Tensor } from "../tensor.ts";
import { where } from "./where.ts";

/** The lower triangle of the last two axes, up to `diagonal` above the main one; 0 elsewhere. @throws ShapeError */
export function tril(x: Tensor, diagonal = 0): Tensor {
  return where(lowerTriangle("tril", x, diagonal), x, 0);
}

/** The upper triangle of the last two axes, from `diagonal` above the main one; 0 elsewhere. @throws ShapeError */
export function triu(x: Tensor, diagonal = 0): Tensor {
  return where(lowerTriangle("triu", x, diagonal - 1), 0, x);
}

/** Where column <= row + diagonal: [M, N], bool. */
function lowerTriangle(operation: string, x: Tensor, diagonal: number): Tensor {
  const matrix = x.shape.slice(-2);
  if (matrix.length !== 2) {
    throw new ShapeError(`${operation}: expected at least two axes, found ${formatShape(x.shape)}`);
  }
  return iotaTensor(matrix, 1).le(iotaTensor(matrix, 0).add(diagonal));
}

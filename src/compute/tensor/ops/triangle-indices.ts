import { OptionError } from "../../../base/errors.ts";
import { hostTensor } from "../host-tensor.ts";
import { checkShape } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";

/** Rows and columns of the lower triangle of [rows, columns], up to `offset` above the diagonal: [2, count], int32. @throws OptionError */
export function trilIndices(rows: number, columns: number = rows, offset = 0): Tensor {
  return triangle("trilIndices", rows, columns, offset, (row, column) => column <= row + offset);
}

/** Rows and columns of the upper triangle of [rows, columns], from `offset` above the diagonal on: [2, count], int32. @throws OptionError */
export function triuIndices(rows: number, columns: number = rows, offset = 0): Tensor {
  return triangle("triuIndices", rows, columns, offset, (row, column) => column >= row + offset);
}

function triangle(
  operation: string,
  rows: number,
  columns: number,
  offset: number,
  holds: (row: number, column: number) => boolean,
): Tensor {
  checkShape(operation, [rows, columns]);
  if (!Number.isInteger(offset)) throw new OptionError(`${operation}: expected a whole offset, found ${offset}`);
  const places: [number, number][] = [];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) if (holds(row, column)) places.push([row, column]);
  }
  const data = Int32Array.from([...places.map(([row]) => row), ...places.map(([, column]) => column)]);
  return hostTensor({ shape: [2, places.length], data });
}

/** Diagonals of matrices: strided views of the matrix laid out in one line. */
import { OptionError, ShapeError } from "../../../base/errors.ts";
import { formatShape } from "../../layout/shape.ts";
import { normalizeAxis, sizeOf } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import { padWith } from "./pad.ts";
import { movedim } from "./permute.ts";

/** Which diagonals: of the matrices in the plane of two axes, `offset` above the main one (below, if it is negative). */
export interface DiagonalOptions {
  readonly offset?: number;
  /** Rows: 0 for `diagonal`, -2 for `diagEmbed`. */
  readonly dim1?: number;
  /** Columns: 1 for `diagonal`, -1 for `diagEmbed`. */
  readonly dim2?: number;
}

/** [.., M, N] with the plane's axes last. */
export function planeLast(operation: string, x: Tensor, dim1: number, dim2: number): Tensor {
  checkPlane(operation, x.shape.length, dim1, dim2);
  return movedim(x, [dim1, dim2], [-2, -1]);
}

function checkPlane(operation: string, rank: number, dim1: number, dim2: number): void {
  if (rank < 2) throw new ShapeError(`${operation}: expected at least two axes, found ${rank}`);
  if (normalizeAxis(operation, dim1, rank) === normalizeAxis(operation, dim2, rank)) {
    throw new OptionError(`${operation}: expected two distinct axes, found ${dim1} and ${dim2}`);
  }
}

/** Elements of the diagonal `offset` above the main one. */
export function diagonalLength(rows: number, columns: number, offset: number): number {
  return Math.max(0, Math.min(rows + Math.min(0, offset), columns - Math.max(0, offset)));
}

/** The diagonals of the matrices in the plane of `dim1` and `dim2`, which go; theirs is a new last axis. @throws ShapeError, OptionError */
export function diagonal(x: Tensor, { offset = 0, dim1 = 0, dim2 = 1 }: DiagonalOptions = {}): Tensor {
  const matrices = planeLast("diagonal", x, dim1, dim2);
  const batch = matrices.shape.slice(0, -2);
  const [rows = 0, columns = 0] = matrices.shape.slice(-2);
  const length = diagonalLength(rows, columns, offset);
  const whole = batch.map(() => null);
  if (length === 0) return matrices.reshape([...batch, rows * columns]).slice([...whole, [0, 0]]);
  const start = Math.max(0, offset) + Math.max(0, -offset) * columns;
  const end = start + (length - 1) * (columns + 1) + 1;
  return matrices.reshape([...batch, rows * columns]).slice([...whole, [start, end, columns + 1]]);
}

/** [.., n] -> [.., n + |offset|, n + |offset|]: matrices with `x` on a diagonal and 0 elsewhere, their axes at `dim1` and `dim2`. @throws OptionError */
export function diagEmbed(x: Tensor, { offset = 0, dim1 = -2, dim2 = -1 }: DiagonalOptions = {}): Tensor {
  const rank = x.shape.length;
  if (rank === 0) throw new ShapeError("diagEmbed: expected at least one axis, found none");
  checkPlane("diagEmbed", rank + 1, dim1, dim2);
  const side = sizeOf(x.shape, rank - 1) + Math.abs(offset);
  return movedim(embedded(x, side, side, offset), [-2, -1], [dim1, dim2]);
}

/** [.., n] on the diagonal of [.., rows, columns], 0 elsewhere. */
export function embedded(x: Tensor, rows: number, columns: number, offset: number): Tensor {
  const batch = x.shape.slice(0, -1);
  const length = x.shape.at(-1) ?? 0;
  const start = length === 0 ? 0 : Math.max(0, offset) + Math.max(0, -offset) * columns;
  const covered = length === 0 ? 0 : (length - 1) * (columns + 1) + 1;
  const last = (count: number): number[] => [...batch.map(() => 0), count];
  const line = padWith(x, {
    low: last(start),
    high: last(rows * columns - start - covered),
    interior: last(columns),
    value: 0,
  });
  return line.reshape([...batch, rows, columns]);
}

/** The diagonal of a matrix, or a matrix with a vector on its diagonal. @throws ShapeError for other ranks */
export function diag(x: Tensor, offset = 0): Tensor {
  if (x.shape.length === 1) return diagEmbed(x, { offset });
  if (x.shape.length === 2) return diagonal(x, { offset });
  throw new ShapeError(`diag: expected a vector or a matrix, found ${formatShape(x.shape)}`);
}

/** The sum of a matrix's diagonal: []. @throws ShapeError */
export function trace(x: Tensor): Tensor {
  if (x.shape.length !== 2) throw new ShapeError(`trace: expected a matrix, found ${formatShape(x.shape)}`);
  return diagonal(x).sum();
}

/** Checks of what nodes are made of. Messages name the operation, what it expects and what it found. */
import { OptionError, ShapeError } from "../../base/errors.ts";
import type { DType } from "../layout/dtype.ts";
import { elementCount, formatShape, sameShape } from "../layout/shape.ts";
import type { Node, Shape } from "./ir.ts";

/** Indices are i32: more elements cannot be counted. */
const ELEMENTS_MAX = 2 ** 31 - 1;

/** @throws ShapeError for sizes that are no whole numbers, or too many elements */
export function checkShape(operation: string, shape: Shape): void {
  if (!shape.every((size) => Number.isInteger(size) && size >= 0) || elementCount(shape) > ELEMENTS_MAX) {
    const expected = `sizes that are whole numbers from 0, and at most ${ELEMENTS_MAX} elements`;
    throw new ShapeError(`${operation}: expected ${expected}, found ${formatShape(shape)}`);
  }
}

/** @throws OptionError */
export function checkAxis(operation: string, axis: number, rank: number): void {
  if (!Number.isInteger(axis) || axis < 0 || axis >= rank) {
    throw new OptionError(`${operation}: expected an axis from 0 to ${rank - 1}, found ${axis}`);
  }
}

/** @throws OptionError for a dtype that is not among `allowed` */
export function checkDType(operation: string, x: Pick<Node, "dtype">, allowed: readonly DType[]): void {
  if (!allowed.includes(x.dtype)) {
    throw new OptionError(`${operation}: expected ${allowed.join(" or ")}, found ${x.dtype}`);
  }
}

/** @throws OptionError */
export function checkSameDType(operation: string, a: Node, b: Node): void {
  if (a.dtype !== b.dtype) {
    throw new OptionError(`${operation}: expected operands of one dtype, found ${a.dtype} and ${b.dtype}`);
  }
}

/** @throws ShapeError */
export function checkSameShape(operation: string, a: Node, b: Node): void {
  if (!sameShape(a.shape, b.shape)) {
    const found = `${formatShape(a.shape)} and ${formatShape(b.shape)}`;
    throw new ShapeError(`${operation}: expected operands of one shape, found ${found}`);
  }
}

/** @throws ShapeError unless the shapes agree on every axis but `axis` */
export function checkSameShapeBut(
  operation: string,
  axis: number,
  a: Pick<Node, "shape">,
  b: Pick<Node, "shape">,
): void {
  const fits = a.shape.length === b.shape.length && a.shape.every((size, i) => i === axis || size === b.shape[i]);
  if (!fits) {
    const found = `${formatShape(a.shape)} and ${formatShape(b.shape)}`;
    throw new ShapeError(`${operation}: expected shapes that differ only at axis ${axis}, found ${found}`);
  }
}

/** @throws OptionError unless there is a whole number for each axis, from `min` */
export function checkPerAxis(
  operation: string,
  what: string,
  list: readonly number[],
  rank: number,
  min: number,
): void {
  if (list.length !== rank || !list.every((value) => Number.isInteger(value) && value >= min)) {
    const expected = `${rank} ${what}${min > -Infinity ? ` from ${min}` : ""}, one an axis`;
    throw new OptionError(`${operation}: expected ${expected}, found ${formatShape(list)}`);
  }
}

/** Joins along the first, second or third axis, with axes added where there are too few. */
import { OptionError } from "../../../base/errors.ts";
import type { Tensor } from "../tensor.ts";
import { cat } from "./cat.ts";

/** At least one axis: [] becomes [1]. */
function atLeast1d(x: Tensor): Tensor {
  return x.shape.length === 0 ? x.reshape([1]) : x;
}

/** At least two axes: [n] becomes [1, n]. */
function atLeast2d(x: Tensor): Tensor {
  return x.shape.length < 2 ? x.reshape([1, -1]) : x;
}

/** At least three axes: [n] becomes [1, n, 1], [m, n] becomes [m, n, 1]. */
function atLeast3d(x: Tensor): Tensor {
  return x.shape.length < 3 ? atLeast2d(x).unsqueeze(-1) : x;
}

/** Side by side: along the second axis, vectors along their only one. @throws ShapeError, OptionError */
export function hstack(tensors: readonly Tensor[]): Tensor {
  const parts = tensors.map(atLeast1d);
  return cat(parts, parts[0]?.shape.length === 1 ? 0 : 1);
}

/** One below the other: along the first axis, vectors as rows. @throws ShapeError, OptionError */
export function vstack(tensors: readonly Tensor[]): Tensor {
  return cat(tensors.map(atLeast2d), 0);
}

/** One behind the other: along the third axis. @throws ShapeError, OptionError */
export function dstack(tensors: readonly Tensor[]): Tensor {
  return cat(tensors.map(atLeast3d), 2);
}

/** As `hstack`, with vectors as columns. @throws ShapeError, OptionError */
export function columnStack(tensors: readonly Tensor[]): Tensor {
  if (tensors.length === 0) throw new OptionError("columnStack: expected at least one tensor, found none");
  return hstack(tensors.map((x) => (x.shape.length < 2 ? x.reshape([-1, 1]) : x)));
}

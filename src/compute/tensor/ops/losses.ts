/** Losses that are a mean or a sum over elements. */
import { OptionError, ShapeError } from "../../../base/errors.ts";
import { formatShape, sameShape } from "../../layout/shape.ts";
import type { Tensor } from "../tensor.ts";
import type { Reduction } from "./cross-entropy.ts";

export interface LossOptions {
  readonly reduction?: Reduction;
}

/** (x - y)^2, reduced. @throws ShapeError */
export function mseLoss(x: Tensor, y: Tensor, { reduction = "mean" }: LossOptions = {}): Tensor {
  return reduced("mseLoss", difference("mseLoss", x, y).square(), reduction);
}

/** |x - y|, reduced. @throws ShapeError */
export function l1Loss(x: Tensor, y: Tensor, { reduction = "mean" }: LossOptions = {}): Tensor {
  return reduced("l1Loss", difference("l1Loss", x, y).abs(), reduction);
}

function difference(operation: string, x: Tensor, y: Tensor): Tensor {
  if (!sameShape(x.shape, y.shape)) {
    throw new ShapeError(
      `${operation}: expected two equal shapes, found ${formatShape(x.shape)} and ${formatShape(y.shape)}`,
    );
  }
  return x.sub(y);
}

function reduced(operation: string, each: Tensor, reduction: Reduction): Tensor {
  switch (reduction) {
    case "none":
      return each;
    case "sum":
      return each.sum();
    case "mean":
      return each.mean();
    default:
      reduction satisfies never;
      throw new OptionError(`${operation}: expected a reduction of mean, sum or none, found ${String(reduction)}`);
  }
}

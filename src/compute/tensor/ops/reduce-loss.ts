/** What losses share: operands of one shape, and what becomes of the losses of elements or samples. */
import { OptionError, ShapeError } from "../../../base/errors.ts";
import { formatShape, sameShape } from "../../layout/shape.ts";
import type { Tensor } from "../tensor.ts";

/** What becomes of the losses of the elements or samples. */
export type Reduction = "mean" | "sum" | "none";

/** Options of all losses. */
export interface LossOptions {
  /** "mean" by default; "none" gives all of them. */
  readonly reduction?: Reduction;
}

/** `each` reduced. @throws OptionError */
export function reduceLoss(operation: string, each: Tensor, reduction: Reduction = "mean"): Tensor {
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

/** As `reduceLoss`; a mean is divided by the sum of `weights`. @throws OptionError */
export function reduceWeighted(operation: string, each: Tensor, weights: Tensor, reduction: Reduction): Tensor {
  return reduction === "mean" ? each.sum().div(weights.sum()) : reduceLoss(operation, each, reduction);
}

/** @throws ShapeError unless both shapes are equal: broadcasting a loss is nearly always a mistake */
export function checkPair(operation: string, x: Tensor, y: Tensor): void {
  if (!sameShape(x.shape, y.shape)) {
    throw new ShapeError(
      `${operation}: expected two equal shapes, found ${formatShape(x.shape)} and ${formatShape(y.shape)}`,
    );
  }
}

/** @throws OptionError unless `value` is a number from `low` on */
export function checkFrom(operation: string, name: string, value: number, low: number): void {
  if (!(value >= low)) throw new OptionError(`${operation}: expected ${name} from ${low}, found ${value}`);
}

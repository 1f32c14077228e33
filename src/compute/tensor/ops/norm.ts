import { OptionError } from "../../../base/errors.ts";
import { binary, reduce, unary } from "../../compiler/graph.ts";
import { toFloat } from "../operands.ts";
import { normalizeAxes, withoutAxes } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import { defineWideOp } from "../wide-op.ts";
import { amax, amin } from "./amax.ts";
import type { Axes, ReduceOptions } from "./sum.ts";
import { where } from "./where.ts";

/** With y = sqrt(sum(x^2)): dL/dx = g * x / y, 0 where y = 0. */
const euclidean = defineWideOp<[Tensor], { axes: readonly number[] }>({
  name: "norm",
  forward: ([x], { axes }) => unary("sqrt", reduce("sum", binary("multiply", x, x), axes)),
  backward: ({ grad, inputs: [x], output: y }) => [x.mul(grad.div(y.eq(0).where(1, y)))],
});

/**
 * (sum of |x|^p)^(1/p) over `axes`: 2 by default, which "fro" is too; the largest |x| for Infinity, the smallest for
 * -Infinity, the count of what is not 0 for 0. Gradients are 0 where the norm is 0. @throws OptionError
 */
export function norm(x: Tensor, p: number | "fro" = 2, axes: Axes = null, options: ReduceOptions = {}): Tensor {
  if (p !== "fro" && (typeof p !== "number" || Number.isNaN(p))) {
    throw new OptionError(`norm: expected p to be a number or fro, found ${String(p)}`);
  }
  const values = toFloat(x);
  const list = normalizeAxes("norm", axes, x.shape.length);
  switch (p) {
    case "fro":
    case 2: {
      const kept = euclidean([values], { axes: list });
      return options.keepDim === true ? kept : kept.reshape(withoutAxes(x.shape, list));
    }
    case Infinity:
      return amax(values.abs(), list, options);
    case -Infinity:
      return amin(values.abs(), list, options);
    case 0:
      return values.sign().abs().sum(list, options);
    case 1:
      return values.abs().sum(list, options);
    default:
      return powerNorm(values, p, list, options);
  }
}

/** Powers of 0 are left out, whose slopes may be infinite; for p < 0 one 0 makes the norm 0. */
function powerNorm(x: Tensor, p: number, axes: readonly number[], options: ReduceOptions): Tensor {
  const size = x.abs();
  const isZero = size.eq(0);
  const total = where(isZero, 0, where(isZero, 1, size).pow(p)).sum(axes, options);
  const isNone = p < 0 ? isZero.any(axes, options) : total.eq(0);
  return where(isNone, 0, where(isNone, 1, total).pow(1 / p));
}

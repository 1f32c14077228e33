import { unaryOp } from "../op.ts";
import type { Tensor } from "../tensor.ts";

const TWO_OVER_SQRT_PI = 2 / Math.sqrt(Math.PI);

/** The error function. dL/dx = g * 2 / sqrt(pi) * e^(-x^2). */
export const erf: (x: Tensor) => Tensor = unaryOp("erf", ({ grad, x }) =>
  grad.mul(x.square().neg().exp().mul(TWO_OVER_SQRT_PI)),
);

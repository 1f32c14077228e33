import { toFloat } from "../operands.ts";
import type { Tensor } from "../tensor.ts";
import { where } from "./where.ts";

/** 1, -1/3!, 1/5!, ...: sin(z) / z in z^2, to 2e-9 for |z| <= 1. */
const TAYLOR = [1, -1 / 6, 1 / 120, -1 / 5040, 1 / 362_880];

/** sin(pi x) / (pi x), 1 at 0. Near 0 it is a polynomial, so that its gradients do not cancel there. */
export function sinc(x: Tensor): Tensor {
  const z = toFloat(x).mul(Math.PI);
  const isSmall = z.abs().lt(1);
  const square = where(isSmall, z, 0).square();
  const [last = 0, ...rest] = [...TAYLOR].reverse();
  const series = rest.reduce((sum, c) => sum.mul(square).add(c), square.mul(0).add(last));
  const angle = where(isSmall, 1, z);
  return where(isSmall, series, angle.sin().div(angle));
}

import { OptionError, ShapeError } from "../../../base/errors.ts";
import { formatShape } from "../../layout/shape.ts";
import { toFloat } from "../operands.ts";
import type { Tensor } from "../tensor.ts";
import { padWith } from "./pad.ts";
import { windows } from "./window.ts";

/** Options of `localResponseNorm`. */
export interface LocalResponseNormOptions {
  readonly alpha?: number;
  readonly beta?: number;
  readonly k?: number;
}

/**
 * x [B, C, ...]: y = x / (k + alpha * m)^beta, m the mean of the squares of `size` neighbouring channels, from
 * c - floor(size / 2) on; channels outside count as 0 (Krizhevsky et al., 2012, section 3.3). @throws ShapeError, OptionError
 */
export function localResponseNorm(
  x: Tensor,
  size: number,
  { alpha = 1e-4, beta = 0.75, k = 1 }: LocalResponseNormOptions = {},
): Tensor {
  const rank = x.shape.length;
  if (rank < 2) throw new ShapeError(`localResponseNorm: expected [B, C, ...], found ${formatShape(x.shape)}`);
  if (!Number.isInteger(size) || size < 1) {
    throw new OptionError(`localResponseNorm: expected a size that is a whole number from 1, found ${size}`);
  }
  const values = toFloat(x);
  if (x.size === 0) return values;
  const before = Math.floor(size / 2);
  const at = (count: number): number[] => x.shape.map((_, axis) => (axis === 1 ? count : 0));
  const around = { low: at(before), high: at(size - 1 - before), interior: at(0), value: 0 };
  const neighbours = windows(padWith(values.square(), around), { axis: 1, size, stride: 1, dilation: 1 });
  return values.div(neighbours.mean(-1).mul(alpha).add(k).pow(beta));
}

/** Activations that shrink what is near 0. */
import { OptionError } from "../../../base/errors.ts";
import type { Tensor } from "../tensor.ts";
import { where } from "./where.ts";

/** x moved toward 0 by lambda, 0 where |x| <= lambda. @throws OptionError */
export function softshrink(x: Tensor, lambda: number = 0.5): Tensor {
  if (!(lambda >= 0)) throw new OptionError(`softshrink: expected a lambda from 0, found ${lambda}`);
  return where(x.gt(lambda), x.sub(lambda), where(x.lt(-lambda), x.add(lambda), 0));
}

/** x, but 0 where |x| <= lambda. */
export function hardshrink(x: Tensor, lambda: number = 0.5): Tensor {
  return where(x.abs().gt(lambda), x, 0);
}

/** x - tanh(x). */
export function tanhshrink(x: Tensor): Tensor {
  return x.sub(x.tanh());
}

import type { Tensor } from "../tensor.ts";

/** `fn` of `x`; a number goes through it as a line of one element, whose axis is 0 or -1, as in PyTorch. */
export function asLine(x: Tensor, fn: (x: Tensor) => Tensor): Tensor {
  return x.shape.length === 0 ? fn(x.reshape([1])).reshape([]) : fn(x);
}

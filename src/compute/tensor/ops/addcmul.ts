import type { Operand } from "../operands.ts";
import type { Tensor } from "../tensor.ts";
import { div } from "./div.ts";
import { mul } from "./mul.ts";

/** Options of `addcmul` and `addcdiv`. */
export interface AddcOptions {
  /** Multiplies what is added; 1 by default. */
  readonly value?: number;
}

/** x + value * a * b, with broadcasting. */
export function addcmul(x: Tensor, a: Operand, b: Operand, { value = 1 }: AddcOptions = {}): Tensor {
  return x.add(mul(a, b).mul(value));
}

/** x + value * a / b, with broadcasting. */
export function addcdiv(x: Tensor, a: Operand, b: Operand, { value = 1 }: AddcOptions = {}): Tensor {
  return x.add(div(a, b).mul(value));
}

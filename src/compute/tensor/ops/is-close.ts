/** Equality of whole tensors, and equality within tolerances. */
import { sameShape } from "../../layout/shape.ts";
import { binaryOperands } from "../operands.ts";
import type { Operand } from "../operands.ts";
import type { Tensor } from "../tensor.ts";
import { isFinite, isNaN } from "./is-finite.ts";
import { eq } from "./compare.ts";

/** Options of `isClose` and `allClose`. */
export interface CloseOptions {
  /** Relative to |b|; 1e-5 by default. */
  readonly rtol?: number;
  /** 1e-8 by default. */
  readonly atol?: number;
  /** NaN equals NaN. */
  readonly equalNan?: boolean;
}

/** |a - b| <= atol + rtol * |b|, elementwise, with broadcasting: bool. Infinities are close to themselves alone. */
export function isClose(a: Operand, b: Operand, options: CloseOptions = {}): Tensor {
  const { rtol = 1e-5, atol = 1e-8, equalNan = false } = options;
  const [x, y] = binaryOperands("isClose", a, b);
  const isNear = x.sub(y).abs().cast("float32").le(y.abs().cast("float32").mul(rtol).add(atol)); // prettier-ignore
  const close = eq(x, y).logicalOr(isNear.logicalAnd(isFinite(x)).logicalAnd(isFinite(y)));
  return equalNan ? close.logicalOr(isNaN(x).logicalAnd(isNaN(y))) : close;
}

/** Reads back whether all elements are close. @throws ShapeError */
export async function allClose(a: Tensor, b: Operand, options: CloseOptions = {}): Promise<boolean> {
  return (await isClose(a, b, options).all().item()) !== 0;
}

/** Reads back whether the shapes and all elements are equal. */
export async function equal(a: Tensor, b: Tensor): Promise<boolean> {
  return sameShape(a.shape, b.shape) && (await eq(a, b).all().item()) !== 0;
}

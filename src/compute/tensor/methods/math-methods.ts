/** The methods of tensors for the rest of mathematics, elementwise: rounding, trigonometry, logic, bits. Each is the op of its name. */
import { ElementwiseMethods } from "./elementwise-methods.ts";
import type { Operand } from "../operands.ts";
import type { Tensor } from "../tensor.ts";
import { addcdiv, addcmul } from "../ops/addcmul.ts";
import type { AddcOptions } from "../ops/addcmul.ts";
import { acos, asin } from "../ops/asin.ts";
import { acosh, asinh, atanh } from "../ops/asinh.ts";
import { atan } from "../ops/atan.ts";
import { atan2 } from "../ops/atan2.ts";
import { bitwiseAnd, bitwiseLeftShift, bitwiseNot, bitwiseOr, bitwiseRightShift, bitwiseXor } from "../ops/bitwise.ts";
import { clampMax, clampMin } from "../ops/clamp.ts";
import { isFinite, isInf, isNaN } from "../ops/is-finite.ts";
import { signbit } from "../ops/signbit.ts";
import { logicalXor } from "../ops/compare.ts";
import { copysign } from "../ops/copysign.ts";
import { floorDivide } from "../ops/div.ts";
import { erfc } from "../ops/erfc.ts";
import { erfinv } from "../ops/erfinv.ts";
import { exp2 } from "../ops/exp2.ts";
import { expm1 } from "../ops/expm1.ts";
import { heaviside } from "../ops/heaviside.ts";
import { hypot } from "../ops/hypot.ts";
import { allClose, equal, isClose } from "../ops/is-close.ts";
import type { CloseOptions } from "../ops/is-close.ts";
import { lerp } from "../ops/lerp.ts";
import { lgamma } from "../ops/lgamma.ts";
import { logAddExp } from "../ops/log-add-exp.ts";
import { log1p } from "../ops/log1p.ts";
import { log10, log2 } from "../ops/log2.ts";
import { logit } from "../ops/logit.ts";
import type { LogitOptions } from "../ops/logit.ts";
import { nanToNum } from "../ops/nan-to-num.ts";
import type { NanToNumOptions } from "../ops/nan-to-num.ts";
import { digamma, polygamma } from "../ops/polygamma.ts";
import { prelu } from "../ops/prelu.ts";
import { fmod, remainder } from "../ops/remainder.ts";
import { sinc } from "../ops/sinc.ts";
import { cosh, sinh } from "../ops/sinh.ts";
import { tan } from "../ops/tan.ts";
import { frac, trunc } from "../ops/trunc.ts";

export abstract class MathMethods extends ElementwiseMethods {
  /** The largest whole number not above this / other, without a gradient. */
  floorDivide(this: Tensor, other: Operand): Tensor {
    return floorDivide(this, other);
  }
  /** this - other * floor(this / other): the sign of `other`, as Python's %. */
  remainder(this: Tensor, other: Operand): Tensor {
    return remainder(this, other);
  }
  /** this - other * trunc(this / other): the sign of this, as C's. */
  fmod(this: Tensor, other: Operand): Tensor {
    return fmod(this, other);
  }
  /** Without its fraction. */
  trunc(this: Tensor): Tensor {
    return trunc(this);
  }
  /** The fraction, with its sign. */
  frac(this: Tensor): Tensor {
    return frac(this);
  }
  /** log(1 + x), to the last digits for small x too. */
  log1p(this: Tensor): Tensor {
    return log1p(this);
  }
  /** e^x - 1, to the last digits for small x too. */
  expm1(this: Tensor): Tensor {
    return expm1(this);
  }
  /** The logarithm to base 2; exact for powers of two. */
  log2(this: Tensor): Tensor {
    return log2(this);
  }
  /** The logarithm to base 10. */
  log10(this: Tensor): Tensor {
    return log10(this);
  }
  /** 2^x; exact for whole x. */
  exp2(this: Tensor): Tensor {
    return exp2(this);
  }
  /** log(e^this + e^other), without overflow. */
  logAddExp(this: Tensor, other: Operand): Tensor {
    return logAddExp(this, other);
  }
  /** log(x / (1 - x)): the inverse of `sigmoid`. */
  logit(this: Tensor, options?: LogitOptions): Tensor {
    return logit(this, options);
  }
  /** The tangent. */
  tan(this: Tensor): Tensor {
    return tan(this);
  }
  /** The angle from -pi / 2 to pi / 2 of which x is the sine. */
  asin(this: Tensor): Tensor {
    return asin(this);
  }
  /** The angle from 0 to pi of which x is the cosine. */
  acos(this: Tensor): Tensor {
    return acos(this);
  }
  /** The angle from -pi / 2 to pi / 2 of which x is the tangent. */
  atan(this: Tensor): Tensor {
    return atan(this);
  }
  /** (e^x - e^-x) / 2 */
  sinh(this: Tensor): Tensor {
    return sinh(this);
  }
  /** (e^x + e^-x) / 2 */
  cosh(this: Tensor): Tensor {
    return cosh(this);
  }
  /** The inverse of `sinh`. */
  asinh(this: Tensor): Tensor {
    return asinh(this);
  }
  /** The inverse of `cosh`, from 1 on. */
  acosh(this: Tensor): Tensor {
    return acosh(this);
  }
  /** The inverse of `tanh`, within -1 and 1. */
  atanh(this: Tensor): Tensor {
    return atanh(this);
  }
  /** sin(pi x) / (pi x), 1 at 0. */
  sinc(this: Tensor): Tensor {
    return sinc(this);
  }
  /** 1 - erf(x), with its digits where it is small. */
  erfc(this: Tensor): Tensor {
    return erfc(this);
  }
  /** The inverse of `erf`. */
  erfinv(this: Tensor): Tensor {
    return erfinv(this);
  }
  /** log |Gamma(x)| */
  lgamma(this: Tensor): Tensor {
    return lgamma(this);
  }
  /** The derivative of `lgamma`. */
  digamma(this: Tensor): Tensor {
    return digamma(this);
  }
  /** The n-th derivative of `digamma`. */
  polygamma(this: Tensor, n: number): Tensor {
    return polygamma(n, this);
  }
  /** The angle from -pi to pi of the point (other, this). */
  atan2(this: Tensor, other: Operand): Tensor {
    return atan2(this, other);
  }
  /** sqrt(this^2 + other^2), without overflow. */
  hypot(this: Tensor, other: Operand): Tensor {
    return hypot(this, other);
  }
  /** this + weight * (end - this). */
  lerp(this: Tensor, end: Operand, weight: Operand): Tensor {
    return lerp(this, end, weight);
  }
  /** this + value * a * b. */
  addcmul(this: Tensor, a: Operand, b: Operand, options?: AddcOptions): Tensor {
    return addcmul(this, a, b, options);
  }
  /** this + value * a / b. */
  addcdiv(this: Tensor, a: Operand, b: Operand, options?: AddcOptions): Tensor {
    return addcdiv(this, a, b, options);
  }
  /** `min` where this is below it. */
  clampMin(this: Tensor, min: Operand): Tensor {
    return clampMin(this, min);
  }
  /** `max` where this is above it. */
  clampMax(this: Tensor, max: Operand): Tensor {
    return clampMax(this, max);
  }
  /** |this| with the sign of `other`. */
  copysign(this: Tensor, other: Operand): Tensor {
    return copysign(this, other);
  }
  /** 0 below 0, `values` at 0, 1 above. */
  heaviside(this: Tensor, values: Operand): Tensor {
    return heaviside(this, values);
  }
  /** With numbers in place of NaN (0) and infinities (the largest finite ones). */
  nanToNum(this: Tensor, options?: NanToNumOptions): Tensor {
    return nanToNum(this, options);
  }
  /** Is not a number (bool). */
  isNaN(this: Tensor): Tensor {
    return isNaN(this);
  }
  /** Is infinite (bool). */
  isInf(this: Tensor): Tensor {
    return isInf(this);
  }
  /** Is neither infinite nor NaN (bool). */
  isFinite(this: Tensor): Tensor {
    return isFinite(this);
  }
  /** Has a minus, as -0 has (bool). */
  signbit(this: Tensor): Tensor {
    return signbit(this);
  }
  /** |this - other| <= atol + rtol * |other| (bool). */
  isClose(this: Tensor, other: Operand, options?: CloseOptions): Tensor {
    return isClose(this, other, options);
  }
  /** Reads back whether all elements are close. */
  allClose(this: Tensor, other: Operand, options?: CloseOptions): Promise<boolean> {
    return allClose(this, other, options);
  }
  /** Reads back whether shapes and elements are equal. Elementwise: `eq`. */
  equal(this: Tensor, other: Tensor): Promise<boolean> {
    return equal(this, other);
  }
  /** One of them is not 0, the other is (bool). */
  logicalXor(this: Tensor, other: Operand): Tensor {
    return logicalXor(this, other);
  }
  /** this & other, of integers and bools. */
  bitwiseAnd(this: Tensor, other: Operand): Tensor {
    return bitwiseAnd(this, other);
  }
  /** this | other, of integers and bools. */
  bitwiseOr(this: Tensor, other: Operand): Tensor {
    return bitwiseOr(this, other);
  }
  /** this ^ other, of integers and bools. */
  bitwiseXor(this: Tensor, other: Operand): Tensor {
    return bitwiseXor(this, other);
  }
  /** ~this, of integers and bools. */
  bitwiseNot(this: Tensor): Tensor {
    return bitwiseNot(this);
  }
  /** this * 2^bits, modulo 2^32. */
  bitwiseLeftShift(this: Tensor, bits: Operand): Tensor {
    return bitwiseLeftShift(this, bits);
  }
  /** floor(this / 2^bits). */
  bitwiseRightShift(this: Tensor, bits: Operand): Tensor {
    return bitwiseRightShift(this, bits);
  }
  /** x where x > 0, else weight * x, with a weight for each channel (axis 1) or for all. */
  prelu(this: Tensor, weight: Tensor): Tensor {
    return prelu(this, weight);
  }
}

/** The elementwise methods of tensors: each is the op of its name. Operands broadcast; a number takes the tensor's dtype. */
import type { DType } from "../../layout/dtype.ts";
import type { Operand } from "../operands.ts";
import type { Tensor } from "../tensor.ts";
import { abs } from "../ops/abs.ts";
import { add } from "../ops/add.ts";
import { castTo } from "../ops/cast.ts";
import { ceil } from "../ops/ceil.ts";
import { clamp } from "../ops/clamp.ts";
import type { ClampOptions } from "../ops/clamp.ts";
import { eq, ge, gt, le, logicalAnd, logicalNot, logicalOr, lt, ne } from "../ops/compare.ts";
import { cos } from "../ops/cos.ts";
import { div } from "../ops/div.ts";
import type { DivOptions } from "../ops/div.ts";
import { erf } from "../ops/erf.ts";
import { exp } from "../ops/exp.ts";
import { floor } from "../ops/floor.ts";
import { gelu } from "../ops/gelu.ts";
import type { GeluOptions } from "../ops/gelu.ts";
import { leakyRelu } from "../ops/leaky-relu.ts";
import { log } from "../ops/log.ts";
import { maskedFill } from "../ops/masked-fill.ts";
import { maximum } from "../ops/maximum.ts";
import { minimum } from "../ops/minimum.ts";
import { mul } from "../ops/mul.ts";
import { neg } from "../ops/neg.ts";
import { pow } from "../ops/pow.ts";
import { reciprocal } from "../ops/reciprocal.ts";
import { relu } from "../ops/relu.ts";
import { round } from "../ops/round.ts";
import type { RoundOptions } from "../ops/round.ts";
import { rsqrt } from "../ops/rsqrt.ts";
import { sigmoid } from "../ops/sigmoid.ts";
import { sign } from "../ops/sign.ts";
import { silu } from "../ops/silu.ts";
import { sin } from "../ops/sin.ts";
import { sqrt } from "../ops/sqrt.ts";
import { square } from "../ops/square.ts";
import { sub } from "../ops/sub.ts";
import { tanh } from "../ops/tanh.ts";
import { where } from "../ops/where.ts";

export abstract class ElementwiseMethods {
  /** this + other. Operands of `add` and its relatives broadcast, and promote to a common dtype. */
  add(this: Tensor, other: Operand): Tensor {
    return add(this, other);
  }
  /** this - other */
  sub(this: Tensor, other: Operand): Tensor {
    return sub(this, other);
  }
  /** this * other */
  mul(this: Tensor, other: Operand): Tensor {
    return mul(this, other);
  }
  /** True division: float32, of integers too; `roundingMode` rounds it. */
  div(this: Tensor, other: Operand, options?: DivOptions): Tensor {
    return div(this, other, options);
  }
  /** this to the power `exponent`. */
  pow(this: Tensor, exponent: Operand): Tensor {
    return pow(this, exponent);
  }
  /** The larger of this and `other`, elementwise. */
  maximum(this: Tensor, other: Operand): Tensor {
    return maximum(this, other);
  }
  /** The smaller of this and `other`, elementwise. */
  minimum(this: Tensor, other: Operand): Tensor {
    return minimum(this, other);
  }
  /** Limited to [min, max], numbers or tensors; also as options. */
  clamp(this: Tensor, min?: Operand | ClampOptions | null, max?: Operand | null): Tensor {
    return clamp(this, min, max);
  }

  /** this = other (bool), as all comparisons. */
  eq(this: Tensor, other: Operand): Tensor {
    return eq(this, other);
  }
  /** this is not other (bool). */
  ne(this: Tensor, other: Operand): Tensor {
    return ne(this, other);
  }
  /** this < other (bool) */
  lt(this: Tensor, other: Operand): Tensor {
    return lt(this, other);
  }
  /** this <= other (bool) */
  le(this: Tensor, other: Operand): Tensor {
    return le(this, other);
  }
  /** this > other (bool) */
  gt(this: Tensor, other: Operand): Tensor {
    return gt(this, other);
  }
  /** this >= other (bool) */
  ge(this: Tensor, other: Operand): Tensor {
    return ge(this, other);
  }
  /** Both are not 0 (bool). */
  logicalAnd(this: Tensor, other: Operand): Tensor {
    return logicalAnd(this, other);
  }
  /** One of them is not 0 (bool). */
  logicalOr(this: Tensor, other: Operand): Tensor {
    return logicalOr(this, other);
  }
  /** This is 0 (bool). */
  logicalNot(this: Tensor): Tensor {
    return logicalNot(this);
  }
  /** `yes` where this is not 0, else `no`. */
  where(this: Tensor, yes: Operand, no: Operand): Tensor {
    return where(this, yes, no);
  }
  /** `value` where `mask` is not 0, else this. */
  maskedFill(this: Tensor, mask: Tensor, value: Operand): Tensor {
    return maskedFill(this, mask, value);
  }
  /** float32 to integers truncates; anything to bool is x != 0. Integers carry no gradient. */
  cast(this: Tensor, dtype: DType): Tensor {
    return castTo(this, dtype);
  }
  /** The same as `cast`. */
  to(this: Tensor, dtype: DType): Tensor {
    return castTo(this, dtype);
  }
  /** `cast("float32")` */
  float(this: Tensor): Tensor {
    return castTo(this, "float32");
  }
  /** `cast("float16")` */
  half(this: Tensor): Tensor {
    return castTo(this, "float16");
  }
  /** `cast("int32")` */
  int(this: Tensor): Tensor {
    return castTo(this, "int32");
  }
  /** `cast("bool")` */
  bool(this: Tensor): Tensor {
    return castTo(this, "bool");
  }

  /** -x */
  neg(this: Tensor): Tensor {
    return neg(this);
  }
  /** |x|; its gradient is 0 at 0. */
  abs(this: Tensor): Tensor {
    return abs(this);
  }
  /** -1, 0 or 1. */
  sign(this: Tensor): Tensor {
    return sign(this);
  }
  /** The largest whole number not above x. */
  floor(this: Tensor): Tensor {
    return floor(this);
  }
  /** The smallest whole number not below x. */
  ceil(this: Tensor): Tensor {
    return ceil(this);
  }
  /** To the nearest whole number, the even one of two; or to `decimals`. */
  round(this: Tensor, options?: RoundOptions): Tensor {
    return round(this, options);
  }
  /** e^x */
  exp(this: Tensor): Tensor {
    return exp(this);
  }
  /** The natural logarithm. */
  log(this: Tensor): Tensor {
    return log(this);
  }
  /** The square root. */
  sqrt(this: Tensor): Tensor {
    return sqrt(this);
  }
  /** 1 / sqrt(x) */
  rsqrt(this: Tensor): Tensor {
    return rsqrt(this);
  }
  /** x * x */
  square(this: Tensor): Tensor {
    return square(this);
  }
  /** 1 / x */
  reciprocal(this: Tensor): Tensor {
    return reciprocal(this);
  }
  /** The sine of radians. */
  sin(this: Tensor): Tensor {
    return sin(this);
  }
  /** The cosine of radians. */
  cos(this: Tensor): Tensor {
    return cos(this);
  }
  /** The hyperbolic tangent. */
  tanh(this: Tensor): Tensor {
    return tanh(this);
  }
  /** The error function. */
  erf(this: Tensor): Tensor {
    return erf(this);
  }
  /** 1 / (1 + e^-x) */
  sigmoid(this: Tensor): Tensor {
    return sigmoid(this);
  }
  /** max(x, 0); its gradient is 0 at 0. */
  relu(this: Tensor): Tensor {
    return relu(this);
  }
  /** x where x > 0, else `negativeSlope` (0.01) times x. */
  leakyRelu(this: Tensor, negativeSlope?: number): Tensor {
    return leakyRelu(this, negativeSlope);
  }
  /** x * Phi(x), exactly by default, by tanh with `approximate`. */
  gelu(this: Tensor, options?: GeluOptions): Tensor {
    return gelu(this, options);
  }
  /** x * sigmoid(x) */
  silu(this: Tensor): Tensor {
    return silu(this);
  }
}

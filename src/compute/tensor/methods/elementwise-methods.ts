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
  add(this: Tensor, other: Operand): Tensor {
    return add(this, other);
  }
  sub(this: Tensor, other: Operand): Tensor {
    return sub(this, other);
  }
  mul(this: Tensor, other: Operand): Tensor {
    return mul(this, other);
  }
  /** True division: float32, of integers too; `roundingMode` rounds it. */
  div(this: Tensor, other: Operand, options?: DivOptions): Tensor {
    return div(this, other, options);
  }
  pow(this: Tensor, exponent: Operand): Tensor {
    return pow(this, exponent);
  }
  maximum(this: Tensor, other: Operand): Tensor {
    return maximum(this, other);
  }
  minimum(this: Tensor, other: Operand): Tensor {
    return minimum(this, other);
  }
  /** Limited to [min, max], numbers or tensors; also as options. */
  clamp(this: Tensor, min?: Operand | ClampOptions | null, max?: Operand | null): Tensor {
    return clamp(this, min, max);
  }

  eq(this: Tensor, other: Operand): Tensor {
    return eq(this, other);
  }
  ne(this: Tensor, other: Operand): Tensor {
    return ne(this, other);
  }
  lt(this: Tensor, other: Operand): Tensor {
    return lt(this, other);
  }
  le(this: Tensor, other: Operand): Tensor {
    return le(this, other);
  }
  gt(this: Tensor, other: Operand): Tensor {
    return gt(this, other);
  }
  ge(this: Tensor, other: Operand): Tensor {
    return ge(this, other);
  }
  logicalAnd(this: Tensor, other: Operand): Tensor {
    return logicalAnd(this, other);
  }
  logicalOr(this: Tensor, other: Operand): Tensor {
    return logicalOr(this, other);
  }
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

  neg(this: Tensor): Tensor {
    return neg(this);
  }
  abs(this: Tensor): Tensor {
    return abs(this);
  }
  sign(this: Tensor): Tensor {
    return sign(this);
  }
  floor(this: Tensor): Tensor {
    return floor(this);
  }
  ceil(this: Tensor): Tensor {
    return ceil(this);
  }
  /** To the nearest whole number, the even one of two; or to `decimals`. */
  round(this: Tensor, options?: RoundOptions): Tensor {
    return round(this, options);
  }
  exp(this: Tensor): Tensor {
    return exp(this);
  }
  log(this: Tensor): Tensor {
    return log(this);
  }
  sqrt(this: Tensor): Tensor {
    return sqrt(this);
  }
  rsqrt(this: Tensor): Tensor {
    return rsqrt(this);
  }
  square(this: Tensor): Tensor {
    return square(this);
  }
  reciprocal(this: Tensor): Tensor {
    return reciprocal(this);
  }
  sin(this: Tensor): Tensor {
    return sin(this);
  }
  cos(this: Tensor): Tensor {
    return cos(this);
  }
  tanh(this: Tensor): Tensor {
    return tanh(this);
  }
  erf(this: Tensor): Tensor {
    return erf(this);
  }
  sigmoid(this: Tensor): Tensor {
    return sigmoid(this);
  }
  relu(this: Tensor): Tensor {
    return relu(this);
  }
  leakyRelu(this: Tensor, negativeSlope?: number): Tensor {
    return leakyRelu(this, negativeSlope);
  }
  gelu(this: Tensor, options?: GeluOptions): Tensor {
    return gelu(this, options);
  }
  silu(this: Tensor): Tensor {
    return silu(this);
  }
}

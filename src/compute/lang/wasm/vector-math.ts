/** Arithmetic on vectors of four as functions of what pushes an operand, so that formulas read as such. */
import type { Code } from "./code.ts";
import type { Opcode } from "./opcodes.ts";

/** Leaves one operand on the stack. */
export type Push = () => void;

/** Builds formulas into one function's code. */
export class VectorMath {
  readonly code: Code;

  constructor(code: Code) {
    this.code = code;
  }

  /** An instruction over its operands. */
  op(name: Opcode, ...operands: readonly Push[]): Push {
    return () => {
      for (const push of operands) push();
      this.code.op(name);
    };
  }

  /** The same float in all lanes. */
  number(value: number): Push {
    return () => this.code.f32x4(value);
  }

  /** The same integer, or the same 32 bits, in all lanes. */
  bits(value: number): Push {
    return () => this.code.i32x4(value);
  }

  double(value: number): Push {
    return () => this.code.f64x2(value);
  }

  /** `x` computed here, once. */
  keep(x: Push): Push {
    const local = this.code.local("v128");
    x();
    this.code.set(local);
    return () => this.code.get(local);
  }

  add(a: Push, b: Push): Push {
    return this.op("f32x4.add", a, b);
  }

  subtract(a: Push, b: Push): Push {
    return this.op("f32x4.sub", a, b);
  }

  multiply(a: Push, b: Push): Push {
    return this.op("f32x4.mul", a, b);
  }

  divide(a: Push, b: Push): Push {
    return this.op("f32x4.div", a, b);
  }

  /** Where the mask's bits are set `yes`, else `no`. */
  choose(mask: Push, yes: Push, no: Push): Push {
    return this.op("v128.bitselect", yes, no, mask);
  }

  /** x * y + z, rounded once where that is an instruction. */
  multiplyAdd(x: Push, y: Push, z: Push): Push {
    if (this.code.hasMultiplyAdd) return this.op("f32x4.relaxed_madd", x, y, z);
    return this.add(this.multiply(x, y), z);
  }

  /** z - x * y, rounded once where that is an instruction. */
  subtractProduct(z: Push, x: Push, y: Push): Push {
    if (this.code.hasMultiplyAdd) return this.op("f32x4.relaxed_nmadd", x, y, z);
    return this.subtract(z, this.multiply(x, y));
  }

  /** coefficients[0] + x * (coefficients[1] + ...) */
  polynomial(x: Push, coefficients: readonly number[]): Push {
    const [first = 0, ...rest] = [...coefficients].reverse();
    return rest.reduce((sum, coefficient) => this.multiplyAdd(sum, x, this.number(coefficient)), this.number(first));
  }

  shifted(name: "i32x4.shl" | "i32x4.shr_s" | "i32x4.shr_u", x: Push, count: number): Push {
    return () => {
      x();
      this.code.i32(count);
      this.code.op(name);
    };
  }

  /** |x| with the sign of `sign`. */
  withSignOf(x: Push, sign: Push): Push {
    const signBit = this.bits(-0x80000000);
    return this.op("v128.or", this.op("v128.and", sign, signBit), this.op("f32x4.abs", x));
  }

  /** The two upper lanes of `x` in the place of the lower ones. */
  upper(x: Push): Push {
    return () => {
      x();
      x();
      this.code.shuffle([2, 3, 2, 3]);
    };
  }

  /** The two lower lanes of `low`, then those of `high`. */
  joined(low: Push, high: Push): Push {
    return () => {
      low();
      high();
      this.code.shuffle([0, 1, 4, 5]);
    };
  }
}

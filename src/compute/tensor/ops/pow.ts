import { OptionError } from "../../../base/errors.ts";
import { binary } from "../../compiler/graph.ts";
import { defineOp } from "../op.ts";
import { binaryOperands, commonDType, floatOperands } from "../operands.ts";
import type { Operand } from "../operands.ts";
import type { Tensor } from "../tensor.ts";

const PRODUCTS_MAX = 8;

/** With y = a^b: dL/da = g * b * a^(b - 1); dL/db = g * y * log(a), and 0 where a = 0. */
const op = defineOp<[Tensor, Tensor]>({
  name: "pow",
  forward: ([a, b]) => binary("power", a, b),
  backward: ({ grad, inputs: [a, b], output }) => {
    const isZero = a.eq(0);
    const logA = isZero.where(1, a).log();
    // x^0 is 1 at 0 too, where x^-1 is infinite.
    const isFlat = b.eq(0);
    const slope = isFlat
      .where(1, a)
      .pow(isFlat.where(1, b.sub(1)))
      .mul(b);
    return [grad.mul(slope), isZero.where(0, grad.mul(output).mul(logA))];
  },
});

const ofIntegers = defineOp<[Tensor, Tensor]>({
  name: "pow",
  forward: ([a, b]) => binary("power", a, b),
  backward: null,
});

/**
 * a^b, elementwise, with broadcasting. A small whole number b becomes products, which are exact for negative a too.
 * Integers stay integers, modulo 2^32. @throws OptionError for integers to a negative whole number
 */
export function pow(a: Operand, b: Operand): Tensor {
  if (typeof a !== "number" && typeof b === "number") {
    if (b === 0.5) return a.sqrt();
    if (Number.isInteger(b) && b >= 1 && b <= PRODUCTS_MAX) return product(a, b);
  }
  const dtype = commonDType(a, b);
  if (dtype !== "int32" && dtype !== "uint32") return op(floatOperands("pow", a, b), null);
  if (typeof b === "number" && b < 0) {
    throw new OptionError(`pow: expected an exponent from 0 for integers, found ${b}`);
  }
  return ofIntegers(binaryOperands("pow", a, b), null);
}

/** a^n by squaring. */
function product(a: Tensor, n: number): Tensor {
  if (n === 1) return a;
  const half = product(a, Math.floor(n / 2));
  const square = half.mul(half);
  return n % 2 === 0 ? square : square.mul(a);
}

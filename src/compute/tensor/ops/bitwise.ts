/** Bits of integers; on bools, logic. No gradients. */
import { UnsupportedError } from "../../../base/errors.ts";
import { binary, constant, unary } from "../../compiler/graph.ts";
import type { Node } from "../../compiler/ir.ts";
import { isFloat } from "../../layout/dtype.ts";
import { choose, complement, isAbove, isBelow, minus, over } from "../node-arithmetic.ts";
import { defineOp } from "../op.ts";
import { binaryOperands } from "../operands.ts";
import type { Operand } from "../operands.ts";
import type { Tensor } from "../tensor.ts";

function bitwiseOp(name: string, forward: (a: Node, b: Node) => Node): (a: Operand, b: Operand) => Tensor {
  const op = defineOp<[Tensor, Tensor]>({ name, forward: ([a, b]) => forward(a, b), backward: null });
  return (a, b) => {
    const operands = binaryOperands(name, a, b);
    checkIntegers(name, operands[0]);
    return op(operands, null);
  };
}

function checkIntegers(name: string, { dtype }: Tensor): void {
  if (isFloat(dtype)) throw new UnsupportedError(`${name}: expected integers or bools, found ${dtype}`);
}

/** a & b @throws UnsupportedError for floats, as its relatives */
export const bitwiseAnd: (a: Operand, b: Operand) => Tensor = bitwiseOp("bitwiseAnd", (a, b) => binary("and", a, b));

/** a | b */
export const bitwiseOr: (a: Operand, b: Operand) => Tensor = bitwiseOp("bitwiseOr", (a, b) => binary("or", a, b));

/** a ^ b: what a | b has and a & b has not. */
export const bitwiseXor: (a: Operand, b: Operand) => Tensor = bitwiseOp("bitwiseXor", (a, b) =>
  a.dtype === "bool" ? binary("notEqual", a, b) : minus(binary("or", a, b), binary("and", a, b)),
);

const notOp = defineOp<[Tensor]>({
  name: "bitwiseNot",
  forward: ([x]) => (x.dtype === "bool" ? unary("not", x) : complement(x.dtype === "int32" ? -1 : 2 ** 32 - 1, x)),
  backward: null,
});

/** ~x */
export function bitwiseNot(x: Tensor): Tensor {
  checkIntegers("bitwiseNot", x);
  return notOp([x], null);
}

/** 2^n, modulo 2^32: 0 from n = 32 on. */
function powerOf(n: Node): Node {
  return binary("power", constant(2, n.shape, n.dtype), n);
}

const leftOp = shiftOp("bitwiseLeftShift", (x, n) => binary("multiply", x, choose(isAbove(n, 31), 0, powerOf(n))));

/** Division by 2^n rounds toward zero: of x < 0 it is ~(~x / 2^n). From n = 31 on only the sign is left. */
const rightOp = shiftOp("bitwiseRightShift", (x, n) => {
  if (x.dtype === "uint32") return choose(isAbove(n, 31), 0, over(x, powerOf(n)));
  const isNegative = isBelow(x, 0);
  const size = choose(isNegative, complement(-1, x), x);
  const shifted = choose(isAbove(n, 30), 0, over(size, powerOf(n)));
  return choose(isNegative, complement(-1, shifted), shifted);
});

function shiftOp(name: string, forward: (x: Node, n: Node) => Node): (x: Operand, n: Operand) => Tensor {
  const shift = bitwiseOp(name, forward);
  return (x, n) => {
    const [a, b] = binaryOperands(name, x, n);
    return a.dtype === "bool" ? shift(a.cast("int32"), b.cast("int32")) : shift(a, b);
  };
}

/** x * 2^n modulo 2^32, for n >= 0. */
export function bitwiseLeftShift(x: Operand, n: Operand): Tensor {
  return leftOp(x, n);
}

/** floor(x / 2^n), for n >= 0. */
export function bitwiseRightShift(x: Operand, n: Operand): Tensor {
  return rightOp(x, n);
}

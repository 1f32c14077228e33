import { OptionError } from "../../../base/errors.ts";
import { binary, unary } from "../../compiler/graph.ts";
import type { Node } from "../../compiler/ir.ts";
import { isFloat } from "../../layout/dtype.ts";
import { choose, isAbove, isEqual, minus, over, plus } from "../node-arithmetic.ts";
import { defineOp } from "../op.ts";
import { binaryOperands, floatOperands } from "../operands.ts";
import type { Operand } from "../operands.ts";
import type { Tensor } from "../tensor.ts";
import { isOpposite } from "./remainder.ts";

/** With y = a / b: dL/da = g / b; dL/db = -g * y / b. */
const op = defineOp<[Tensor, Tensor]>({
  name: "div",
  forward: ([a, b]) => binary("divide", a, b),
  backward: ({ grad, inputs: [, b], output }) => {
    const share = grad.div(b);
    return [share, share.mul(output).neg()];
  },
});

const truncOp = defineOp<[Tensor, Tensor]>({
  name: "truncDivide",
  forward: ([a, b]) => (isFloat(a.dtype) ? unary("trunc", over(a, b)) : over(a, b)),
  backward: ({ grad }) => [grad.mul(0), grad.mul(0)],
});

const floorOp = defineOp<[Tensor, Tensor]>({
  name: "floorDivide",
  forward: ([a, b]) => (isFloat(a.dtype) ? floorOfFloats(a, b) : floorOfIntegers(a, b)),
  backward: ({ grad }) => [grad.mul(0), grad.mul(0)],
});

function floorOfIntegers(a: Node, b: Node): Node {
  const whole = over(a, b);
  return a.dtype === "int32" ? choose(isOpposite(binary("remainder", a, b), b), minus(whole, 1), whole) : whole;
}

/** By the remainder, which is exact: a / b may be rounded up to a whole number. a / 0 stays what it is. */
function floorOfFloats(a: Node, b: Node): Node {
  const rest = binary("remainder", a, b);
  const nearly = over(minus(a, rest), b);
  const quotient = choose(isOpposite(rest, b), minus(nearly, 1), nearly);
  const low = unary("floor", quotient);
  const whole = choose(isAbove(minus(quotient, low), 0.5), plus(low, 1), low);
  return choose(isEqual(b, 0), over(a, b), whole);
}

/** Options of `div`. */
export interface DivOptions {
  /** "trunc" rounds toward zero, "floor" down, both with gradients of 0; null (the default) does not round. */
  readonly roundingMode?: "trunc" | "floor" | null;
}

/** a / b, elementwise, with broadcasting. Unless rounded, integers give float32. @throws OptionError */
export function div(a: Operand, b: Operand, { roundingMode = null }: DivOptions = {}): Tensor {
  switch (roundingMode) {
    case null:
      return op(floatOperands("div", a, b), null);
    case "trunc":
      return truncOp(binaryOperands("div", a, b), null);
    case "floor":
      return floorDivide(a, b);
    default:
      roundingMode satisfies never;
      throw new OptionError(`div: expected a roundingMode of trunc, floor or null, found ${String(roundingMode)}`);
  }
}

/** The largest whole number not above a / b, in the operands' dtype; its gradients are 0. Of integers, a for b = 0. */
export function floorDivide(a: Operand, b: Operand): Tensor {
  return floorOp(binaryOperands("floorDivide", a, b), null);
}

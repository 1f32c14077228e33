import { binary } from "../../compiler/graph.ts";
import type { Node } from "../../compiler/ir.ts";
import { choose, isAbove, isBelow, plus } from "../node-arithmetic.ts";
import { defineOp } from "../op.ts";
import type { Backward } from "../op.ts";
import { binaryOperands } from "../operands.ts";
import type { Operand } from "../operands.ts";
import type { Tensor } from "../tensor.ts";

/** dL/da = g; dL/db = -g * (a - y) / b, which is a whole number. */
function backward({ grad, inputs: [a, b], output }: Backward<[Tensor, Tensor], null>): [Tensor, Tensor] {
  return [grad, grad.mul(a.sub(output).div(b).round()).neg()];
}

const fmodOp = defineOp<[Tensor, Tensor]>({
  name: "fmod",
  forward: ([a, b]) => binary("remainder", a, b),
  backward,
});

const remainderOp = defineOp<[Tensor, Tensor]>({
  name: "remainder",
  forward: ([a, b]) => {
    const rest = binary("remainder", a, b);
    return choose(isOpposite(rest, b), plus(rest, b), rest);
  },
  backward,
});

/** True where `rest` is not 0 and has not the sign of `b`: bool. */
export function isOpposite(rest: Node, b: Node): Node {
  return choose(isBelow(b, 0), isAbove(rest, 0), isBelow(rest, 0));
}

/** a - b * trunc(a / b): the sign of a, as C's. Of integers, 0 for b = 0. */
export function fmod(a: Operand, b: Operand): Tensor {
  return fmodOp(binaryOperands("fmod", a, b), null);
}

/** a - b * floor(a / b): the sign of b, as Python's. Of integers, 0 for b = 0. */
export function remainder(a: Operand, b: Operand): Tensor {
  return remainderOp(binaryOperands("remainder", a, b), null);
}

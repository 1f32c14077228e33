import { binary, constant, select, unary } from "../../compiler/graph.ts";
import type { Node } from "../../compiler/ir.ts";
import { defineWideOp } from "../wide-op.ts";
import { toFloat } from "../operands.ts";
import type { Tensor } from "../tensor.ts";

/** With y = sigmoid(x): dL/dx = g * y * (1 - y). */
const op = defineWideOp<[Tensor]>({
  name: "sigmoid",
  forward: ([x]) => sigmoidNode(x),
  backward: ({ grad, output: y }) => [grad.mul(y).mul(y.neg().add(1))],
});

/** 1 / (1 + e^-x), by e^-|x|, which never overflows. */
function sigmoidNode(x: Node): Node {
  const one = constant(1, x.shape, "float32");
  const small = unary("exp", unary("negate", unary("abs", x)));
  const below = binary("less", x, constant(0, x.shape, "float32"));
  return binary("divide", select(below, small, one), binary("add", one, small));
}

/** 1 / (1 + e^-x). */
export function sigmoid(x: Tensor): Tensor {
  return op([toFloat(x)], null);
}

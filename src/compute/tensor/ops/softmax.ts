import { binary, expand, reduce, unary } from "../../compiler/graph.ts";
import type { Node } from "../../compiler/ir.ts";
import { defineWideOp } from "../wide-op.ts";
import { toFloat } from "../operands.ts";
import { normalizeAxis } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import { asLine } from "./as-line.ts";

/** With s = softmax(x): dL/dx = s * (g - sum(g * s)). Keeps only the output. */
const op = defineWideOp<[Tensor], { axis: number }>({
  name: "softmax",
  forward: ([x], { axis }) => {
    const { exponentials, sum } = shiftedExponentials(x, axis);
    return binary("divide", exponentials, expand(sum, x.shape));
  },
  backward: ({ grad, output, options: { axis } }) => {
    const dot = grad.mul(output).sum(axis, { keepDim: true });
    return [output.mul(grad.sub(dot))];
  },
});

/** With s = softmax(x): dL/dx = g - s * sum(g). Keeps only the output. */
const logOp = defineWideOp<[Tensor], { axis: number }>({
  name: "logSoftmax",
  forward: ([x], { axis }) => {
    const { shifted, sum } = shiftedExponentials(x, axis);
    return binary("subtract", shifted, expand(unary("log", sum), x.shape));
  },
  backward: ({ grad, output, options: { axis } }) => [grad.sub(output.exp().mul(grad.sum(axis, { keepDim: true })))],
});

/** dL/dx = g * softmax(x): e^(x - output) would have the digits of x, not of its distance from the output. */
const sumOp = defineWideOp<[Tensor], { axis: number }>({
  name: "logSumExp",
  forward: ([x], { axis }) => {
    const { max, sum } = shiftedExponentials(x, axis);
    return binary("add", max, unary("log", sum));
  },
  backward: ({ grad, inputs: [x], options: { axis } }) => [softmax(x, axis).mul(grad)],
});

/** Along an axis: max(x), which keeps size 1; x - max(x); e^(x - max(x)), which cannot overflow; and its sum. */
export interface ShiftedExponentials {
  readonly max: Node;
  readonly shifted: Node;
  readonly exponentials: Node;
  readonly sum: Node;
}

/** What softmax and its logarithm are made of. */
export function shiftedExponentials(x: Node, axis: number): ShiftedExponentials {
  const max = reduce("maximum", x, [axis]);
  const shifted = binary("subtract", x, expand(max, x.shape));
  const exponentials = unary("exp", shifted);
  return { max, shifted, exponentials, sum: reduce("sum", exponentials, [axis]) };
}

/** e^x / sum(e^x) along `axis`. */
export function softmax(x: Tensor, axis: number): Tensor {
  return asLine(toFloat(x), (line) => op([line], { axis: normalizeAxis("softmax", axis, line.shape.length) }));
}

/** log(softmax(x)) along `axis`. */
export function logSoftmax(x: Tensor, axis: number): Tensor {
  return asLine(toFloat(x), (line) => logOp([line], { axis: normalizeAxis("logSoftmax", axis, line.shape.length) }));
}

/** log(sum(e^x)) along `axis`, which keeps size 1. */
export function logSumExpKept(x: Tensor, axis: number): Tensor {
  return sumOp([toFloat(x)], { axis: normalizeAxis("logSumExp", axis, x.shape.length) });
}

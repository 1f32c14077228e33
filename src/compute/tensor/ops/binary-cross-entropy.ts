/** Cross entropy of two classes, of probabilities and of logits. */
import { binary, constant, select, unary } from "../../compiler/graph.ts";
import type { Node } from "../../compiler/ir.ts";
import { defineOp } from "../op.ts";
import { floatOperands } from "../operands.ts";
import type { Tensor } from "../tensor.ts";
import { logSigmoid } from "./log-sigmoid.ts";
import { checkPair, reduceLoss } from "./reduce-loss.ts";
import type { LossOptions } from "./reduce-loss.ts";

/** Options of `bce`. */
export interface BceOptions extends LossOptions {
  /** What the losses are multiplied with; broadcasts to them. */
  readonly weight?: Tensor | null;
}

/** Options of `bceWithLogits`. */
export interface BceWithLogitsOptions extends BceOptions {
  /** How much more ones count than zeros, for each class; broadcasts to the logits. */
  readonly posWeight?: Tensor | null;
}

const LOG_MIN = -100; // The logarithm of 0 is taken for this, as in PyTorch, so that losses stay finite;
const SLOPE_MIN = 1e-12; // and so do their gradients.
const SMALLEST = 1e-37; // About the smallest float32 that no device takes for 0.

/** log(x); -100 for 0. */
function boundedLog(x: Node): Node {
  const like = (value: number): Node => constant(value, x.shape, x.dtype);
  const isSmall = binary("lessEqual", x, like(SMALLEST));
  return select(isSmall, like(LOG_MIN), unary("log", select(isSmall, like(1), x)));
}

/** log(1 - x) - log(x), bounded alike. dL/dx = -g / (x (1 - x)). */
const oddsOp = defineOp<[Tensor]>({
  name: "bce",
  forward: ([x]) => binary("subtract", boundedLog(complement(x)), boundedLog(x)),
  backward: ({ grad, inputs: [x] }) => [grad.div(slope(x)).neg()],
});

/** -(y log(x) + (1 - y) log(1 - x)). dL/dx = g (x - y) / (x (1 - x)), dL/dy = g (log(1 - x) - log(x)). */
const op = defineOp<[Tensor, Tensor]>({
  name: "bce",
  forward: ([x, y]) => {
    const one = binary("multiply", y, boundedLog(x));
    const zero = binary("multiply", complement(y), boundedLog(complement(x)));
    return unary("negate", binary("add", one, zero));
  },
  backward: ({ grad, inputs: [x, y] }) => [grad.mul(x.sub(y)).div(slope(x)), grad.mul(oddsOp([x], null))],
});

function complement(x: Node): Node {
  return binary("subtract", constant(1, x.shape, x.dtype), x);
}

function slope(x: Tensor): Tensor {
  return x.neg().add(1).mul(x).maximum(SLOPE_MIN);
}

/**
 * -(y log(x) + (1 - y) log(1 - x)) of probabilities x and targets y, both in [0, 1] and of one shape; logarithms stop at
 * -100. [..] and [..] -> [] (or [..] for "none"). @throws ShapeError, OptionError
 */
export function bce(x: Tensor, y: Tensor, { weight = null, reduction }: BceOptions = {}): Tensor {
  checkPair("bce", x, y);
  const each = op(floatOperands("bce", x, y), null);
  return reduceLoss("bce", weight === null ? each : each.mul(weight), reduction);
}

/**
 * bce of sigmoid(x), without overflow: (1 - y) x + (1 + (posWeight - 1) y) log(1 + e^-x).
 * [..] and [..] -> [] (or [..] for "none"). @throws ShapeError, OptionError
 */
export function bceWithLogits(
  x: Tensor,
  y: Tensor,
  { weight = null, posWeight = null, reduction }: BceWithLogitsOptions = {},
): Tensor {
  checkPair("bceWithLogits", x, y);
  const tail = logSigmoid(x).neg();
  const scaled = posWeight === null ? tail : posWeight.sub(1).mul(y).add(1).mul(tail);
  const each = y.neg().add(1).mul(x).add(scaled);
  return reduceLoss("bceWithLogits", weight === null ? each : each.mul(weight), reduction);
}

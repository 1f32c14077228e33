import { binary, bitcast, cast, unary } from "../../compiler/graph.ts";
import type { Node } from "../../compiler/ir.ts";
import { formulaOp } from "../formula-op.ts";
import { choose, isAbove, isBelow, minus, over, plus, powerOfTwo, times } from "../node-arithmetic.ts";
import type { Tensor } from "../tensor.ts";
import { twoAtanhNode } from "./log1p.ts";

const SMALLEST_NORMAL = 0x00800000;
const INFINITY = 0x7f800000;
/** What raises the bits of sqrt(1/2) to those of 1. */
const TO_ONE = 0x3f800000 - 0x3f3504f3;

/** x = 2^e m with m from sqrt(1/2) to sqrt(2): e + log2(m), exact for powers of two. Zero, infinity and tiny x by `log`. */
function log2Node(x: Node): Node {
  const bits = bitcast(x, "int32");
  const isNormal = binary("and", isAbove(bits, SMALLEST_NORMAL - 1), isBelow(bits, INFINITY));
  const normal = choose(isNormal, x, 1);
  const raised = plus(bitcast(normal, "int32"), TO_ONE);
  const e = minus(over(raised, 2 ** 23), 127);
  const half = over(e, 2); // 2^-127 is not a normal number: in two steps.
  const toOne = (part: Node): Node => powerOfTwo(unary("negate", cast(part, "float32")));
  const m = times(times(normal, toOne(half)), toOne(minus(e, half)));
  const fraction = times(twoAtanhNode(over(minus(m, 1), plus(m, 1))), Math.LOG2E);
  return choose(isNormal, plus(fraction, cast(e, "float32")), times(unary("log", x), Math.LOG2E));
}

/** The logarithm to base 2; exact for powers of two. dL/dx = g / (x log 2). */
export const log2: (x: Tensor) => Tensor = formulaOp("log2", log2Node, ({ grad, x }) => grad.div(x.mul(Math.LN2)));

/** The logarithm to base 10. */
export function log10(x: Tensor): Tensor {
  return x.log().mul(Math.LOG10E);
}

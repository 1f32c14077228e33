import { unary } from "../../compiler/graph.ts";
import { formulaOp } from "../formula-op.ts";
import type { Tensor } from "../tensor.ts";
import { softplusNode } from "./softplus.ts";

/** log(1 / (1 + e^-x)) = -softplus(-x). dL/dx = g * sigmoid(-x). */
export const logSigmoid: (x: Tensor) => Tensor = formulaOp(
  "logSigmoid",
  (x) => unary("negate", softplusNode(unary("negate", x))),
  ({ grad, x }) => grad.mul(x.neg().sigmoid()),
);

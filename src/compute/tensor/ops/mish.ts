import { unary } from "../../compiler/graph.ts";
import { formulaOp } from "../formula-op.ts";
import { times } from "../node-arithmetic.ts";
import type { Tensor } from "../tensor.ts";
import { softplus, softplusNode } from "./softplus.ts";

/**
 * x * t with t = tanh(log(1 + e^x)) (Misra, 2019). dL/dx = g * (t + x * (1 - t^2) * sigmoid(x)).
 */
export const mish: (x: Tensor) => Tensor = formulaOp(
  "mish",
  (x) => times(x, unary("tanh", softplusNode(x))),
  ({ grad, x }) => {
    const t = softplus(x, { threshold: Infinity }).tanh();
    const slope = t.square().neg().add(1).mul(x.sigmoid()); // prettier-ignore
    return grad.mul(t.add(x.mul(slope)));
  },
);

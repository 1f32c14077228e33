import { unary } from "../../compiler/graph.ts";
import { formulaOp } from "../formula-op.ts";
import { over } from "../node-arithmetic.ts";
import type { Tensor } from "../tensor.ts";

/** y = sin(x) / cos(x). dL/dx = g * (1 + y^2). */
export const tan: (x: Tensor) => Tensor = formulaOp(
  "tan",
  (x) => over(unary("sin", x), unary("cos", x)),
  ({ grad, y }) => grad.mul(y.square().add(1)),
);

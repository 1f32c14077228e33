import { binary, constant } from "../../compiler/graph.ts";
import { defineOp } from "../op.ts";
import type { Tensor } from "../tensor.ts";

const op = defineOp<[Tensor], { divisor: number }>({
  name: "wholeQuotient",
  forward: ([x], { divisor }) => binary("divide", x, constant(divisor, x.shape, x.dtype)),
  backward: null,
});

/** Integers `x`, from 0, divided by a whole number above 0 and rounded down: for index arithmetic. */
export function wholeQuotient(x: Tensor, divisor: number): Tensor {
  return op([x], { divisor });
}

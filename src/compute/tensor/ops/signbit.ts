import { bitcast, cast, constant } from "../../compiler/graph.ts";
import { isFloat } from "../../layout/dtype.ts";
import { isBelow } from "../node-arithmetic.ts";
import { defineOp } from "../op.ts";
import type { Tensor } from "../tensor.ts";

const op = defineOp<[Tensor]>({
  name: "signbit",
  forward: ([x]) => {
    if (isFloat(x.dtype)) return isBelow(bitcast(cast(x, "float32"), "int32"), 0);
    return x.dtype === "int32" ? isBelow(x, 0) : constant(0, x.shape, "bool");
  },
  backward: null,
});

/** x has a minus: negative numbers, and -0. */
export function signbit(x: Tensor): Tensor {
  return op([x], null);
}

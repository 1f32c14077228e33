import { cast } from "../../compiler/graph.ts";
import { isFloat, type DType } from "../../layout/dtype.ts";
import { defineOp } from "../op.ts";
import type { Tensor } from "../tensor.ts";

/** dL/dx = g between floats; integers carry no gradient. */
const op = defineOp<[Tensor], { dtype: DType }>({
  name: "cast",
  forward: ([x], { dtype }) => cast(x, dtype),
  backward: ({ grad, inputs: [x] }) => [isFloat(x.dtype) ? castTo(grad, x.dtype) : null],
});

/** `x` as `dtype`: float to integer truncates, anything to bool is x != 0, to float16 rounds to nearest. */
export function castTo(x: Tensor, dtype: DType): Tensor {
  return x.dtype === dtype ? x : op([x], { dtype });
}

import { cast } from "../../compiler/graph.ts";
import type { DType } from "../../layout/dtype.ts";
import { defineOp } from "../op.ts";
import type { Tensor } from "../tensor.ts";

/** Integers carry no gradient, so one flows only from float32 to float32, and that is no cast. */
const op = defineOp<[Tensor], { dtype: DType }>({
  name: "cast",
  forward: ([x], { dtype }) => cast(x, dtype),
  backward: null,
});

/** `x` as `dtype`: float to integer truncates, anything to bool is x != 0. */
export function castTo(x: Tensor, dtype: DType): Tensor {
  return x.dtype === dtype ? x : op([x], { dtype });
}

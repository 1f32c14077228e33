import { cast, scan } from "../../compiler/graph.ts";
import { defineOp } from "../op.ts";
import { normalizeAxis } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";

/** dL/dx[i] = the sum of g[j] over j >= i: a running sum from the end. */
const op = defineOp<[Tensor], { axis: number }>({
  name: "cumsum",
  forward: ([x], { axis }) => scan("sum", x.dtype === "bool" ? cast(x, "int32") : x, axis),
  backward: ({ grad, options: { axis } }) => [grad.flip(axis).cumsum(axis).flip(axis)],
});

/** The running sum along `axis`, each element included. */
export function cumsum(x: Tensor, axis: number): Tensor {
  return op([x], { axis: normalizeAxis("cumsum", axis, x.shape.length) });
}

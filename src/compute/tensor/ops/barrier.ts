/** Identity, with a say in when things are computed and what is stored: see the primitive `barrier`. */
import { barrier } from "../../compiler/graph.ts";
import { defineOp } from "../op.ts";
import type { Tensor } from "../tensor.ts";

const storedOp = defineOp<[Tensor]>({
  name: "stored",
  forward: ([x]) => barrier(x, x),
  backward: ({ grad }) => [stored(grad)],
});

/**
 * `x`, stored, and so its gradient: no kernel reaches across. Parts of something that are stored become arguments of
 * kernels that are alike, where kernels that read them in place would each be compiled for their place.
 */
export function stored(x: Tensor): Tensor {
  return storedOp([x], null);
}

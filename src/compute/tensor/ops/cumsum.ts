import { cast, scan } from "../../compiler/graph.ts";
import { defineOp } from "../op.ts";
import { normalizeAxis } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import { asLine } from "./as-line.ts";
import { toDType } from "./sum.ts";
import type { DTypeOption } from "./sum.ts";

/** dL/dx[i] = the sum of g[j] over j >= i: a running sum from the end. */
const op = defineOp<[Tensor], { axis: number }>({
  name: "cumsum",
  forward: ([x], { axis }) => scan("sum", x.dtype === "bool" ? cast(x, "int32") : x, axis),
  backward: ({ grad, options: { axis } }) => [grad.flip(axis).cumsum(axis).flip(axis)],
});

/** The running sum along `axis`, each element included; bools count in int32. */
export function cumsum(x: Tensor, axis: number, { dtype }: DTypeOption = {}): Tensor {
  return asLine(toDType(x, dtype), (line) => op([line], { axis: normalizeAxis("cumsum", axis, line.shape.length) }));
}

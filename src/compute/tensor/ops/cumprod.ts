import { cast, scan } from "../../compiler/graph.ts";
import { defineOp } from "../op.ts";
import type { Op } from "../op.ts";
import { normalizeAxis } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import { asLine } from "./as-line.ts";
import { reverseRecurrence } from "./recurrence.ts";
import { shift } from "./shift.ts";
import { toDType } from "./sum.ts";
import type { DTypeOption } from "./sum.ts";

/**
 * dL/dx[k] = the sum over i >= k of g[i] * (the product of x[j] over j <= i, j not k)
 * = (the product before k) * s[k], with s[k] = g[k] + x[k + 1] * s[k + 1]. Nothing is divided by x, which may be 0.
 */
const op: Op<[Tensor], { axis: number }> = defineOp<[Tensor], { axis: number }>({
  name: "cumprod",
  forward: ([x], { axis }) => scan("product", x.dtype === "bool" ? cast(x, "int32") : x, axis),
  backward: ({ grad, inputs: [x], options: { axis } }) => {
    if (x.size === 0) return [grad];
    return [productsBefore(x, axis).mul(reverseRecurrence(shift(x, axis, -1, 0), grad, axis))];
  },
});

/** The running product along `axis`, each element included. Bools count in int32. */
export function cumprod(x: Tensor, axis: number, { dtype }: DTypeOption = {}): Tensor {
  return asLine(toDType(x, dtype), (line) => op([line], { axis: normalizeAxis("cumprod", axis, line.shape.length) }));
}

/** The product of what comes before each element of `axis`, which is not empty; 1 for the first. */
export function productsBefore(x: Tensor, axis: number): Tensor {
  return op([shift(x, axis, 1, 1)], { axis });
}

import { binary, constant, iota, pad } from "../../compiler/graph.ts";
import type { Node } from "../../compiler/ir.ts";
import { choose } from "../node-arithmetic.ts";
import { toFloat } from "../operands.ts";
import { normalizeAxis, sizeOf } from "../shapes.ts";
import { iotaTensor } from "../source.ts";
import type { Tensor } from "../tensor.ts";
import { asLine } from "./as-line.ts";
import { defineWideOp } from "../wide-op.ts";
import { logAddExpNode } from "./log-add-exp.ts";
import { reverseRecurrence } from "./recurrence.ts";
import { shift } from "./shift.ts";
import { where } from "./where.ts";

/**
 * In log2(n) steps, each of which adds what the elements before have gathered.
 *
 * dL/dx[k] = e^(x[k] - y[k]) * s[k], with s[k] = g[k] + e^(y[k] - y[k + 1]) * s[k + 1]; y grows along the axis, so that
 * no exponential overflows.
 */
const op = defineWideOp<[Tensor], { axis: number }>({
  name: "logCumSumExp",
  forward: ([x], { axis }) => {
    let sum = x;
    for (let by = 1; by < sizeOf(x.shape, axis); by *= 2) {
      const hasMore = binary("less", constant(by - 1, x.shape, "int32"), iota(x.shape, axis));
      sum = choose(hasMore, logAddExpNode(sum, moved(sum, axis, by)), sum);
    }
    return sum;
  },
  backward: ({ grad, inputs: [x], output: y, options: { axis } }) => {
    if (x.size === 0) return [grad];
    const isLast = iotaTensor(x.shape, axis).eq(sizeOf(x.shape, axis) - 1);
    const decay = difference(y, where(isLast, y, shift(y, axis, -1, 0))).exp();
    return [
      difference(x, y)
        .exp()
        .mul(reverseRecurrence(decay, grad, axis)),
    ];
  },
});

/** a - b, 0 where both are the same infinity. */
function difference(a: Tensor, b: Tensor): Tensor {
  const isSame = a.eq(b);
  return where(isSame, 0, where(isSame, 0, a).sub(where(isSame, 0, b)));
}

/** `x` moved toward higher indices, with 0 where nothing came. */
function moved(x: Node, axis: number, by: number): Node {
  const at = (count: number): number[] => x.shape.map((_, i) => (i === axis ? count : 0));
  return pad(x, { low: at(by), high: at(-by) });
}

/** log of the running sum of e^x along `axis`, each element included, without overflow. */
export function logCumSumExp(x: Tensor, axis: number): Tensor {
  return asLine(toFloat(x), (line) => op([line], { axis: normalizeAxis("logCumSumExp", axis, line.shape.length) }));
}

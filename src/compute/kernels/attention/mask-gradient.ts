/**
 * The gradient of attention by a mask of floats, in the mask's shape: the gradients of the scores (`query-gradient.ts`),
 * summed where the mask repeats. An invocation an element, since masks that are learned are small or have few heads.
 */
import { add, f32, i32, multiply, subtract, unary } from "../../lang/build.ts";
import { bool } from "../../lang/build.ts";
import { invocationOf } from "../../lang/expr.ts";
import type { Expr, Statement } from "../../lang/kernel.ts";
import { assign, letIn, varIn } from "../../lang/statements.ts";
import { elementCount } from "../../layout/shape.ts";
import { unflatten, type Grid } from "../grid.ts";
import { appliedWeight, scoreOf, type Pair } from "./attention.ts";
import type { QueryGradientReads } from "./key-value-gradient.ts";
import type { AttentionWork } from "./work.ts";

/** `shape` is the mask's: [B, G, T, S], with size 1 where it repeats. */
export function attentionMaskGradient(
  work: AttentionWork,
  { grad, queryGradient }: QueryGradientReads,
  shape: readonly number[],
): Grid {
  const { attention, sink, loops } = work;
  const { batch, group, queries, keys } = attention;
  const invocations = elementCount(shape);
  const element = unflatten(invocationOf(invocations), shape);
  const total = varIn(loops.names, "total", f32(0));
  const index = [...element];
  const sizes = [batch, group, queries, keys];
  const under = (axis: number): readonly Statement[] => {
    if (axis === sizes.length) {
      const [b, g, t, s] = index as [Expr, Expr, Expr, Expr];
      return slope(work, { b, g, t, s }, { grad, queryGradient }, total.use);
    }
    if (shape[axis] === sizes[axis]) return under(axis + 1);
    return [
      loops.for("k", i32(0), i32(sizes[axis] ?? 1), (counter) => {
        index[axis] = counter;
        return under(axis + 1);
      }),
    ];
  };
  return { invocations, body: [total.statement, ...under(0), ...sink(element, total.use)] };
}

function slope(
  { attention, reads, loops }: AttentionWork,
  pair: Pair,
  { grad, queryGradient }: QueryGradientReads,
  total: Expr,
): Statement[] {
  const { b, g, t, s } = pair;
  const [product, arriving] = [varIn(loops.names, "product", f32(0)), varIn(loops.names, "arriving", f32(0))];
  const score = scoreOf(attention, reads, pair, product.use, bool(true));
  const logSum = queryGradient([b, g, t, i32(attention.depth)]);
  const dot = queryGradient([b, g, t, i32(attention.depth + 1)]);
  const weight = letIn(loops.names, "weight", unary("exp", subtract(score, logSum)));
  const arrived = appliedWeight(reads, pair, arriving.use);
  const addTo = (sum: Expr, x: Expr, y: Expr): Statement => assign(sum, add(sum, multiply(x, y)));
  return [
    product.statement,
    loops.for("d", i32(0), i32(attention.depth), (d) => [
      addTo(product.use, reads.q([b, g, t, d]), reads.k([b, s, d])),
    ]),
    arriving.statement,
    loops.for("e", i32(0), i32(attention.width), (e) => [addTo(arriving.use, grad([b, g, t, e]), reads.v([b, s, e]))]),
    weight.statement,
    addTo(total, weight.use, subtract(arrived, dot)),
  ];
}

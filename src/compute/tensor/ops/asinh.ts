/** The inverse hyperbolic functions, by log1p, which keeps the digits of small arguments. */
import { unary } from "../../compiler/graph.ts";
import type { Node } from "../../compiler/ir.ts";
import { formulaOp } from "../formula-op.ts";
import { choose, complement, isAbove, minus, over, plus, times, withSignOf } from "../node-arithmetic.ts";
import type { Tensor } from "../tensor.ts";
import { log1pNode } from "./log1p.ts";

/** From here on sqrt(x^2 + 1) and sqrt(x^2 - 1) are x in float32. */
const LARGE = 1e4;

/** log(2x) where x is large, else `rest(x)`, which sees 1 where it is not wanted. */
function unlessLarge(x: Node, rest: (x: Node) => Node): Node {
  const isLarge = isAbove(x, LARGE);
  return choose(isLarge, plus(unary("log", choose(isLarge, x, 1)), Math.LN2), rest(choose(isLarge, 1, x)));
}

/** log(x + sqrt(x^2 + 1)) = log1p(x + x^2 / (1 + sqrt(x^2 + 1))) of |x|. */
function asinhNode(x: Node): Node {
  const angle = unlessLarge(unary("abs", x), (size) => {
    const square = times(size, size);
    return log1pNode(plus(size, over(square, plus(unary("sqrt", plus(square, 1)), 1))));
  });
  return withSignOf(x, angle);
}

/** log(x + sqrt(x^2 - 1)) = log1p(t + sqrt(t (t + 2))) with t = x - 1. */
function acoshNode(x: Node): Node {
  return unlessLarge(x, (bounded) => {
    const t = minus(bounded, 1);
    return log1pNode(plus(t, unary("sqrt", times(t, plus(t, 2)))));
  });
}

/** log((1 + x) / (1 - x)) / 2 = log1p(2x / (1 - x)) / 2 of |x|. */
function atanhNode(x: Node): Node {
  const size = unary("abs", x);
  return withSignOf(x, times(log1pNode(over(times(size, 2), complement(1, size))), 0.5));
}

/** The inverse of sinh. dL/dx = g / sqrt(x^2 + 1). */
export const asinh: (x: Tensor) => Tensor = formulaOp("asinh", asinhNode, ({ grad, x }) =>
  grad.mul(x.square().add(1).rsqrt()),
);

/** The inverse of cosh, from 1 on; NaN below. dL/dx = g / sqrt(x^2 - 1). */
export const acosh: (x: Tensor) => Tensor = formulaOp("acosh", acoshNode, ({ grad, x }) =>
  grad.mul(x.sub(1).mul(x.add(1)).rsqrt()),
);

/** The inverse of tanh, within -1 and 1. dL/dx = g / (1 - x^2). */
export const atanh: (x: Tensor) => Tensor = formulaOp("atanh", atanhNode, ({ grad, x }) =>
  grad.div(x.neg().add(1).mul(x.add(1))),
);

import { unary } from "../../compiler/graph.ts";
import type { Node } from "../../compiler/ir.ts";
import { formulaOp } from "../formula-op.ts";
import { choose, isBelow, over, plus, polynomial, times } from "../node-arithmetic.ts";
import type { Tensor } from "../tensor.ts";

/** 2 (1 + s/3 + s^2/5 + ...), which is 2 atanh(r) / r for s = r^2: to 1e-8 for |r| <= 1/4. */
const TWO_ATANH = [2, 2 / 3, 2 / 5, 2 / 7, 2 / 9, 2 / 11];

/** 2 atanh(r), for |r| <= 1/4. */
export function twoAtanhNode(r: Node): Node {
  return times(r, polynomial(times(r, r), TWO_ATANH));
}

/** log(1 + x) = 2 atanh(x / (2 + x)); the series for |x| < 0.4, where 1 + x would lose digits of x. */
export function log1pNode(x: Node): Node {
  const isSmall = isBelow(unary("abs", x), 0.4);
  const small = choose(isSmall, x, 0);
  const series = twoAtanhNode(over(small, plus(small, 2)));
  return choose(isSmall, series, unary("log", plus(choose(isSmall, 0, x), 1)));
}

/** log(1 + x), to the last digits for small x too. dL/dx = g / (1 + x). */
export const log1p: (x: Tensor) => Tensor = formulaOp("log1p", log1pNode, ({ grad, x }) => grad.div(x.add(1)));

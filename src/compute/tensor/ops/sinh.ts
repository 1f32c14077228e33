import { unary } from "../../compiler/graph.ts";
import type { Node } from "../../compiler/ir.ts";
import { formulaOp } from "../formula-op.ts";
import { choose, isBelow, minus, over, plus, polynomial, quotient, times, withSignOf } from "../node-arithmetic.ts";
import type { Tensor } from "../tensor.ts";

/** 1, 1/3!, 1/5!, ... 1/11!: sinh(x) / x in x^2, to 2e-10 for |x| <= 1. */
const TAYLOR = [1, 1 / 6, 1 / 120, 1 / 5040, 1 / 362_880, 1 / 39_916_800];

/** e^|x| / 2 and e^-|x| / 2, by e^(|x| / 2), which is finite wherever sinh is. */
function halves(x: Node): { grown: Node; shrunk: Node } {
  const root = unary("exp", times(unary("abs", x), 0.5));
  return { grown: times(times(root, 0.5), root), shrunk: over(quotient(0.5, root), root) };
}

function sinhNode(x: Node): Node {
  const isSmall = isBelow(unary("abs", x), 1);
  const small = choose(isSmall, x, 0);
  const { grown, shrunk } = halves(x);
  return choose(isSmall, times(small, polynomial(times(small, small), TAYLOR)), withSignOf(x, minus(grown, shrunk)));
}

function coshNode(x: Node): Node {
  const { grown, shrunk } = halves(x);
  return plus(grown, shrunk);
}

/** (e^x - e^-x) / 2. dL/dx = g * cosh(x). */
export const sinh: (x: Tensor) => Tensor = formulaOp("sinh", sinhNode, ({ grad, x }) => grad.mul(cosh(x)));

/** (e^x + e^-x) / 2. dL/dx = g * sinh(x). */
export const cosh: (x: Tensor) => Tensor = formulaOp("cosh", coshNode, ({ grad, x }) => grad.mul(sinh(x)));

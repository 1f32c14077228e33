import { bitcast, cast, unary } from "../../compiler/graph.ts";
import type { Node } from "../../compiler/ir.ts";
import { atLeast, atMost, choose, complement, isBelow, isEqual, over } from "../node-arithmetic.ts";
import { floatOperands } from "../operands.ts";
import type { Operand } from "../operands.ts";
import type { Tensor } from "../tensor.ts";
import { defineWideOp } from "../wide-op.ts";
import { atanOfFraction } from "./atan.ts";

/** dL/dy = g * x / (x^2 + y^2); dL/dx = -g * y / (x^2 + y^2); both 0 at the origin. */
const op = defineWideOp<[Tensor, Tensor]>({
  name: "atan2",
  forward: ([y, x]) => atan2Node(y, x),
  backward: ({ grad, inputs: [y, x] }) => {
    const square = x.square().add(y.square());
    const share = grad.div(square.eq(0).where(1, square));
    return [share.mul(x), share.mul(y).neg()];
  },
});

/** The sign's bit, which -0 has too. */
function isNegative(x: Node): Node {
  return isBelow(bitcast(cast(x, "float32"), "int32"), 0);
}

/** The angle of the smaller of |x| and |y| over the larger, turned into its octant. */
function atan2Node(y: Node, x: Node): Node {
  const [height, width] = [unary("abs", y), unary("abs", x)];
  const longer = atLeast(height, width);
  const isOrigin = isEqual(longer, 0);
  // Also where both are infinite.
  const ratio = choose(isEqual(height, width), 1, over(atMost(height, width), choose(isOrigin, 1, longer)));
  const angle = atanOfFraction(choose(isOrigin, 0, ratio));
  const upright = choose(isBelow(width, height), complement(Math.PI / 2, angle), angle);
  const full = choose(isNegative(x), complement(Math.PI, upright), upright);
  return choose(isNegative(y), unary("negate", full), full);
}

/** The angle from -pi to pi of the point (x, y), elementwise, with broadcasting. */
export function atan2(y: Operand, x: Operand): Tensor {
  return op(floatOperands("atan2", y, x), null);
}

import { OptionError } from "../../../base/errors.ts";
import { binary, constant, unary } from "../../compiler/graph.ts";
import type { Node } from "../../compiler/ir.ts";
import { defineWideOp } from "../wide-op.ts";
import { toFloat } from "../operands.ts";
import type { Tensor } from "../tensor.ts";

const SQRT_TWO_OVER_PI = Math.sqrt(2 / Math.PI);
const CUBIC = 0.044715;

/** Options of `gelu`. */
export interface GeluOptions {
  /** "none": x * Phi(x), exactly; "tanh": the approximation that GPT-2 uses. */
  readonly approximate?: "none" | "tanh";
}

/** y = x * Phi(x), Phi(x) = (1 + erf(x / sqrt 2)) / 2. dL/dx = g * (Phi(x) + x * e^(-x^2 / 2) / sqrt(2 pi)). */
const exact = defineWideOp<[Tensor]>({
  name: "gelu",
  forward: ([x]) => halfOf(x, unary("erf", scale(x, Math.SQRT1_2))),
  backward: ({ grad, inputs: [x] }) => {
    const phi = x.mul(Math.SQRT1_2).erf().add(1).mul(0.5);
    const density = x
      .square()
      .mul(-0.5)
      .exp()
      .mul(1 / Math.sqrt(2 * Math.PI));
    return [grad.mul(phi.add(x.mul(density)))];
  },
});

/**
 * y = x * (1 + t) / 2, t = tanh(c * (x + k x^3)), c = sqrt(2 / pi), k = 0.044715.
 * dL/dx = g * ((1 + t) / 2 + x * (1 - t^2) * c * (1 + 3 k x^2) / 2).
 */
const byTanh = defineWideOp<[Tensor]>({
  name: "geluTanh",
  forward: ([x]) => {
    const square = binary("multiply", x, x);
    const one = constant(1, x.shape, "float32");
    const inner = binary("multiply", x, binary("add", one, scale(square, CUBIC)));
    return halfOf(x, unary("tanh", scale(inner, SQRT_TWO_OVER_PI)));
  },
  backward: ({ grad, inputs: [x] }) => {
    const square = x.square();
    const t = x.mul(square.mul(CUBIC).add(1)).mul(SQRT_TWO_OVER_PI).tanh();
    const slope = square
      .mul(3 * CUBIC)
      .add(1)
      .mul(SQRT_TWO_OVER_PI);
    const rest = x.mul(t.square().neg().add(1)).mul(slope);
    return [grad.mul(t.add(1).add(rest).mul(0.5))];
  },
});

/** x * (1 + s) / 2 */
function halfOf(x: Node, s: Node): Node {
  return binary("multiply", scale(x, 0.5), binary("add", s, constant(1, x.shape, "float32")));
}

function scale(x: Node, factor: number): Node {
  return binary("multiply", x, constant(factor, x.shape, "float32"));
}

/** The Gaussian error linear unit. */
export function gelu(x: Tensor, { approximate = "none" }: GeluOptions = {}): Tensor {
  switch (approximate) {
    case "none":
      return exact([toFloat(x)], null);
    case "tanh":
      return byTanh([toFloat(x)], null);
    default:
      approximate satisfies never;
      throw new OptionError(`gelu: expected approximate to be none or tanh, found ${String(approximate)}`);
  }
}

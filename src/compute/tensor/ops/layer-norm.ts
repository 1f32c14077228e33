import { ShapeError } from "../../../base/errors.ts";
import { binary, constant, expand, reduce, reshape, unary } from "../../compiler/graph.ts";
import type { Node } from "../../compiler/ir.ts";
import { defineWideOp } from "../wide-op.ts";
import { toFloat } from "../operands.ts";
import { formatShape } from "../../layout/shape.ts";
import { sizeOf } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";

/**
 * x [R, n], w [n], b [n] -> [R, n]: y = h * w + b, h = (x - mean) * r, r = 1 / sqrt(variance + eps), along the rows.
 *
 * With d = g * w: dL/dx = r * (d - mean(d) - h * mean(d * h)); dL/dw = sum(g * h); dL/db = sum(g).
 * Keeps nothing but its inputs: mean and r are computed again.
 */
const op = defineWideOp<[Tensor, Tensor, Tensor], { eps: number }>({
  name: "layerNorm",
  forward: ([x, weight, bias], { eps }) => {
    const centered = binary("subtract", x, expand(rowMean(x), x.shape));
    const variance = rowMean(binary("multiply", centered, centered));
    const deviation = unary("sqrt", binary("add", variance, constant(eps, variance.shape, "float32")));
    const inverse = binary("divide", constant(1, deviation.shape, "float32"), deviation);
    const normal = binary("multiply", centered, expand(inverse, x.shape));
    return binary("add", binary("multiply", normal, alongRows(weight, x)), alongRows(bias, x));
  },
  backward: ({ grad, inputs: [x, weight], options: { eps } }) => {
    const centered = x.sub(x.mean(-1, { keepDim: true }));
    const inverse = centered.square().mean(-1, { keepDim: true }).add(eps).rsqrt();
    const normal = centered.mul(inverse);
    const scaled = grad.mul(weight);
    const shift = scaled.mean(-1, { keepDim: true });
    const tilt = scaled.mul(normal).mean(-1, { keepDim: true });
    return [scaled.sub(shift).sub(normal.mul(tilt)).mul(inverse), grad.mul(normal).sum(0), grad.sum(0)];
  },
});

function rowMean(x: Node): Node {
  const sum = reduce("sum", x, [1]);
  return binary("multiply", sum, constant(1 / sizeOf(x.shape, 1), sum.shape, "float32"));
}

function alongRows(vector: Node, x: Node): Node {
  return expand(reshape(vector, [1, ...vector.shape]), x.shape);
}

/** Normalises the last axis to mean 0 and variance 1, then scales by `weight` and shifts by `bias`. @throws ShapeError */
export function layerNorm(x: Tensor, weight: Tensor, bias: Tensor, eps = 1e-5): Tensor {
  const width = sizeOf(x.shape, x.shape.length - 1);
  for (const vector of [weight, bias]) {
    if (vector.shape.length !== 1 || vector.shape[0] !== width) {
      throw new ShapeError(`layerNorm: expected weight and bias of [${width}], found ${formatShape(vector.shape)}`);
    }
  }
  return op([toFloat(x).reshape([-1, width]), weight, bias], { eps }).reshape(x.shape);
}

/** What the norms have in common: mean 0 and variance 1 over some axes, then a scale and a shift. */
import { ShapeError } from "../../../base/errors.ts";
import { binary, constant, expand, reduce, unary } from "../../compiler/graph.ts";
import type { Node, Shape } from "../../compiler/ir.ts";
import { defineOp } from "../op.ts";
import { elementCount, formatShape, sameShape } from "../../layout/shape.ts";
import type { Tensor } from "../tensor.ts";

interface Settings {
  readonly axes: readonly number[];
  readonly eps: number;
}

/**
 * h = (x - mean) * r, r = 1 / sqrt(variance + eps), both over `axes`, the variance in a second pass over x - mean.
 *
 * dL/dx = r * (g - mean(g) - h * mean(g * h)). Keeps nothing but x and h: r is computed again.
 */
const op = defineOp<[Tensor], Settings>({
  name: "standardize",
  forward: ([x], { axes, eps }) => {
    const centered = binary("subtract", x, expand(meanOver(x, axes), x.shape));
    const variance = meanOver(binary("multiply", centered, centered), axes);
    const deviation = unary("sqrt", binary("add", variance, constant(eps, variance.shape, x.dtype)));
    const inverse = binary("divide", constant(1, deviation.shape, x.dtype), deviation);
    return binary("multiply", centered, expand(inverse, x.shape));
  },
  backward: ({ grad, inputs: [x], output, options: { axes, eps } }) => {
    const keepDim = true;
    const centered = x.sub(x.mean(axes, { keepDim }));
    const inverse = centered.square().mean(axes, { keepDim }).add(eps).rsqrt();
    const shift = grad.mean(axes, { keepDim });
    const tilt = grad.mul(output).mean(axes, { keepDim });
    return [grad.sub(shift).sub(output.mul(tilt)).mul(inverse)];
  },
});

function meanOver(x: Node, axes: readonly number[]): Node {
  const sum = reduce("sum", x, axes);
  const count = elementCount(x.shape) / elementCount(sum.shape);
  return binary("multiply", sum, constant(1 / count, sum.shape, x.dtype));
}

/** `x`, of float32, with mean 0 and variance 1 (biased, plus eps) over `axes`, counted from 0. */
export function standardize(x: Tensor, axes: readonly number[], eps: number): Tensor {
  return x.size === 0 ? x : op([x], { axes, eps });
}

/** h * weight + bias, each where it is given, as `shape` of what they are reshaped to; in the dtype of `like`. */
export function scaleAndShift(
  h: Tensor,
  weight: Tensor | null | undefined,
  bias: Tensor | null | undefined,
  shape: Shape,
  like: Tensor,
): Tensor {
  const scaled = weight ? h.mul(weight.reshape(shape)) : h;
  return (bias ? scaled.add(bias.reshape(shape)) : scaled).cast(like.dtype);
}

/** @throws ShapeError unless each tensor that is given has `shape` */
export function checkVectors(
  operation: string,
  shape: Shape,
  tensors: Readonly<Record<string, Tensor | null | undefined>>,
): void {
  for (const [name, tensor] of Object.entries(tensors)) {
    if (tensor && !sameShape(tensor.shape, shape)) {
      throw new ShapeError(
        `${operation}: expected a ${name} ${formatShape(shape)}, found ${formatShape(tensor.shape)}`,
      );
    }
  }
}

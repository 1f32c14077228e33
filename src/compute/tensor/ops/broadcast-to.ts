import { expand, reshape } from "../../compiler/graph.ts";
import type { Shape } from "../../compiler/ir.ts";
import { ShapeError } from "../../../base/errors.ts";
import { defineOp } from "../op.ts";
import { formatShape, sameShape } from "../../layout/shape.ts";
import { broadcastShapes } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";

/** dL/dx = the sum of g over the axes that were repeated. */
const op = defineOp<[Tensor], { shape: Shape }>({
  name: "broadcastTo",
  forward: ([x], { shape }) => {
    const padding = Array.from({ length: shape.length - x.shape.length }, () => 1);
    return expand(reshape(x, [...padding, ...x.shape]), shape);
  },
  backward: ({ grad, inputs: [x] }) => [sumTo(grad, x.shape)],
});

/** `x` repeated along new leading axes and axes of size 1, without a copy. @throws ShapeError */
export function broadcastTo(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x;
  if (!sameShape(broadcastShapes("expand", x.shape, shape), shape)) {
    throw new ShapeError(
      `expand: expected a shape that ${formatShape(x.shape)} broadcasts to, found ${formatShape(shape)}`,
    );
  }
  return op([x], { shape });
}

/** The sum of `x` over whatever `broadcastTo` would repeat: `shape` broadcasts to the shape of `x`. */
function sumTo(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x;
  const added = x.shape.length - shape.length;
  const axes = x.shape.flatMap((size, axis) =>
    axis < added || (shape[axis - added] === 1 && size !== 1) ? [axis] : [],
  );
  return x.sum(axes, { keepDim: true }).reshape(shape);
}

/** As `broadcastTo`; -1 in `shape` keeps the size of `x`. @throws ShapeError */
export function expandTo(x: Tensor, shape: Shape): Tensor {
  const added = shape.length - x.shape.length;
  return broadcastTo(x, shape.map((size, axis) => (size === -1 ? (x.shape[axis - added] ?? -1) : size))); // prettier-ignore
}

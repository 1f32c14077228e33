import { ShapeError } from "../../../base/errors.ts";
import { gather as gatherNode } from "../../compiler/graph.ts";
import { defineOp } from "../op.ts";
import { toIndices } from "../operands.ts";
import { formatShape } from "../../layout/shape.ts";
import { normalizeAxis, sizeOf, withSize } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import { scatterSum } from "./scatter-add.ts";

/** dL/dx = the sum of g over the places that took the element. */
const op = defineOp<[Tensor, Tensor], { axis: number }>({
  name: "gather",
  forward: ([x, indices], { axis }) => gatherNode(x, indices, axis),
  backward: ({ grad, inputs: [x, indices], options: { axis } }) => [
    scatterSum(grad, indices, axis, sizeOf(x.shape, axis)),
    null,
  ],
});

/**
 * out[p] = x[p with p[axis] := indices[p]]. `indices` is no larger than `x` on other axes; those outside of `x` are
 * clamped into it. @throws ShapeError
 */
export function gather(x: Tensor, axis: number, indices: Tensor): Tensor {
  const at = normalizeAxis("gather", axis, x.shape.length);
  const fits = indices.shape.every((size, i) => i === at || size <= (x.shape[i] ?? 0));
  if (indices.shape.length !== x.shape.length || !fits) {
    throw new ShapeError(
      `gather: expected indices within ${formatShape(x.shape)} but for axis ${at}, found ${formatShape(indices.shape)}`,
    );
  }
  const part = x.slice(indices.shape.map((size, i) => (i === at ? null : [0, size])));
  return op([part, toIndices("gather", indices)], { axis: at });
}

/** The elements of `axis` at `indices` [n], in their order. @throws ShapeError */
export function indexSelect(x: Tensor, axis: number, indices: Tensor): Tensor {
  const at = normalizeAxis("indexSelect", axis, x.shape.length);
  if (indices.shape.length !== 1) {
    throw new ShapeError(`indexSelect: expected indices with one axis, found ${formatShape(indices.shape)}`);
  }
  const count = sizeOf(indices.shape, 0);
  const along = indices.reshape(x.shape.map((_, i) => (i === at ? count : 1)));
  return op([x, toIndices("indexSelect", along).expand(withSize(x.shape, at, count))], { axis: at });
}

/** Rows of `weight` [V, C] at `indices` [..]: [.., C]. */
export function embedding(indices: Tensor, weight: Tensor): Tensor {
  if (weight.shape.length !== 2) {
    throw new ShapeError(`embedding: expected a weight [V, C], found ${formatShape(weight.shape)}`);
  }
  return indexSelect(weight, 0, indices.reshape([-1])).reshape([...indices.shape, sizeOf(weight.shape, 1)]);
}

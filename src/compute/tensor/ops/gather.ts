import { ShapeError } from "../../../base/errors.ts";
import { gather as gatherNode } from "../../compiler/graph.ts";
import { defineOp } from "../op.ts";
import { checkIndices, normalizeIndex } from "../index-range.ts";
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
 * out[p] = x[p with p[axis] := indices[p]]. `indices` is no larger than `x` on other axes. An index out of range is
 * refused when it came from the host, and clamped when it was computed on a device. @throws ShapeError, OptionError
 */
export function gather(x: Tensor, axis: number, indices: Tensor): Tensor {
  if (x.shape.length === 0 && indices.shape.length <= 1) {
    return gather(x.reshape([1]), axis, indices.reshape([-1])).reshape(indices.shape);
  }
  const at = normalizeAxis("gather", axis, x.shape.length);
  const fits = indices.shape.every((size, i) => i === at || size <= (x.shape[i] ?? 0));
  if (indices.shape.length !== x.shape.length || !fits) {
    throw new ShapeError(
      `gather: expected indices within ${formatShape(x.shape)} but for axis ${at}, found ${formatShape(indices.shape)}`,
    );
  }
  checkIndices("gather", indices, sizeOf(x.shape, at));
  const part = x.slice(indices.shape.map((size, i) => (i === at ? null : [0, size])));
  return op([part, toIndices("gather", indices)], { axis: at });
}

/**
 * The elements of `axis` at `indices` [n] (or [], for one), in their order: `axis` gets n. An index out of range is
 * refused when it came from the host, and clamped when it was computed on a device. @throws ShapeError, OptionError
 */
export function indexSelect(x: Tensor, axis: number, indices: Tensor): Tensor {
  return selectAlong("indexSelect", x, axis, indices);
}

function selectAlong(operation: string, x: Tensor, axis: number, indices: Tensor): Tensor {
  if (x.shape.length === 0) return selectAlong(operation, x.reshape([1]), axis, indices).squeeze(0);
  const at = normalizeAxis(operation, axis, x.shape.length);
  if (indices.shape.length > 1) {
    throw new ShapeError(`${operation}: expected indices with one axis, found ${formatShape(indices.shape)}`);
  }
  checkIndices(operation, indices, sizeOf(x.shape, at));
  const count = indices.size;
  const along = indices.reshape(x.shape.map((_, i) => (i === at ? count : 1)));
  return op([x, toIndices(operation, along).expand(withSize(x.shape, at, count))], { axis: at });
}

/** Options of `embedding`. */
export interface EmbeddingOptions {
  /** No gradient flows to this row. Negative ones count from the end. */
  readonly paddingIdx?: number | null;
}

/**
 * Rows of `weight` [V, C] at `indices` [..] -> [.., C]. An index out of range is refused when it came from the host, and
 * clamped when it was computed on a device. @throws ShapeError, OptionError
 */
export function embedding(indices: Tensor, weight: Tensor, { paddingIdx = null }: EmbeddingOptions = {}): Tensor {
  if (weight.shape.length !== 2) {
    throw new ShapeError(`embedding: expected a weight [V, C], found ${formatShape(weight.shape)}`);
  }
  const shape = [...indices.shape, sizeOf(weight.shape, 1)];
  const rows = selectAlong("embedding", weight, 0, indices.reshape([-1])).reshape(shape);
  if (paddingIdx === null) return rows;
  const padding = normalizeIndex("embedding", paddingIdx, sizeOf(weight.shape, 0));
  return indices.eq(padding).unsqueeze(-1).where(rows.detach(), rows);
}

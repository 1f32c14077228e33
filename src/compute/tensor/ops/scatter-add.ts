import { ShapeError } from "../../../base/errors.ts";
import { gather, scatterAdd as scatterAddNode } from "../../compiler/graph.ts";
import { defineOp } from "../op.ts";
import type { Op } from "../op.ts";
import { toIndices } from "../operands.ts";
import { formatShape } from "../../layout/shape.ts";
import { normalizeAxis, sizeOf } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";

/** dL/dx[p] = g at the place where x[p] went. */
const op: Op<[Tensor, Tensor], { axis: number; size: number }> = defineOp<
  [Tensor, Tensor],
  { axis: number; size: number }
>({
  name: "scatterAdd",
  forward: ([x, indices], { axis, size }) => scatterAddNode(x, indices, axis, size),
  backward: ({ grad, inputs: [, indices], options: { axis } }) => [gatherBack([grad, indices], { axis }), null],
});

/** The adjoint of `op`, and `op` is its adjoint. */
const gatherBack: Op<[Tensor, Tensor], { axis: number }> = defineOp<[Tensor, Tensor], { axis: number }>({
  name: "gather",
  forward: ([x, indices], { axis }) => gather(x, indices, axis),
  backward: ({ grad, inputs: [x, indices], options: { axis } }) => [
    op([grad, indices], { axis, size: sizeOf(x.shape, axis) }),
    null,
  ],
});

/** out[q] = the sum of x[p] over p with indices[p] = q[axis] and p = q elsewhere; `axis` gets `size`. */
export function scatterSum(x: Tensor, indices: Tensor, axis: number, size: number): Tensor {
  return op([x, indices], { axis, size });
}

/** `x` with `source` added at `indices` along `axis`, in index order. @throws ShapeError */
export function scatterAdd(x: Tensor, axis: number, indices: Tensor, source: Tensor): Tensor {
  const at = normalizeAxis("scatterAdd", axis, x.shape.length);
  const used = source.slice(indices.shape.map((size) => [0, size]));
  const fits = used.shape.every((size, i) => size === indices.shape[i] && (i === at || size <= (x.shape[i] ?? 0)));
  if (indices.shape.length !== x.shape.length || source.shape.length !== x.shape.length || !fits) {
    throw new ShapeError(
      `scatterAdd: expected indices within the source and ${formatShape(x.shape)}, found ${formatShape(indices.shape)} for ${formatShape(source.shape)}`,
    );
  }
  const sums = scatterSum(used, toIndices("scatterAdd", indices), at, sizeOf(x.shape, at));
  const padding = x.shape.flatMap((size, i) => [0, size - sizeOf(sums.shape, i)]);
  return x.add(sums.pad(reversedPairs(padding)));
}

/** [low, high] pairs from the first axis, as `pad` wants them from the last. */
function reversedPairs(pairs: readonly number[]): number[] {
  return pairs.map((_, i) => pairs[pairs.length - 2 - i + 2 * (i % 2)] ?? 0);
}

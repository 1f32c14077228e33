import { ShapeError } from "../../../base/errors.ts";
import { contraction } from "../../compiler/graph.ts";
import { defineOp } from "../op.ts";
import type { Op } from "../op.ts";
import { isFloat } from "../../layout/dtype.ts";
import { promote } from "../promote.ts";
import { castTo } from "./cast.ts";
import { elementCount, formatShape } from "../../layout/shape.ts";
import { broadcastShapes, sizeOf } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";

/** [B, M, K] x [B, K, N] -> [B, M, N]. dL/da = g b^T; dL/db = a^T g. */
const op: Op<[Tensor, Tensor], null> = defineOp<[Tensor, Tensor]>({
  name: "contraction",
  forward: ([a, b]) => contraction(a, b),
  backward: ({ grad, inputs: [a, b] }) => [op([grad, transposed(b)], null), op([transposed(a), grad], null)],
});

function transposed(x: Tensor): Tensor {
  return x.transpose(-1, -2);
}

/**
 * The matrix product of the last two axes: [.., M, K] x [.., K, N] -> [.., M, N]; leading axes broadcast. A vector is a
 * row on the left, a column on the right. Floats accumulate in float32, integers exactly. @throws ShapeError
 */
export function matmul(a: Tensor, b: Tensor): Tensor {
  if (a.shape.length === 0 || b.shape.length === 0 || sizeOf(a.shape, a.shape.length - 1) !== rowsOf(b)) {
    throw new ShapeError(
      `matmul: expected [.., M, K] and [.., K, N], found ${formatShape(a.shape)} and ${formatShape(b.shape)}`,
    );
  }
  if (a.shape.length === 1) return matmul(a.unsqueeze(0), b).squeeze(-2 + Number(b.shape.length === 1));
  if (b.shape.length === 1) return matmul(a, b.unsqueeze(1)).squeeze(-1);
  const rows = sizeOf(a.shape, a.shape.length - 2);
  const inner = sizeOf(a.shape, a.shape.length - 1);
  const columns = sizeOf(b.shape, b.shape.length - 1);
  if (b.shape.length === 2) {
    // One matrix for all: the leading axes of `a` are more rows.
    const flat = batchedMatmul(a.reshape([1, elementCount(a.shape.slice(0, -1)), inner]), b.unsqueeze(0));
    return flat.reshape([...a.shape.slice(0, -1), columns]);
  }
  const batch = broadcastShapes("matmul", a.shape.slice(0, -2), b.shape.slice(0, -2));
  const count = elementCount(batch);
  const x = a.expand([...batch, rows, inner]).reshape([count, rows, inner]);
  const y = b.expand([...batch, inner, columns]).reshape([count, inner, columns]);
  return batchedMatmul(x, y).reshape([...batch, rows, columns]);
}

function rowsOf(b: Tensor): number {
  return sizeOf(b.shape, Math.max(0, b.shape.length - 2));
}

/** [B, M, K] x [B, K, N] -> [B, M, N], in the common dtype: what all matrix products become. Whole numbers are summed exactly. */
export function batchedMatmul(a: Tensor, b: Tensor): Tensor {
  const dtype = promote(a.dtype, b.dtype);
  const [x, y] = [castTo(a, dtype), castTo(b, dtype)];
  return isFloat(dtype) ? op([x, y], null) : x.unsqueeze(3).mul(y.unsqueeze(1)).sum(2);
}

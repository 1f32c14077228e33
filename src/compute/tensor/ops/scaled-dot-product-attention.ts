import { ShapeError } from "../../../base/errors.ts";
import { formatShape } from "../../layout/shape.ts";
import { sizeOf } from "../shapes.ts";
import { iotaTensor } from "../source.ts";
import type { Tensor } from "../tensor.ts";

const MASKED = -1e30; // Far below any score, and finite: WGSL promises no infinities.

export interface AttentionOptions {
  /** Each query sees the keys up to its own place only. */
  readonly causal?: boolean;
}

/** softmax(q k^T / sqrt(D)) v: q [.., T, D], k [.., S, D], v [.., S, E] -> [.., T, E]. Holds scores of [.., T, S]. @throws ShapeError */
export function scaledDotProductAttention(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  { causal = false }: AttentionOptions = {},
): Tensor {
  const rank = q.shape.length;
  if (rank < 2 || k.shape.length < 2 || q.shape.at(-1) !== k.shape.at(-1) || k.shape.at(-2) !== v.shape.at(-2)) {
    throw new ShapeError(
      `scaledDotProductAttention: expected [.., T, D], [.., S, D] and [.., S, E], found ${[q, k, v].map((x) => formatShape(x.shape)).join(", ")}`,
    );
  }
  const scores = q.matmul(k.transpose(-1, -2)).mul(1 / Math.sqrt(sizeOf(q.shape, rank - 1)));
  const seen = causal ? scores.maskedFill(futureMask(scores), MASKED) : scores;
  return seen.softmax(-1).matmul(v);
}

/** Where the key comes after the query: [T, S], bool. */
function futureMask(scores: Tensor): Tensor {
  const matrix = scores.shape.slice(-2);
  return iotaTensor(matrix, 1).gt(iotaTensor(matrix, 0));
}

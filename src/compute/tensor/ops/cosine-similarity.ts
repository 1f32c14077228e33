/** The cosine of the angle between vectors, and the loss that is made of it. */
import { ShapeError } from "../../../base/errors.ts";
import { formatShape, sameShape } from "../../layout/shape.ts";
import { withoutAxes } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import { checkPair, reduceLoss } from "./reduce-loss.ts";
import type { LossOptions } from "./reduce-loss.ts";
import { where } from "./where.ts";

/** Options of `cosineSimilarity`. */
export interface CosineSimilarityOptions {
  /** Shorter vectors are taken for so long: 1e-8 by default. */
  readonly eps?: number;
}

/**
 * x . y / (max(|x|, eps) max(|y|, eps)) along `axis`, 1 by default: shapes that broadcast to [.., n, ..] -> that without
 * `axis`. @throws ShapeError, OptionError
 */
export function cosineSimilarity(
  x: Tensor,
  y: Tensor,
  axis: number = 1,
  { eps = 1e-8 }: CosineSimilarityOptions = {},
): Tensor {
  // The square root is taken of what is not 0, so that its slope is finite.
  const length = (squares: Tensor): Tensor =>
    squares
      .sum(axis)
      .maximum(eps * eps)
      .sqrt();
  const dot = x.mul(y);
  const [a, b] = [x.expand(dot.shape), y.expand(dot.shape)];
  return dot.sum(axis).div(length(a.square()).mul(length(b.square())));
}

/** Options of `cosineEmbeddingLoss`. */
export interface CosineEmbeddingLossOptions extends LossOptions {
  /** How alike vectors that do not belong together may be for nothing: 0 by default. */
  readonly margin?: number;
}

const EPS = 1e-12; // PyTorch's, added to squares of lengths.

/**
 * 1 - cos(x, y) where the target is 1, max(0, cos(x, y) - margin) where it is -1, else 0; reduced: [N, D], [N, D] and
 * [N] (or [D], [D] and []) -> [], or [N] for "none". @throws ShapeError, OptionError
 */
export function cosineEmbeddingLoss(
  x: Tensor,
  y: Tensor,
  target: Tensor,
  { margin = 0, reduction }: CosineEmbeddingLossOptions = {},
): Tensor {
  checkPair("cosineEmbeddingLoss", x, y);
  const rank = x.shape.length;
  if ((rank !== 1 && rank !== 2) || !sameShape(withoutAxes(x.shape, [rank - 1]), target.shape)) {
    throw new ShapeError(
      `cosineEmbeddingLoss: expected [N, D] and targets [N], or [D] and [], found ${formatShape(x.shape)} and ${formatShape(target.shape)}`,
    );
  }
  const square = (v: Tensor): Tensor => v.square().sum(-1).add(EPS);
  const cosine = x
    .mul(y)
    .sum(-1)
    .div(square(x).mul(square(y)).sqrt());
  const apart = where(target.eq(-1), cosine.sub(margin).relu(), 0);
  const each = where(target.eq(1), cosine.neg().add(1), apart);
  return reduceLoss("cosineEmbeddingLoss", each, reduction);
}

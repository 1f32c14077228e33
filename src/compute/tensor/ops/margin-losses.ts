/** Losses that are 0 once scores or distances are apart by a margin. */
import { OptionError, ShapeError } from "../../../base/errors.ts";
import { formatShape, sameShape } from "../../layout/shape.ts";
import { toIndices } from "../operands.ts";
import { sizeOf, withoutAxes } from "../shapes.ts";
import { iotaTensor } from "../source.ts";
import type { Tensor } from "../tensor.ts";
import { logSigmoid } from "./log-sigmoid.ts";
import { pairwiseDistance } from "./pairwise-distance.ts";
import { checkPair, reduceLoss } from "./reduce-loss.ts";
import type { LossOptions } from "./reduce-loss.ts";
import { where } from "./where.ts";

/** Options of losses with a margin. */
export interface MarginOptions extends LossOptions {
  readonly margin?: number;
}

/**
 * max(0, margin - y (a - b)), y being 1 where a should be larger and -1 where b should; margin 0 by default. Shapes that
 * broadcast -> [], or that shape for "none". @throws ShapeError, OptionError
 */
export function marginRankingLoss(
  a: Tensor,
  b: Tensor,
  y: Tensor,
  { margin = 0, reduction }: MarginOptions = {},
): Tensor {
  return reduceLoss("marginRankingLoss", y.mul(a.sub(b)).neg().add(margin).relu(), reduction);
}

/**
 * x where y is 1, max(0, margin - x) where it is -1; margin 1 by default. [..] and [..] -> [], or [..] for "none".
 * @throws ShapeError, OptionError
 */
export function hingeEmbeddingLoss(x: Tensor, y: Tensor, { margin = 1, reduction }: MarginOptions = {}): Tensor {
  const near = where(y.ne(-1), x, 0);
  const far = where(y.ne(1), x.neg().add(margin).relu(), 0);
  return reduceLoss("hingeEmbeddingLoss", near.add(far), reduction);
}

/** log(1 + e^(-y x)), y being 1 or -1: [..] and [..] -> [], or [..] for "none". @throws ShapeError, OptionError */
export function softMarginLoss(x: Tensor, y: Tensor, { reduction }: LossOptions = {}): Tensor {
  checkPair("softMarginLoss", x, y);
  return reduceLoss("softMarginLoss", logSigmoid(x.mul(y)).neg(), reduction);
}

/** Options of `multiMarginLoss`. */
export interface MultiMarginLossOptions extends MarginOptions {
  /** 1 (by default) or 2: the power of what is within the margin. */
  readonly p?: 1 | 2;
  /** How much each class counts: [C]. */
  readonly weight?: Tensor | null;
}

/**
 * The mean over the classes i other than t of weight[t] max(0, margin - x[t] + x[i])^p, the sum being divided by all C:
 * scores [N, C] and class numbers [N] (or [C] and []) -> [], or [N] for "none". @throws ShapeError, OptionError, UnsupportedError
 */
export function multiMarginLoss(x: Tensor, targets: Tensor, options: MultiMarginLossOptions = {}): Tensor {
  const { p = 1, margin = 1, weight = null, reduction } = options;
  const rank = x.shape.length;
  if ((rank !== 1 && rank !== 2) || !sameShape(withoutAxes(x.shape, [rank - 1]), targets.shape)) {
    throw new ShapeError(
      `multiMarginLoss: expected [N, C] and targets [N], or [C] and [], found ${formatShape(x.shape)} and ${formatShape(targets.shape)}`,
    );
  }
  if (p !== 1 && p !== 2) throw new OptionError(`multiMarginLoss: expected p 1 or 2, found ${String(p)}`);
  const classes = sizeOf(x.shape, rank - 1);
  const chosen = toIndices("multiMarginLoss", targets).unsqueeze(-1);
  const over = x.sub(x.gather(-1, chosen)).add(margin).relu();
  const others = where(iotaTensor(x.shape, rank - 1).eq(chosen), 0, p === 1 ? over : over.square());
  const sums = others.sum(-1).div(classes);
  const weights = weight?.indexSelect(0, chosen.reshape([-1])).reshape(targets.shape);
  return reduceLoss("multiMarginLoss", weights === undefined ? sums : sums.mul(weights), reduction);
}

/** Options of `tripletMarginLoss`. */
export interface TripletMarginLossOptions extends MarginOptions {
  /** The norm: 2 by default. */
  readonly p?: number;
  /** Added to each difference: 1e-6 by default. */
  readonly eps?: number;
  /** The negative's distance is that to the nearer of anchor and positive. */
  readonly swap?: boolean;
}

/**
 * max(0, margin + |anchor - positive| - |anchor - negative|), margin 1 by default: shapes that broadcast to [.., D] -> [],
 * or [..] for "none". @throws ShapeError, OptionError
 */
export function tripletMarginLoss(
  anchor: Tensor,
  positive: Tensor,
  negative: Tensor,
  { margin = 1, p = 2, eps = 1e-6, swap = false, reduction }: TripletMarginLossOptions = {},
): Tensor {
  const near = pairwiseDistance(anchor, positive, { p, eps });
  const direct = pairwiseDistance(anchor, negative, { p, eps });
  const far = swap ? direct.minimum(pairwiseDistance(positive, negative, { p, eps })) : direct;
  return reduceLoss("tripletMarginLoss", near.sub(far).add(margin).relu(), reduction);
}

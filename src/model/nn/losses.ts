/** Losses as modules: each is the function of its name in `functional`, with its options. */
import { bce, bceWithLogits } from "../../compute/tensor/ops/binary-cross-entropy.ts";
import type { BceOptions, BceWithLogitsOptions } from "../../compute/tensor/ops/binary-cross-entropy.ts";
import { cosineEmbeddingLoss } from "../../compute/tensor/ops/cosine-similarity.ts";
import type { CosineEmbeddingLossOptions } from "../../compute/tensor/ops/cosine-similarity.ts";
import { crossEntropy, nllLoss } from "../../compute/tensor/ops/cross-entropy.ts";
import type { ClassLossOptions, CrossEntropyOptions } from "../../compute/tensor/ops/cross-entropy.ts";
import { klDiv } from "../../compute/tensor/ops/kl-div.ts";
import type { KlDivOptions } from "../../compute/tensor/ops/kl-div.ts";
import { gaussianNllLoss, poissonNllLoss } from "../../compute/tensor/ops/likelihood-losses.ts";
import type { GaussianNllLossOptions, PoissonNllLossOptions } from "../../compute/tensor/ops/likelihood-losses.ts";
import { huberLoss, l1Loss, mseLoss, smoothL1Loss } from "../../compute/tensor/ops/losses.ts";
import type { HuberLossOptions, SmoothL1LossOptions } from "../../compute/tensor/ops/losses.ts";
import {
  hingeEmbeddingLoss,
  marginRankingLoss,
  multiMarginLoss,
  softMarginLoss,
  tripletMarginLoss,
} from "../../compute/tensor/ops/margin-losses.ts";
import type {
  MarginOptions,
  MultiMarginLossOptions,
  TripletMarginLossOptions,
} from "../../compute/tensor/ops/margin-losses.ts";
import type { LossOptions } from "../../compute/tensor/ops/reduce-loss.ts";
import type { Tensor } from "../../compute/tensor/tensor.ts";
import { Module } from "./module.ts";

/** A loss with the options that it is called with. */
abstract class Loss<Options> extends Module {
  readonly options: Options;

  constructor(options: Options = {} as Options) {
    super();
    this.options = options;
  }
}

/** (x - y)^2, reduced: [..] and [..] -> [], or [..] for "none". See `functional.mseLoss`. */
export class MSELoss extends Loss<LossOptions> {
  /** @throws ShapeError, OptionError */
  forward(x: Tensor, y: Tensor): Tensor {
    return mseLoss(x, y, this.options);
  }
}

/** |x - y|, reduced: [..] and [..] -> [], or [..] for "none". See `functional.l1Loss`. */
export class L1Loss extends Loss<LossOptions> {
  /** @throws ShapeError, OptionError */
  forward(x: Tensor, y: Tensor): Tensor {
    return l1Loss(x, y, this.options);
  }
}

/** A parabola up to `delta`, then a line: [..] and [..] -> [], or [..] for "none". See `functional.huberLoss`. */
export class HuberLoss extends Loss<HuberLossOptions> {
  /** @throws ShapeError, OptionError */
  forward(x: Tensor, y: Tensor): Tensor {
    return huberLoss(x, y, this.options);
  }
}

/** A parabola up to `beta`, then a line of slope 1: [..] and [..] -> [], or [..] for "none". See `functional.smoothL1Loss`. */
export class SmoothL1Loss extends Loss<SmoothL1LossOptions> {
  /** @throws ShapeError, OptionError */
  forward(x: Tensor, y: Tensor): Tensor {
    return smoothL1Loss(x, y, this.options);
  }
}

/** Cross entropy of probabilities of two classes: [..] and [..] -> [], or [..] for "none". See `functional.bce`. */
export class BCELoss extends Loss<BceOptions> {
  /** @throws ShapeError, OptionError */
  forward(x: Tensor, y: Tensor): Tensor {
    return bce(x, y, this.options);
  }
}

/** Cross entropy of logits of two classes: [..] and [..] -> [], or [..] for "none". See `functional.bceWithLogits`. */
export class BCEWithLogitsLoss extends Loss<BceWithLogitsOptions> {
  /** @throws ShapeError, OptionError */
  forward(x: Tensor, y: Tensor): Tensor {
    return bceWithLogits(x, y, this.options);
  }
}

/**
 * The Kullback-Leibler divergence of log-probabilities from probabilities: [N, ..] and [N, ..] -> [], or their shape
 * for "none". See `functional.klDiv`.
 */
export class KLDivLoss extends Loss<KlDivOptions> {
  /** @throws ShapeError, OptionError */
  forward(x: Tensor, target: Tensor): Tensor {
    return klDiv(x, target, this.options);
  }
}

/**
 * Cross entropy of logits [N, C, ..] with class numbers [N, ..] or with probabilities [N, C, ..] -> [], or [N, ..] for
 * "none". See `functional.crossEntropy`.
 */
export class CrossEntropyLoss extends Loss<CrossEntropyOptions> {
  /** @throws ShapeError, OptionError */
  forward(x: Tensor, target: Tensor): Tensor {
    return crossEntropy(x, target, this.options);
  }
}

/** Minus the log-probabilities [N, C, ..] of class numbers [N, ..] -> [], or [N, ..] for "none". See `functional.nllLoss`. */
export class NLLLoss extends Loss<ClassLossOptions> {
  /** @throws ShapeError, OptionError */
  forward(x: Tensor, target: Tensor): Tensor {
    return nllLoss(x, target, this.options);
  }
}

/**
 * How far cosines are from what targets 1 and -1 ask for: [N, D], [N, D] and [N] -> [], or [N] for "none". See
 * `functional.cosineEmbeddingLoss`.
 */
export class CosineEmbeddingLoss extends Loss<CosineEmbeddingLossOptions> {
  /** @throws ShapeError, OptionError */
  forward(x: Tensor, y: Tensor, target: Tensor): Tensor {
    return cosineEmbeddingLoss(x, y, target, this.options);
  }
}

/**
 * 0 once the one that should be larger is so by a margin: [..], [..] and targets [..] -> [], or [..] for "none". See
 * `functional.marginRankingLoss`.
 */
export class MarginRankingLoss extends Loss<MarginOptions> {
  /** @throws ShapeError, OptionError */
  forward(a: Tensor, b: Tensor, y: Tensor): Tensor {
    return marginRankingLoss(a, b, y, this.options);
  }
}

/**
 * Distances where the target is 1, what they lack of a margin where it is -1: [..] and [..] -> [], or [..] for "none".
 * See `functional.hingeEmbeddingLoss`.
 */
export class HingeEmbeddingLoss extends Loss<MarginOptions> {
  /** @throws ShapeError, OptionError */
  forward(x: Tensor, y: Tensor): Tensor {
    return hingeEmbeddingLoss(x, y, this.options);
  }
}

/** log(1 + e^(-y x)), reduced: [..] and [..] -> [], or [..] for "none". See `functional.softMarginLoss`. */
export class SoftMarginLoss extends Loss<LossOptions> {
  /** @throws ShapeError, OptionError */
  forward(x: Tensor, y: Tensor): Tensor {
    return softMarginLoss(x, y, this.options);
  }
}

/**
 * What the scores [N, C] of other classes have over the target's less a margin: with class numbers [N] -> [], or [N]
 * for "none". See `functional.multiMarginLoss`.
 */
export class MultiMarginLoss extends Loss<MultiMarginLossOptions> {
  /** @throws ShapeError, OptionError */
  forward(x: Tensor, target: Tensor): Tensor {
    return multiMarginLoss(x, target, this.options);
  }
}

/**
 * 0 once the negative is farther from the anchor than the positive by a margin: three [.., D] -> [], or [..] for
 * "none". See `functional.tripletMarginLoss`.
 */
export class TripletMarginLoss extends Loss<TripletMarginLossOptions> {
  /** @throws ShapeError, OptionError */
  forward(anchor: Tensor, positive: Tensor, negative: Tensor): Tensor {
    return tripletMarginLoss(anchor, positive, negative, this.options);
  }
}

/**
 * Minus the log-likelihood of counts under Poisson's distribution: [..] and [..] -> [], or [..] for "none". See
 * `functional.poissonNllLoss`.
 */
export class PoissonNLLLoss extends Loss<PoissonNllLossOptions> {
  /** @throws ShapeError, OptionError */
  forward(x: Tensor, y: Tensor): Tensor {
    return poissonNllLoss(x, y, this.options);
  }
}

/**
 * Minus the log-likelihood of values under normal distributions of means and variances: three [.., D] -> [], or [.., D]
 * for "none". See `functional.gaussianNllLoss`.
 */
export class GaussianNLLLoss extends Loss<GaussianNllLossOptions> {
  /** @throws ShapeError, OptionError */
  forward(x: Tensor, y: Tensor, variance: Tensor | number): Tensor {
    return gaussianNllLoss(x, y, variance, this.options);
  }
}

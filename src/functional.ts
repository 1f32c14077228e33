/** The namespace `functional` of the entry `hearth`: operations on tensors that take no state. */
export { where } from "./compute/tensor/ops/where.ts";
export {
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveAvgPool3d,
  adaptiveMaxPool1d,
  adaptiveMaxPool2d,
  adaptiveMaxPool3d,
} from "./compute/tensor/ops/adaptive-pool.ts";
export type { OutputSize } from "./compute/tensor/ops/adaptive-pool.ts";
export { affineGrid } from "./compute/tensor/ops/affine-grid.ts";
export { avgPool1d, avgPool2d, avgPool3d } from "./compute/tensor/ops/avg-pool.ts";
export type { AvgPoolOptions } from "./compute/tensor/ops/avg-pool.ts";
export { batchNorm } from "./compute/tensor/ops/batch-norm.ts";
export type { BatchNormOptions } from "./compute/tensor/ops/batch-norm.ts";
export { bce, bce as binaryCrossEntropy } from "./compute/tensor/ops/binary-cross-entropy.ts";
export {
  bceWithLogits,
  bceWithLogits as binaryCrossEntropyWithLogits,
} from "./compute/tensor/ops/binary-cross-entropy.ts";
export type { BceOptions, BceWithLogitsOptions } from "./compute/tensor/ops/binary-cross-entropy.ts";
export { cat, stack } from "./compute/tensor/ops/cat.ts";
export { conv1d, conv2d, conv3d } from "./compute/tensor/ops/conv.ts";
export type { ConvOptions } from "./compute/tensor/ops/conv.ts";
export { convTranspose1d, convTranspose2d, convTranspose3d } from "./compute/tensor/ops/conv-transpose.ts";
export type { ConvTransposeOptions } from "./compute/tensor/ops/conv-transpose.ts";
export { cosineEmbeddingLoss, cosineSimilarity } from "./compute/tensor/ops/cosine-similarity.ts";
export type { CosineEmbeddingLossOptions, CosineSimilarityOptions } from "./compute/tensor/ops/cosine-similarity.ts";
export { crossEntropy, nllLoss } from "./compute/tensor/ops/cross-entropy.ts";
export type { ClassLossOptions, CrossEntropyOptions } from "./compute/tensor/ops/cross-entropy.ts";
export { ctcLoss } from "./compute/tensor/ops/ctc-loss.ts";
export { dropout } from "./compute/tensor/ops/dropout.ts";
export type { DropoutOptions } from "./compute/tensor/ops/dropout.ts";
export { celu, elu, selu } from "./compute/tensor/ops/elu.ts";
export type { EluOptions } from "./compute/tensor/ops/elu.ts";
export { embedding } from "./compute/tensor/ops/gather.ts";
export type { EmbeddingOptions } from "./compute/tensor/ops/gather.ts";
export { gelu } from "./compute/tensor/ops/gelu.ts";
export type { GeluOptions } from "./compute/tensor/ops/gelu.ts";
export { glu } from "./compute/tensor/ops/glu.ts";
export { gridSample } from "./compute/tensor/ops/grid-sample.ts";
export type { GridSampleOptions } from "./compute/tensor/ops/grid-sample.ts";
export { groupNorm } from "./compute/tensor/ops/group-norm.ts";
export { hardsigmoid, hardswish, hardtanh, relu6 } from "./compute/tensor/ops/hardtanh.ts";
export type { HardtanhOptions } from "./compute/tensor/ops/hardtanh.ts";
export { instanceNorm } from "./compute/tensor/ops/instance-norm.ts";
export type { InstanceNormOptions } from "./compute/tensor/ops/instance-norm.ts";
export { interpolate, upsampleNearest2d } from "./compute/tensor/ops/interpolate.ts";
export type { InterpolateMode, InterpolateOptions } from "./compute/tensor/ops/interpolate.ts";
export { klDiv } from "./compute/tensor/ops/kl-div.ts";
export type { KlDivOptions } from "./compute/tensor/ops/kl-div.ts";
export { layerNorm } from "./compute/tensor/ops/layer-norm.ts";
export { leakyRelu } from "./compute/tensor/ops/leaky-relu.ts";
export { gaussianNllLoss, poissonNllLoss } from "./compute/tensor/ops/likelihood-losses.ts";
export type { GaussianNllLossOptions, PoissonNllLossOptions } from "./compute/tensor/ops/likelihood-losses.ts";
export { linear } from "./compute/tensor/ops/linear.ts";
export { localResponseNorm } from "./compute/tensor/ops/local-response-norm.ts";
export type { LocalResponseNormOptions } from "./compute/tensor/ops/local-response-norm.ts";
export { logSigmoid } from "./compute/tensor/ops/log-sigmoid.ts";
export { huberLoss, l1Loss, mseLoss, smoothL1Loss } from "./compute/tensor/ops/losses.ts";
export type { HuberLossOptions, SmoothL1LossOptions } from "./compute/tensor/ops/losses.ts";
export {
  hingeEmbeddingLoss,
  marginRankingLoss,
  multiMarginLoss,
  softMarginLoss,
  tripletMarginLoss,
} from "./compute/tensor/ops/margin-losses.ts";
export type {
  MarginOptions,
  MultiMarginLossOptions,
  TripletMarginLossOptions,
} from "./compute/tensor/ops/margin-losses.ts";
export {
  maxPool1d,
  maxPool1dWithIndices,
  maxPool2d,
  maxPool2dWithIndices,
  maxPool3d,
  maxPool3dWithIndices,
} from "./compute/tensor/ops/max-pool.ts";
export type { MaxPoolOptions } from "./compute/tensor/ops/max-pool.ts";
export { mish } from "./compute/tensor/ops/mish.ts";
export { normalize } from "./compute/tensor/ops/normalize.ts";
export { fold, unfold } from "./compute/tensor/ops/unfold.ts";
export type { UnfoldOptions } from "./compute/tensor/ops/unfold.ts";
export { oneHot } from "./compute/tensor/ops/one-hot.ts";
export { pad } from "./compute/tensor/ops/pad.ts";
export type { PadMode } from "./compute/tensor/ops/pad.ts";
export { pairwiseDistance } from "./compute/tensor/ops/pairwise-distance.ts";
export type { PairwiseDistanceOptions } from "./compute/tensor/ops/pairwise-distance.ts";
export { pixelShuffle, pixelUnshuffle } from "./compute/tensor/ops/pixel-shuffle.ts";
export type { PoolArguments, PoolOptions } from "./compute/tensor/ops/pool-windows.ts";
export { prelu } from "./compute/tensor/ops/prelu.ts";
export type { LossOptions, Reduction } from "./compute/tensor/ops/reduce-loss.ts";
export { relu } from "./compute/tensor/ops/relu.ts";
export { rmsNorm } from "./compute/tensor/ops/rms-norm.ts";
export { alibiSlopes, applyRotary, rotaryEmbedding, sinusoidalPositions } from "./compute/tensor/ops/rotary.ts";
export type { RotaryForm, RotaryOptions, SinusoidalOptions } from "./compute/tensor/ops/rotary.ts";
export { scaledDotProductAttention } from "./compute/tensor/ops/scaled-dot-product-attention.ts";
export type { AttentionOptions } from "./compute/tensor/ops/scaled-dot-product-attention.ts";
export { sigmoid } from "./compute/tensor/ops/sigmoid.ts";
export { silu } from "./compute/tensor/ops/silu.ts";
export { logSoftmax, softmax } from "./compute/tensor/ops/softmax.ts";
export { softmin } from "./compute/tensor/ops/softmin.ts";
export { softplus } from "./compute/tensor/ops/softplus.ts";
export type { SoftplusOptions } from "./compute/tensor/ops/softplus.ts";
export { hardshrink, softshrink, tanhshrink } from "./compute/tensor/ops/softshrink.ts";
export { softsign } from "./compute/tensor/ops/softsign.ts";
export type { PerAxis } from "./compute/tensor/ops/spatial.ts";
export { tanh } from "./compute/tensor/ops/tanh.ts";
export { threshold } from "./compute/tensor/ops/threshold.ts";
export { weightNorm } from "./compute/tensor/ops/weight-norm.ts";

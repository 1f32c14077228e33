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
export { avgPool1d, avgPool2d, avgPool3d } from "./compute/tensor/ops/avg-pool.ts";
export type { AvgPoolOptions } from "./compute/tensor/ops/avg-pool.ts";
export { batchNorm } from "./compute/tensor/ops/batch-norm.ts";
export type { BatchNormOptions } from "./compute/tensor/ops/batch-norm.ts";
export { cat, stack } from "./compute/tensor/ops/cat.ts";
export { conv1d, conv2d, conv3d } from "./compute/tensor/ops/conv.ts";
export type { ConvOptions } from "./compute/tensor/ops/conv.ts";
export { convTranspose1d, convTranspose2d, convTranspose3d } from "./compute/tensor/ops/conv-transpose.ts";
export type { ConvTransposeOptions } from "./compute/tensor/ops/conv-transpose.ts";
export { crossEntropy } from "./compute/tensor/ops/cross-entropy.ts";
export { dropout } from "./compute/tensor/ops/dropout.ts";
export { embedding } from "./compute/tensor/ops/gather.ts";
export { gelu } from "./compute/tensor/ops/gelu.ts";
export { groupNorm } from "./compute/tensor/ops/group-norm.ts";
export { instanceNorm } from "./compute/tensor/ops/instance-norm.ts";
export type { InstanceNormOptions } from "./compute/tensor/ops/instance-norm.ts";
export { interpolate, upsampleNearest2d } from "./compute/tensor/ops/interpolate.ts";
export type { InterpolateMode, InterpolateOptions } from "./compute/tensor/ops/interpolate.ts";
export { layerNorm } from "./compute/tensor/ops/layer-norm.ts";
export { leakyRelu } from "./compute/tensor/ops/leaky-relu.ts";
export { linear } from "./compute/tensor/ops/linear.ts";
export { localResponseNorm } from "./compute/tensor/ops/local-response-norm.ts";
export type { LocalResponseNormOptions } from "./compute/tensor/ops/local-response-norm.ts";
export { l1Loss, mseLoss } from "./compute/tensor/ops/losses.ts";
export {
  maxPool1d,
  maxPool1dWithIndices,
  maxPool2d,
  maxPool2dWithIndices,
  maxPool3d,
  maxPool3dWithIndices,
} from "./compute/tensor/ops/max-pool.ts";
export type { MaxPoolOptions } from "./compute/tensor/ops/max-pool.ts";
export { normalize } from "./compute/tensor/ops/normalize.ts";
export { oneHot } from "./compute/tensor/ops/one-hot.ts";
export { pad } from "./compute/tensor/ops/pad.ts";
export type { PadMode } from "./compute/tensor/ops/pad.ts";
export { pixelShuffle, pixelUnshuffle } from "./compute/tensor/ops/pixel-shuffle.ts";
export { relu } from "./compute/tensor/ops/relu.ts";
export { rmsNorm } from "./compute/tensor/ops/rms-norm.ts";
export { scaledDotProductAttention } from "./compute/tensor/ops/scaled-dot-product-attention.ts";
export { sigmoid } from "./compute/tensor/ops/sigmoid.ts";
export { silu } from "./compute/tensor/ops/silu.ts";
export { logSoftmax, softmax } from "./compute/tensor/ops/softmax.ts";
export { tanh } from "./compute/tensor/ops/tanh.ts";
export { weightNorm } from "./compute/tensor/ops/weight-norm.ts";

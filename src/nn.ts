/** The namespace `nn` of the entry `hearth`: layers, containers and what modules are made of. */
export {
  CELU,
  ELU,
  GELU,
  Hardshrink,
  Hardsigmoid,
  Hardswish,
  Hardtanh,
  LeakyReLU,
  LogSigmoid,
  Mish,
  ReLU,
  ReLU6,
  SELU,
  Sigmoid,
  SiLU,
  Softplus,
  Softshrink,
  Softsign,
  Tanh,
  Tanhshrink,
  Threshold,
} from "./model/nn/activations.ts";
export {
  AdaptiveAvgPool1d,
  AdaptiveAvgPool2d,
  AdaptiveAvgPool3d,
  AdaptiveMaxPool1d,
  AdaptiveMaxPool2d,
  AdaptiveMaxPool3d,
} from "./model/nn/adaptive-pool.ts";
export { CausalSelfAttention } from "./model/nn/attention.ts";
export type { AttentionLayerOptions } from "./model/nn/attention.ts";
export { GLU, LogSoftmax, PReLU, Softmax, Softmax2d, Softmin } from "./model/nn/axis-activations.ts";
export type { PReLUOptions } from "./model/nn/axis-activations.ts";
export { BatchNorm1d, BatchNorm2d, BatchNorm3d } from "./model/nn/batch-norm.ts";
export { Bilinear } from "./model/nn/bilinear.ts";
export { Dropout1d, Dropout2d, Dropout3d } from "./model/nn/channel-dropout.ts";
export { ModuleDict, ModuleList, ParameterDict, ParameterList, Sequential } from "./model/nn/containers.ts";
export type { Layer } from "./model/nn/containers.ts";
export { Conv1d, Conv2d, Conv3d } from "./model/nn/conv.ts";
export type { ConvLayerOptions } from "./model/nn/conv.ts";
export { ConvTranspose1d, ConvTranspose2d, ConvTranspose3d } from "./model/nn/conv-transpose.ts";
export type { ConvTransposeLayerOptions } from "./model/nn/conv-transpose.ts";
export { Dropout } from "./model/nn/dropout.ts";
export { Embedding } from "./model/nn/embedding.ts";
export type { EmbeddingOptions } from "./model/nn/embedding.ts";
export { EmbeddingBag } from "./model/nn/embedding-bag.ts";
export type { EmbeddingBagOptions } from "./model/nn/embedding-bag.ts";
export { GroupNorm } from "./model/nn/group-norm.ts";
export type { GroupNormOptions } from "./model/nn/group-norm.ts";
export type { ForwardHook, ForwardPreHook, FullBackwardHook, Gradients } from "./model/nn/hooks.ts";
export { withRandom } from "./model/nn/init.ts";
export { InstanceNorm1d, InstanceNorm2d, InstanceNorm3d } from "./model/nn/instance-norm.ts";
export { LayerNorm } from "./model/nn/layer-norm.ts";
export type { LayerNormOptions } from "./model/nn/layer-norm.ts";
export { Linear } from "./model/nn/linear.ts";
export type { LinearOptions } from "./model/nn/linear.ts";
export { LocalResponseNorm } from "./model/nn/local-response-norm.ts";
export {
  BCELoss,
  BCEWithLogitsLoss,
  CosineEmbeddingLoss,
  CrossEntropyLoss,
  GaussianNLLLoss,
  HingeEmbeddingLoss,
  HuberLoss,
  KLDivLoss,
  L1Loss,
  MSELoss,
  MarginRankingLoss,
  MultiMarginLoss,
  NLLLoss,
  PoissonNLLLoss,
  SmoothL1Loss,
  SoftMarginLoss,
  TripletMarginLoss,
} from "./model/nn/losses.ts";
export { Mlp } from "./model/nn/mlp.ts";
export type { MlpOptions } from "./model/nn/mlp.ts";
export { Module } from "./model/nn/module.ts";
export type { LoadOptions, StateOptions } from "./model/nn/module.ts";
export type { LoadResult, StateDict } from "./model/nn/module-state.ts";
export { MultiheadAttention } from "./model/nn/multihead-attention.ts";
export type {
  AttentionResult,
  MultiheadAttentionCall,
  MultiheadAttentionMasks,
  MultiheadAttentionOptions,
} from "./model/nn/multihead-attention.ts";
export {
  CircularPad1d,
  CircularPad2d,
  CircularPad3d,
  ConstantPad1d,
  ConstantPad2d,
  ConstantPad3d,
  ReflectionPad1d,
  ReflectionPad2d,
  ReflectionPad3d,
  ReplicationPad1d,
  ReplicationPad2d,
  ReplicationPad3d,
  ZeroPad1d,
  ZeroPad2d,
  ZeroPad3d,
} from "./model/nn/padding.ts";
export type { Sides } from "./model/nn/padding.ts";
export { Buffer, Parameter } from "./model/nn/parameter.ts";
export type { BufferOptions, ParameterOptions } from "./model/nn/parameter.ts";
export { AvgPool1d, AvgPool2d, AvgPool3d, MaxPool1d, MaxPool2d, MaxPool3d } from "./model/nn/pool.ts";
export { GRU, LSTM, RNN } from "./model/nn/recurrent.ts";
export type {
  LSTMInitial,
  LSTMOptions,
  LSTMResult,
  RecurrentOptions,
  RecurrentResult,
  RNNOptions,
} from "./model/nn/recurrent.ts";
export { GRUCell, LSTMCell, RNNCell } from "./model/nn/recurrent-cells.ts";
export type { CellOptions, LSTMCellState, RNNCellOptions } from "./model/nn/recurrent-cells.ts";
export {
  PixelShuffle,
  PixelUnshuffle,
  Upsample,
  UpsamplingBilinear2d,
  UpsamplingNearest2d,
} from "./model/nn/resampling.ts";
export { Flatten, Identity, Unflatten } from "./model/nn/reshaping.ts";
export { RMSNorm } from "./model/nn/rms-norm.ts";
export type { RMSNormOptions } from "./model/nn/rms-norm.ts";
export type { RunningNormOptions } from "./model/nn/running-norm.ts";
export { Transformer, TransformerDecoder, TransformerEncoder } from "./model/nn/transformer.ts";
export type { StackOptions, TransformerMasks, TransformerOptions } from "./model/nn/transformer.ts";
export { TransformerDecoderLayer, TransformerEncoderLayer } from "./model/nn/transformer-layers.ts";
export type { DecoderMasks, EncoderMasks, TransformerLayerOptions } from "./model/nn/transformer-layers.ts";
export { Fold, Unfold } from "./model/nn/unfold.ts";
export { weightNorm } from "./model/nn/weight-norm.ts";
export type { InitOptions, KaimingOptions, Nonlinearity } from "./model/nn/initializers.ts";
export * as init from "./model/nn/initializers.ts";

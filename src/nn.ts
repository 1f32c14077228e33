/** The namespace `nn` of the entry `hearth`: layers, containers and what modules are made of. */
export { Flatten, GELU, ReLU, Sigmoid, SiLU, Tanh } from "./model/nn/activations.ts";
export {
  AdaptiveAvgPool1d,
  AdaptiveAvgPool2d,
  AdaptiveAvgPool3d,
  AdaptiveMaxPool1d,
  AdaptiveMaxPool2d,
  AdaptiveMaxPool3d,
} from "./model/nn/adaptive-pool.ts";
export { CausalSelfAttention } from "./model/nn/attention.ts";
export { ModuleDict, ModuleList, ParameterDict, ParameterList, Sequential } from "./model/nn/containers.ts";
export type { Layer } from "./model/nn/containers.ts";
export { Conv1d, Conv2d, Conv3d } from "./model/nn/conv.ts";
export type { ConvLayerOptions } from "./model/nn/conv.ts";
export { ConvTranspose1d, ConvTranspose2d, ConvTranspose3d } from "./model/nn/conv-transpose.ts";
export type { ConvTransposeLayerOptions } from "./model/nn/conv-transpose.ts";
export { Dropout } from "./model/nn/dropout.ts";
export { Embedding } from "./model/nn/embedding.ts";
export type { ForwardHook, ForwardPreHook, FullBackwardHook, Gradients, HookHandle } from "./model/nn/hooks.ts";
export { withRandom } from "./model/nn/init.ts";
export { LayerNorm } from "./model/nn/layer-norm.ts";
export { Linear } from "./model/nn/linear.ts";
export { Mlp } from "./model/nn/mlp.ts";
export { Module } from "./model/nn/module.ts";
export type { LoadOptions, StateOptions } from "./model/nn/module.ts";
export type { LoadResult, StateDict } from "./model/nn/module-state.ts";
export { Buffer, Parameter } from "./model/nn/parameter.ts";
export type { BufferOptions, ParameterOptions } from "./model/nn/parameter.ts";
export { AvgPool1d, AvgPool2d, AvgPool3d, MaxPool1d, MaxPool2d, MaxPool3d } from "./model/nn/pool.ts";

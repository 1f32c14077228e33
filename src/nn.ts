/** The namespace `nn` of the entry `hearth`: layers, containers and what modules are made of. */
export { Flatten, GELU, ReLU, Sigmoid, SiLU, Tanh } from "./model/nn/activations.ts";
export { CausalSelfAttention } from "./model/nn/attention.ts";
export { ModuleList, Sequential } from "./model/nn/containers.ts";
export type { Layer } from "./model/nn/containers.ts";
export { Conv2d } from "./model/nn/conv2d.ts";
export { Dropout } from "./model/nn/dropout.ts";
export { Embedding } from "./model/nn/embedding.ts";
export { withRandom } from "./model/nn/init.ts";
export { LayerNorm } from "./model/nn/layer-norm.ts";
export { Linear } from "./model/nn/linear.ts";
export { Mlp } from "./model/nn/mlp.ts";
export { Module } from "./model/nn/module.ts";
export type { LoadOptions, StateDict } from "./model/nn/module.ts";
export { Buffer, Parameter } from "./model/nn/parameter.ts";
export { AvgPool2d, MaxPool2d } from "./model/nn/pool2d.ts";

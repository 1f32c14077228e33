/** The public entry `hearth`: tensors, automatic differentiation, compiled functions, layers and optimizers, on one device. */
export { Random } from "./base/random.ts";
export {
  AbortedError,
  CorruptDataError,
  DeadlineError,
  describeError,
  DeviceLostError,
  HearthError,
  InvariantError,
  NumericError,
  OptionError,
  PeerLostError,
  ProtocolError,
  QuotaError,
  ShapeError,
  UnsupportedError,
} from "./base/errors.ts";
export type { Shape } from "./compute/compiler/ir.ts";
export type { DType } from "./compute/layout/dtype.ts";
export type { HostArray, KernelReport, Runtime } from "./compute/runtime/runtime.ts";
export { detectAnomaly } from "./compute/tensor/anomaly.ts";
export { grad } from "./compute/tensor/autograd.ts";
export type { BackwardOptions, GradOptions } from "./compute/tensor/autograd.ts";
export { checkpoint } from "./compute/tensor/checkpoint.ts";
export { compile } from "./compute/tensor/compile.ts";
export type { CompiledFunction, CompileOptions, Inputs, TensorInput } from "./compute/tensor/compile.ts";
export { asTensor, full, fullLike, ones, onesLike, tensor, zeros, zerosLike } from "./compute/tensor/create.ts";
export type { TensorOptions } from "./compute/tensor/create.ts";
export {
  bernoulli,
  exponential,
  normal,
  rand,
  randInt,
  randInt as randint,
  randIntLike,
  randLike,
  randn,
  randnLike,
} from "./compute/tensor/create-random.ts";
export { arange, eye, linspace, logspace } from "./compute/tensor/create-ranges.ts";
export type { RandomOptions } from "./compute/tensor/create-random.ts";
export { defaultGenerator, Generator, manualSeed } from "./compute/tensor/generator.ts";
export { customFunction } from "./compute/tensor/custom-function.ts";
export type { CustomBackward, CustomFunction } from "./compute/tensor/custom-function.ts";
export { noGrad } from "./compute/tensor/grad-mode.ts";
export type { GradientHook, HookHandle } from "./compute/tensor/hooks.ts";
export type { HostValues, NestedValues } from "./compute/tensor/host-values.ts";
export type { Operand } from "./compute/tensor/operands.ts";
export { cat, stack } from "./compute/tensor/ops/cat.ts";
export { where } from "./compute/tensor/ops/where.ts";
export { setDefaultRuntime, withRuntime } from "./compute/tensor/runtime-scope.ts";
export { Tensor } from "./compute/tensor/tensor.ts";
export type { TensorTree } from "./compute/tensor/traced-plan.ts";
export { ByteTokenizer } from "./model/data/byte-tokenizer.ts";
export { CharTokenizer } from "./model/data/char-tokenizer.ts";
export * as functional from "./functional.ts";
export * as nn from "./nn.ts";
export * as optim from "./optim.ts";

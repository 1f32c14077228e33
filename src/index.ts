/** The public entry `hearth`: tensors, automatic differentiation, compiled functions, layers and optimizers, on one device. */
export type { Bytes } from "./base/bytes.ts";
export type { MemoryHolder } from "./base/errors.ts";
export { Random } from "./base/random.ts";
export {
  AbortedError,
  CorruptDataError,
  DeadlineError,
  describeError,
  DeviceLostError,
  HearthError,
  InvariantError,
  MissingDataError,
  NumericError,
  OptionError,
  OutOfMemoryError,
  PeerLostError,
  ProtocolError,
  QuotaError,
  ShapeError,
  UnsupportedError,
} from "./base/errors.ts";
export { MEMORY_KINDS } from "./compute/memory/snapshot.ts";
export type { MemoryKind, MemorySnapshot, PressureCounts, SlabSnapshot } from "./compute/memory/snapshot.ts";
export type { Shape } from "./compute/compiler/ir.ts";
export type { DType } from "./compute/layout/dtype.ts";
export type { GraphNodeReport, GraphReport, KernelReport, PlanReport } from "./compute/runtime/plan-report.ts";
export type { ReportTextOptions } from "./compute/runtime/report-text.ts";
export type { HostArray, Runtime, RuntimeMemory } from "./compute/runtime/runtime.ts";
export { detectAnomaly } from "./compute/tensor/anomaly.ts";
export { grad } from "./compute/tensor/autograd.ts";
export type { BackwardOptions, GradOptions } from "./compute/tensor/autograd.ts";
export { checkpoint } from "./compute/tensor/checkpoint.ts";
export { compile } from "./compute/tensor/compile.ts";
export type { CompiledFunction, CompileOptions, Inputs, TensorInput } from "./compute/tensor/compile.ts";
export type { OnStageValues } from "./compute/tensor/traced-plan.ts";
export type { OnStage, Stages } from "./compute/runtime/runtime.ts";
export { explain } from "./compute/tensor/explain.ts";
export type { Explanation, ExplainOptions } from "./compute/tensor/explain.ts";
export { asTensor, full, fullLike, ones, onesLike, tensor, zeros, zerosLike } from "./compute/tensor/create.ts";
export type { TensorOptions } from "./compute/tensor/host-tensor.ts";
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
export type { RandomOptions } from "./compute/tensor/create-random.ts";
export { arange, eye, linspace, logspace } from "./compute/tensor/create-ranges.ts";
export { defaultGenerator, Generator, manualSeed } from "./compute/tensor/generator.ts";
export { customFunction } from "./compute/tensor/custom-function.ts";
export type { CustomBackward, CustomFunction } from "./compute/tensor/custom-function.ts";
export { microBatched } from "./compute/tensor/micro-batch.ts";
export type { MicroBatchOptions } from "./compute/tensor/micro-batch.ts";
export { debugMemory, memory, memoryReport } from "./compute/tensor/memory.ts";
export type { MemoryControls, MemoryReport, TensorGroup } from "./compute/tensor/memory.ts";
export { keep, scope } from "./compute/tensor/scope.ts";
export { noGrad } from "./compute/tensor/grad-mode.ts";
export type { GradientHook, HookHandle } from "./compute/tensor/hooks.ts";
export type { HostValues, NestedValues, TypedHostValues } from "./compute/tensor/host-values.ts";
export type { Operand } from "./compute/tensor/operands.ts";
export { abs } from "./compute/tensor/ops/abs.ts";
export { add } from "./compute/tensor/ops/add.ts";
export { addcdiv, addcmul } from "./compute/tensor/ops/addcmul.ts";
export type { AddcOptions } from "./compute/tensor/ops/addcmul.ts";
export { addbmm, addmm, addmv, addr, baddbmm } from "./compute/tensor/ops/addmm.ts";
export type { AddProductOptions } from "./compute/tensor/ops/addmm.ts";
export { amax, amin, aminmax } from "./compute/tensor/ops/amax.ts";
export { all, any, countNonzero } from "./compute/tensor/ops/any.ts";
export { argmax, argmin } from "./compute/tensor/ops/argmax.ts";
export { acos, asin } from "./compute/tensor/ops/asin.ts";
export { acosh, asinh, atanh } from "./compute/tensor/ops/asinh.ts";
export { atan } from "./compute/tensor/ops/atan.ts";
export { atan2 } from "./compute/tensor/ops/atan2.ts";
export { bincount, histc } from "./compute/tensor/ops/bincount.ts";
export type { BincountOptions, HistcOptions } from "./compute/tensor/ops/bincount.ts";
export {
  bitwiseAnd,
  bitwiseLeftShift,
  bitwiseNot,
  bitwiseOr,
  bitwiseRightShift,
  bitwiseXor,
} from "./compute/tensor/ops/bitwise.ts";
export { broadcastTo } from "./compute/tensor/ops/broadcast-to.ts";
export { cat, stack } from "./compute/tensor/ops/cat.ts";
export { cdist } from "./compute/tensor/ops/cdist.ts";
export { ceil } from "./compute/tensor/ops/ceil.ts";
export { clamp, clampMax, clampMin } from "./compute/tensor/ops/clamp.ts";
export type { ClampOptions } from "./compute/tensor/ops/clamp.ts";
export { eq, ge, gt, le, logicalAnd, logicalNot, logicalOr, logicalXor, lt, ne } from "./compute/tensor/ops/compare.ts";
export { copysign } from "./compute/tensor/ops/copysign.ts";
export { cos } from "./compute/tensor/ops/cos.ts";
export { corrcoef, cov } from "./compute/tensor/ops/cov.ts";
export type { CovOptions } from "./compute/tensor/ops/cov.ts";
export { cross } from "./compute/tensor/ops/cross.ts";
export { cummax, cummin } from "./compute/tensor/ops/cummax.ts";
export type { Extremes } from "./compute/tensor/ops/cummax.ts";
export { cumprod } from "./compute/tensor/ops/cumprod.ts";
export { cumsum } from "./compute/tensor/ops/cumsum.ts";
export { diag, diagEmbed, diagonal, trace } from "./compute/tensor/ops/diagonal.ts";
export type { DiagonalOptions } from "./compute/tensor/ops/diagonal.ts";
export { div, floorDivide } from "./compute/tensor/ops/div.ts";
export type { DivOptions } from "./compute/tensor/ops/div.ts";
export type { RandomNumbers } from "./compute/tensor/ops/draw.ts";
export { einsum } from "./compute/tensor/ops/einsum.ts";
export { erf } from "./compute/tensor/ops/erf.ts";
export { erfc } from "./compute/tensor/ops/erfc.ts";
export { erfinv } from "./compute/tensor/ops/erfinv.ts";
export { exp } from "./compute/tensor/ops/exp.ts";
export { exp2 } from "./compute/tensor/ops/exp2.ts";
export { expm1 } from "./compute/tensor/ops/expm1.ts";
export { floor } from "./compute/tensor/ops/floor.ts";
export { gather, indexSelect } from "./compute/tensor/ops/gather.ts";
export { heaviside } from "./compute/tensor/ops/heaviside.ts";
export { hypot } from "./compute/tensor/ops/hypot.ts";
export { indexPut } from "./compute/tensor/ops/advanced-index.ts";
export type { IndexEntry, IndexPutOptions } from "./compute/tensor/ops/advanced-index.ts";
export { indexAdd, indexCopy, indexFill } from "./compute/tensor/ops/index-add.ts";
export type { IndexAddOptions } from "./compute/tensor/ops/index-add.ts";
export { allClose, equal, isClose } from "./compute/tensor/ops/is-close.ts";
export type { CloseOptions } from "./compute/tensor/ops/is-close.ts";
export { isFinite, isInf, isNaN } from "./compute/tensor/ops/is-finite.ts";
export { kron } from "./compute/tensor/ops/kron.ts";
export { lerp } from "./compute/tensor/ops/lerp.ts";
export { lgamma } from "./compute/tensor/ops/lgamma.ts";
export { log } from "./compute/tensor/ops/log.ts";
export { logAddExp } from "./compute/tensor/ops/log-add-exp.ts";
export { logCumSumExp } from "./compute/tensor/ops/log-cum-sum-exp.ts";
export { logSumExp } from "./compute/tensor/ops/log-sum-exp.ts";
export { log1p } from "./compute/tensor/ops/log1p.ts";
export { log10, log2 } from "./compute/tensor/ops/log2.ts";
export { logit } from "./compute/tensor/ops/logit.ts";
export type { LogitOptions } from "./compute/tensor/ops/logit.ts";
export { maskedFill } from "./compute/tensor/ops/masked-fill.ts";
export { matmul } from "./compute/tensor/ops/matmul.ts";
export { matrixPower } from "./compute/tensor/ops/matrix-power.ts";
export { max, min } from "./compute/tensor/ops/max.ts";
export { maximum } from "./compute/tensor/ops/maximum.ts";
export { mean } from "./compute/tensor/ops/mean.ts";
export { median, nanMedian } from "./compute/tensor/ops/median.ts";
export { broadcastTensors, cartesianProd, meshgrid } from "./compute/tensor/ops/meshgrid.ts";
export type { MeshgridOptions } from "./compute/tensor/ops/meshgrid.ts";
export { minimum } from "./compute/tensor/ops/minimum.ts";
export { mul } from "./compute/tensor/ops/mul.ts";
export { multiDot } from "./compute/tensor/ops/multi-dot.ts";
export { multinomial } from "./compute/tensor/ops/multinomial.ts";
export type { MultinomialOptions } from "./compute/tensor/ops/multinomial.ts";
export { nanMean, nanSum } from "./compute/tensor/ops/nan-sum.ts";
export { nanToNum } from "./compute/tensor/ops/nan-to-num.ts";
export type { NanToNumOptions } from "./compute/tensor/ops/nan-to-num.ts";
export { neg } from "./compute/tensor/ops/neg.ts";
export { maskedSelect, nonzero } from "./compute/tensor/ops/nonzero.ts";
export { norm } from "./compute/tensor/ops/norm.ts";
export { permutation } from "./compute/tensor/ops/permutation.ts";
export { movedim, permute, transpose } from "./compute/tensor/ops/permute.ts";
export { digamma, polygamma } from "./compute/tensor/ops/polygamma.ts";
export { pow } from "./compute/tensor/ops/pow.ts";
export { prod } from "./compute/tensor/ops/prod.ts";
export { reciprocal } from "./compute/tensor/ops/reciprocal.ts";
export { relu } from "./compute/tensor/ops/relu.ts";
export { fmod, remainder } from "./compute/tensor/ops/remainder.ts";
export { tile } from "./compute/tensor/ops/repeat.ts";
export { repeatInterleave } from "./compute/tensor/ops/repeat-interleave.ts";
export { flatten, reshape, squeeze, unflatten, unsqueeze } from "./compute/tensor/ops/reshape.ts";
export { roll } from "./compute/tensor/ops/roll.ts";
export { rot90 } from "./compute/tensor/ops/rot90.ts";
export { round } from "./compute/tensor/ops/round.ts";
export type { RoundOptions } from "./compute/tensor/ops/round.ts";
export { rsqrt } from "./compute/tensor/ops/rsqrt.ts";
export { scatter } from "./compute/tensor/ops/scatter.ts";
export { scatterAdd } from "./compute/tensor/ops/scatter-add.ts";
export { scatterReduce } from "./compute/tensor/ops/scatter-reduce.ts";
export type { ScatterReduceOptions, ScatterReduction } from "./compute/tensor/ops/scatter-reduce.ts";
export { bucketize, searchSorted } from "./compute/tensor/ops/search-sorted.ts";
export type { SearchOptions } from "./compute/tensor/ops/search-sorted.ts";
export { sigmoid } from "./compute/tensor/ops/sigmoid.ts";
export { sign } from "./compute/tensor/ops/sign.ts";
export { signbit } from "./compute/tensor/ops/signbit.ts";
export { sin } from "./compute/tensor/ops/sin.ts";
export { sinc } from "./compute/tensor/ops/sinc.ts";
export { cosh, sinh } from "./compute/tensor/ops/sinh.ts";
export { flip, narrow, select } from "./compute/tensor/ops/slice.ts";
export type { Range } from "./compute/tensor/ops/slice.ts";
export { diagonalScatter, selectScatter, sliceScatter } from "./compute/tensor/ops/slice-scatter.ts";
export { softmax, logSoftmax } from "./compute/tensor/ops/softmax.ts";
export { argsort, sort } from "./compute/tensor/ops/sort.ts";
export type { SortOptions, ValuesAndIndices } from "./compute/tensor/ops/sort.ts";
export { chunk, split, tensorSplit, unbind } from "./compute/tensor/ops/split.ts";
export { sqrt } from "./compute/tensor/ops/sqrt.ts";
export { square } from "./compute/tensor/ops/square.ts";
export { columnStack, dstack, hstack, vstack } from "./compute/tensor/ops/stacking.ts";
export { std, stdMean, varMean } from "./compute/tensor/ops/std.ts";
export { sub } from "./compute/tensor/ops/sub.ts";
export { sum } from "./compute/tensor/ops/sum.ts";
export type { Axes, DTypeOption, ReduceOptions, SumOptions } from "./compute/tensor/ops/sum.ts";
export { take, takeAlongDim } from "./compute/tensor/ops/take.ts";
export { tan } from "./compute/tensor/ops/tan.ts";
export { tanh } from "./compute/tensor/ops/tanh.ts";
export { tensordot } from "./compute/tensor/ops/tensordot.ts";
export { kthValue, topK } from "./compute/tensor/ops/top-k.ts";
export type { KeepDimOptions, TopKOptions } from "./compute/tensor/ops/top-k.ts";
export { trilIndices, triuIndices } from "./compute/tensor/ops/triangle-indices.ts";
export { tril, triu } from "./compute/tensor/ops/tril.ts";
export { frac, trunc } from "./compute/tensor/ops/trunc.ts";
export { unique, uniqueConsecutive } from "./compute/tensor/ops/unique.ts";
export type { Unique, UniqueOptions } from "./compute/tensor/ops/unique.ts";
export { variance as var } from "./compute/tensor/ops/variance.ts";
export type { VarianceOptions } from "./compute/tensor/ops/variance.ts";
export { bmm, dot, inner, mm, mv, outer } from "./compute/tensor/ops/vector-products.ts";
export { where } from "./compute/tensor/ops/where.ts";
export { setDefaultRuntime, withRuntime } from "./compute/tensor/runtime-scope.ts";
export { Tensor } from "./compute/tensor/tensor.ts";
export type { TensorTree } from "./compute/tensor/traced-plan.ts";
export { ByteTokenizer } from "./model/data/byte-tokenizer.ts";
export { CharTokenizer } from "./model/data/char-tokenizer.ts";
export * as data from "./data.ts";
export * as functional from "./functional.ts";
export * as nn from "./nn.ts";
export * as optim from "./optim.ts";
export * as safetensors from "./safetensors.ts";

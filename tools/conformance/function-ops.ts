/** Products, activations, windows, norms and losses: more ops of golden values, by the generator's names and options. */
import * as F from "../../src/functional.ts";
import * as hearth from "../../src/index.ts";
import type { Tensor } from "../../src/index.ts";
import { line, optional, plain } from "./op-line.ts";
import type { OpLine } from "./op-line.ts";

const PRODUCTS: readonly OpLine[] = [
  ...plain({
    mm: hearth.mm, bmm: hearth.bmm, mv: hearth.mv, dot: hearth.dot, outer: hearth.outer, inner: hearth.inner,
    kron: hearth.kron, corrcoef: hearth.corrcoef,
    multiDot: (...matrices: Tensor[]) => hearth.multiDot(matrices),
  }),
  ...(["addmm", "addmv", "addr", "baddbmm", "addbmm"] as const).map((name) =>
    line<hearth.AddProductOptions>(name, ([x, a, b], options) => x[name](a, b, options)),
  ),
  line<{ dims: number | [number[], number[]] }>("tensordot", ([a, b], { dims }) => hearth.tensordot(a, b, dims)),
  line<{ dim: number }>("cross", ([a, b], { dim }) => a.cross(b, dim)),
  line<{ power: number }>("matrixPower", ([x], { power }) => x.matrixPower(power)),
  line<{ correction?: number }>("cov", ([x], options) => x.cov(options)),
  line<{ p: number | "inf" }>("cdist", ([a, b], { p }) => hearth.cdist(a, b, { p: p === "inf" ? Infinity : p })),
  line<{ dim: number; eps?: number }>("cosineSimilarity", ([a, b], { dim, ...options }) => F.cosineSimilarity(a, b, dim, options)),
  line<F.PairwiseDistanceOptions>("pairwiseDistance", ([a, b], options) => F.pairwiseDistance(a, b, options)),
]; // prettier-ignore

const ACTIVATIONS: readonly OpLine[] = [
  ...plain({
    selu: F.selu, relu6: F.relu6, hardsigmoid: F.hardsigmoid, hardswish: F.hardswish, logSigmoid: F.logSigmoid, mish: F.mish,
    softsign: F.softsign, tanhshrink: F.tanhshrink, prelu: F.prelu,
  }),
  line<F.EluOptions>("celu", ([x], options) => F.celu(x, options)),
  line<F.HardtanhOptions>("hardtanh", ([x], options) => F.hardtanh(x, options)),
  line<{ lambda?: number }>("softshrink", ([x], { lambda }) => F.softshrink(x, lambda)),
  line<{ lambda?: number }>("hardshrink", ([x], { lambda }) => F.hardshrink(x, lambda)),
  line<{ threshold: number; value: number }>("threshold", ([x], { threshold, value }) => F.threshold(x, threshold, value)),
  line<{ dim: number }>("glu", ([x], { dim }) => F.glu(x, dim)),
]; // prettier-ignore

const POOLS = [
  [1, F.maxPool1d, F.maxPool1dWithIndices, F.avgPool1d, F.adaptiveAvgPool1d, F.adaptiveMaxPool1d],
  [2, F.maxPool2d, F.maxPool2dWithIndices, F.avgPool2d, F.adaptiveAvgPool2d, F.adaptiveMaxPool2d],
  [3, F.maxPool3d, F.maxPool3dWithIndices, F.avgPool3d, F.adaptiveAvgPool3d, F.adaptiveMaxPool3d],
] as const;

const WINDOWS: readonly OpLine[] = [
  line<F.ConvOptions>("conv3d", ([x, weight, bias], options) => F.conv3d(x, weight, bias, options)),
  line<F.ConvTransposeOptions>("convTranspose1d", ([x, weight, bias], options) => F.convTranspose1d(x, weight, bias, options)),
  line<F.ConvTransposeOptions>("convTranspose3d", ([x, weight, bias], options) => F.convTranspose3d(x, weight, bias, options)),
  ...POOLS.flatMap(([rank, maxPool, withIndices, avgPool, adaptiveAvgPool, adaptiveMaxPool]) => [
    line<F.MaxPoolOptions>(`maxPool${rank}d`, ([x], options) => maxPool(x, options)),
    line<F.MaxPoolOptions>(`maxPool${rank}dIndices`, ([x], options) => withIndices(x, options)[1]),
    line<F.AvgPoolOptions>(`avgPool${rank}d`, ([x], options) => avgPool(x, options)),
    line<{ outputSize: F.OutputSize }>(`adaptiveAvgPool${rank}d`, ([x], { outputSize }) => adaptiveAvgPool(x, outputSize)),
    line<{ outputSize: F.OutputSize }>(`adaptiveMaxPool${rank}d`, ([x], { outputSize }) => adaptiveMaxPool(x, outputSize)),
  ]),
  line<{ kernelSize: number } & F.UnfoldOptions>("unfold", ([x], { kernelSize, ...options }) => F.unfold(x, kernelSize, options)),
  line<{ outputSize: number[]; kernelSize: number } & F.UnfoldOptions>("fold", ([x], { outputSize, kernelSize, ...options }) => F.fold(x, outputSize, kernelSize, options)),
  line<F.InterpolateOptions>("interpolate", ([x], options) => F.interpolate(x, options)),
  line<F.GridSampleOptions>("gridSample", ([x, grid], options) => F.gridSample(x, grid, options)),
  line<{ size: number[]; alignCorners: boolean }>("affineGrid", ([theta], { size, ...options }) => F.affineGrid(theta, size, options)),
  line<{ factor: number }>("pixelShuffle", ([x], { factor }) => F.pixelShuffle(x, factor)),
  line<{ factor: number }>("pixelUnshuffle", ([x], { factor }) => F.pixelUnshuffle(x, factor)),
]; // prettier-ignore

function running([x, mean, variance]: readonly [Tensor, Tensor, Tensor, ...Tensor[]], momentum: number): Tensor {
  const [m, v] = [mean.detach(), variance.detach()];
  F.batchNorm(x.detach(), m, v, null, null, { training: true, momentum });
  return hearth.stack([m, v]);
}

const NORMS: readonly OpLine[] = [
  line("batchNormEval", ([x, mean, variance, weight, bias]) => F.batchNorm(x, mean.detach(), variance.detach(), weight, bias)),
  line<{ momentum: number }>("batchNormRunning", (inputs, { momentum }) => running(inputs, momentum)),
  line<{ eps: number }>("instanceNorm", ([x, weight, bias], { eps }) => F.instanceNorm(x, null, null, weight, bias, { eps })),
  line<{ size: number } & F.LocalResponseNormOptions>("localResponseNorm", ([x], { size, ...options }) => F.localResponseNorm(x, size, options)),
  line<{ p?: number; dim?: number }>("normalize", ([x], { p, dim }) => F.normalize(x, p, dim)),
  line<{ dim: number }>("weightNorm", ([v, g], { dim }) => F.weightNorm(v, g, dim)),
]; // prettier-ignore

const LOSSES: readonly OpLine[] = [
  line<F.SmoothL1LossOptions>("smoothL1Loss", ([x, y], options) => F.smoothL1Loss(x, y, options)),
  line<F.BceOptions>("bce", ([x, y], options) => F.bce(x, y, options)),
  line<F.LossOptions>("softMarginLoss", ([x, y], options) => F.softMarginLoss(x, y, options)),
  line<F.MarginOptions>("hingeEmbeddingLoss", ([x, y], options) => F.hingeEmbeddingLoss(x, y, options)),
  line<F.MarginOptions>("marginRankingLoss", ([a, b, y], options) => F.marginRankingLoss(a, b, y, options)),
  line<F.ClassLossOptions>("nllLoss", ([x, y, weight], options) => F.nllLoss(x, y, { ...options, weight: optional(weight) })),
  line<F.PoissonNllLossOptions>("poissonNllLoss", ([x, y], options) => F.poissonNllLoss(x, y, options)),
  line<F.GaussianNllLossOptions>("gaussianNllLoss", ([x, y, variance], options) => F.gaussianNllLoss(x, y, variance, options)),
  line<F.CosineEmbeddingLossOptions>("cosineEmbeddingLoss", ([a, b, y], options) => F.cosineEmbeddingLoss(a, b, y, options)),
  line<F.TripletMarginLossOptions>("tripletMarginLoss", ([a, p, n], options) => F.tripletMarginLoss(a, p, n, options)),
  line<F.MultiMarginLossOptions>("multiMarginLoss", ([x, y, weight], options) => F.multiMarginLoss(x, y, { ...options, weight: optional(weight) })),
]; // prettier-ignore

export const FUNCTION_OPS: readonly OpLine[] = [...PRODUCTS, ...ACTIVATIONS, ...WINDOWS, ...NORMS, ...LOSSES];

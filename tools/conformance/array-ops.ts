/** Elements, axes and indices: the ops of golden values beyond the first fixtures, by the generator's names and options. */
import * as hearth from "../../src/index.ts";
import type { Axes, IndexEntry, Tensor } from "../../src/index.ts";
import { line, partOf, plain } from "./op-line.ts";
import type { OpLine } from "./op-line.ts";

const { functional } = hearth;

interface Reduced {
  readonly dim?: Axes;
  readonly keepDim?: boolean;
}

interface Along extends Reduced {
  readonly dim: number;
}

const ELEMENTWISE: readonly OpLine[] = [
  ...plain({
    acos: hearth.acos, acosh: hearth.acosh, asin: hearth.asin, asinh: hearth.asinh, atan: hearth.atan, atanh: hearth.atanh,
    atan2: hearth.atan2, ceil: hearth.ceil, cosh: hearth.cosh, digamma: hearth.digamma, erfc: hearth.erfc, erfinv: hearth.erfinv,
    exp2: hearth.exp2, frac: hearth.frac, lgamma: hearth.lgamma, log10: hearth.log10, log2: hearth.log2, sinc: hearth.sinc,
    sinh: hearth.sinh, tan: hearth.tan, trunc: hearth.trunc, hypot: hearth.hypot, copysign: hearth.copysign, lerp: hearth.lerp,
    logAddExp: hearth.logAddExp, heaviside: hearth.heaviside, fmod: hearth.fmod, remainder: hearth.remainder,
    floorDivide: hearth.floorDivide, eq: hearth.eq, ge: hearth.ge, gt: hearth.gt, le: hearth.le, lt: hearth.lt, ne: hearth.ne,
    logicalAnd: hearth.logicalAnd, logicalOr: hearth.logicalOr, logicalXor: hearth.logicalXor, bitwiseAnd: hearth.bitwiseAnd,
    bitwiseOr: hearth.bitwiseOr, bitwiseXor: hearth.bitwiseXor, bitwiseNot: hearth.bitwiseNot,
    bitwiseLeftShift: hearth.bitwiseLeftShift, bitwiseRightShift: hearth.bitwiseRightShift,
    clampTensors: (x: Tensor, low: Tensor, high: Tensor) => hearth.clamp(x, low, high),
  }),
  line<{ n: number }>("polygamma", ([x], { n }) => hearth.polygamma(n, x)),
  line<{ exponent: number }>("powScalar", ([x], { exponent }) => x.pow(exponent)),
  line<{ base: number }>("powScalarBase", ([x], { base }) => hearth.pow(base, x)),
  line<{ value: number }>("addScalar", ([x], { value }) => x.add(value)),
  line<{ value: number }>("rsubScalar", ([x], { value }) => hearth.sub(value, x)),
  line<{ value: number }>("divScalar", ([x], { value }) => x.div(value)),
  line<hearth.DivOptions>("divRounding", ([a, b], options) => hearth.div(a, b, options)),
  line<hearth.AddcOptions>("addcmul", ([x, a, b], options) => x.addcmul(a, b, options)),
  line<hearth.AddcOptions>("addcdiv", ([x, a, b], options) => x.addcdiv(a, b, options)),
  line<hearth.LogitOptions>("logit", ([x], options) => x.logit(options)),
  line<hearth.RoundOptions>("round", ([x], options) => x.round(options)),
  line<hearth.NanToNumOptions>("nanToNum", ([x], options) => x.nanToNum(options)),
  line<hearth.CloseOptions>("isClose", ([a, b], options) => a.isClose(b, options)),
]; // prettier-ignore

const EXTREMES: Readonly<Record<string, "max" | "min">> = { true: "max", false: "min" };

const REDUCTIONS: readonly OpLine[] = [
  ...(["amax", "amin", "any", "all", "nanSum", "nanMean"] as const).map((name) =>
    line<Reduced>(name, ([x], { dim, ...options }) => x[name](dim, options)),
  ),
  line<Reduced>("countNonzero", ([x], { dim }) => x.countNonzero(dim)),
  line<{ dim: number; largest: boolean }>("maxTies", ([x], { dim, largest }) => x[EXTREMES[`${largest}`] ?? "max"](dim)),
  line<Reduced & { correction: number }>("std", ([x], { dim, ...options }) => x.std(dim, options)),
  line<Reduced & { p: number | "fro" | "inf" | "-inf" }>("norm", ([x], { p, dim, ...options }) =>
    x.norm(p === "inf" ? Infinity : p === "-inf" ? -Infinity : p, dim, options),
  ),
  ...(["cumprod", "logCumSumExp", "cumsum"] as const).map((name) => line<Along>(name, ([x], { dim }) => x[name](dim))),
  ...(["cummax", "cummin"] as const).flatMap((name) => [
    line<Along>(name, ([x], { dim }) => x[name](dim).values),
    line<Along>(`${name}Indices`, ([x], { dim }) => x[name](dim).indices),
  ]),
  line<Along>("cumprodZeros", ([x], { dim }) => x.cumprod(dim)),
  line<Along>("prodZeros", ([x], { dim }) => x.prod(dim)),
  line<Along>("softmaxLarge", ([x], { dim }) => x.softmax(dim)),
  line<Along>("softmin", ([x], { dim }) => functional.softmin(x, dim)),
  line<Along>("sumIntegers", ([x], { dim }) => x.sum(dim)),
  line<Along>("sumEmpty", ([x], { dim }) => x.sum(dim)),
  line<Along>("cumsumIntegers", ([x], { dim }) => x.cumsum(dim)),
  line<{ dim?: number; keepDim?: boolean }>("argmin", ([x], { dim, ...options }) => x.argmin(dim, options)),
  line<{ k: number; dim: number; largest: boolean }>("topKIndices", ([x], { k, dim, largest }) => x.topK(k, dim, { largest }).indices),
  line<{ dim: number; descending: boolean }>("sort", ([x], { dim, descending }) => x.sort(dim, { descending }).values),
  line<{ dim: number; descending: boolean }>("argsort", ([x], { dim, descending }) => x.argsort(dim, { descending })),
  line<Along>("sortIntegers", ([x], { dim }) => x.sort(dim).values),
  line<Along & { k: number }>("kthValue", ([x], { k, dim, ...options }) => x.kthValue(k, dim, options).values),
  line<{ dim?: number; keepDim?: boolean }>("median", ([x], { dim, ...options }) => (dim === undefined ? x.median() : x.median(dim, options).values)),
  line("nanMedian", ([x]) => x.nanMedian()),
  line<hearth.HistcOptions>("histc", ([x], options) => x.histc(options)),
  line<hearth.SearchOptions>("bucketize", ([x, boundaries], options) => hearth.bucketize(x, boundaries, options)),
  line<hearth.SearchOptions>("searchSorted", ([sorted, x], options) => hearth.searchSorted(sorted, x, options)),
]; // prettier-ignore

const ARRAYS: readonly OpLine[] = [
  line<Along>("catEmpty", (parts, { dim }) => hearth.cat(parts, dim)),
  ...Object.entries({ hstack: hearth.hstack, vstack: hearth.vstack, dstack: hearth.dstack, columnStack: hearth.columnStack }).map(([name, fn]) => line(name, (parts) => fn(parts))),
  line<{ diagonal?: number }>("triu", ([x], { diagonal }) => x.triu(diagonal)),
  line<{ repeats: readonly number[] }>("tile", ([x], { repeats }) => x.tile(repeats)),
  line<{ repeats: number | readonly number[]; dim?: number }>("repeatInterleave", ([x], { repeats, dim }) => x.repeatInterleave(repeats, dim)),
  line<{ shifts: number | readonly number[]; dims?: number | readonly number[] }>("roll", ([x], { shifts, dims }) => x.roll(shifts, dims)),
  line<{ k: number; dims: readonly [number, number] }>("rot90", ([x], { k, dims }) => x.rot90(k, dims)),
  line<hearth.DiagonalOptions>("diagonal", ([x], options) => x.diagonal(options)),
  line<hearth.DiagonalOptions>("diagEmbed", ([x], options) => x.diagEmbed(options)),
  line<{ diagonal: number }>("diag", ([x], { diagonal }) => x.diag(diagonal)),
  line("trace", ([x]) => x.trace()),
  line<{ startDim?: number; endDim?: number }>("flatten", ([x], { startDim, endDim }) => x.flatten(startDim, endDim)),
  line<{ dim: number; sizes: readonly number[] }>("unflatten", ([x], { dim, sizes }) => x.unflatten(dim, sizes)),
  line<Reduced>("squeeze", ([x], { dim }) => x.squeeze(dim)),
  line<Along>("unsqueeze", ([x], { dim }) => x.unsqueeze(dim)),
  line<{ source: number[] | number; destination: number[] | number }>("movedim", ([x], { source, destination }) => x.movedim(source, destination)),
  line<{ dim: number; start: number; length: number }>("narrow", ([x], { dim, start, length }) => x.narrow(dim, start, length)),
  line<{ dim: number; index: number }>("select", ([x], { dim, index }) => x.select(dim, index)),
  line<{ sizes: number | number[]; dim: number; part: number }>("split", ([x], { sizes, dim, part }) => partOf(x.split(sizes, dim), part)),
  line<{ chunks: number; dim: number; part: number }>("chunk", ([x], { chunks, dim, part }) => partOf(x.chunk(chunks, dim), part)),
  line<{ sections: number | number[]; dim: number; part: number }>("tensorSplit", ([x], { sections, dim, part }) => partOf(x.tensorSplit(sections, dim), part)),
  line<{ dim: number; part: number }>("unbind", ([x], { dim, part }) => partOf(x.unbind(dim), part)),
  line<{ indexing: "ij" | "xy"; part: number }>("meshgrid", (vectors, { indexing, part }) => partOf(hearth.meshgrid(vectors, { indexing }), part)),
  line("cartesianProd", (vectors) => hearth.cartesianProd(...vectors)),
  line<{ dim: number; size: number; step: number }>("unfoldAxis", ([x], { dim, size, step }) => x.unfold(dim, size, step)),
]; // prettier-ignore

/** Elements of x[...] as the generator writes them; tensors are the other inputs. */
type Entry = { readonly tensor: number } | { readonly range: [number, number | null, number] } | { readonly number: number } | { readonly whole: true }; // prettier-ignore

function indexEntry(entry: Entry, tensors: readonly Tensor[]): IndexEntry {
  if ("tensor" in entry) return partOf(tensors, entry.tensor);
  if ("range" in entry) return entry.range;
  return "number" in entry ? entry.number : null;
}

interface ScatterReduced extends Along {
  readonly reduce: hearth.ScatterReduction;
  readonly includeSelf: boolean;
}

const INDICES: readonly OpLine[] = [
  line<Along>("scatter", ([x, indices, source], { dim }) => x.scatter(dim, indices, source)),
  line<Along & { value: number }>("scatterValue", ([x, indices], { dim, value }) => x.scatter(dim, indices, value)),
  line<ScatterReduced>("scatterReduce", ([x, indices, source], { dim, reduce, includeSelf }) => x.scatterReduce(dim, indices, source, reduce, { includeSelf })),
  line<Along & hearth.IndexAddOptions>("indexAdd", ([x, indices, source], { dim, ...options }) => x.indexAdd(dim, indices, source, options)),
  line<Along>("indexCopy", ([x, indices, source], { dim }) => x.indexCopy(dim, indices, source)),
  line<Along & { value: number }>("indexFill", ([x, indices], { dim, value }) => x.indexFill(dim, indices, value)),
  line("take", ([x, indices]) => x.take(indices)),
  line<{ dim?: number }>("takeAlongDim", ([x, indices], { dim }) => x.takeAlongDim(indices, dim)),
  line<{ value: number }>("maskedFill", ([x, mask], { value }) => x.maskedFill(mask.cast("bool"), value)),
  line<{ classes: number }>("oneHot", ([indices], { classes }) => functional.oneHot(indices, classes)),
  line<{ entries: readonly Entry[] }>("index", ([x, ...tensors], { entries }) => x.index(entries.map((entry) => indexEntry(entry, tensors)))),
  line<hearth.IndexPutOptions>("indexPut", ([x, rows, columns, values], options) => x.indexPut([rows, columns], partOf([values ?? x], 0), options)),
  line<{ dim: number; start: number | null; end: number | null; step: number }>("sliceScatter", ([x, source], { dim, start, end, step }) => x.sliceScatter(source, dim, start, end, step)),
  line<{ dim: number; index: number }>("selectScatter", ([x, source], { dim, index }) => x.selectScatter(source, dim, index)),
  line<hearth.DiagonalOptions>("diagonalScatter", ([x, source], options) => x.diagonalScatter(source, options)),
  line<{ rows: number; columns: number; offset: number }>("trilIndices", (_, { rows, columns, offset }) => hearth.trilIndices(rows, columns, offset)),
  line<{ minLength?: number }>("bincount", ([x], options) => x.bincount(options)),
  line("nonzero", ([x]) => x.nonzero()),
  line("unique", async ([x]) => (await x.unique()).values),
  line("maskedSelect", ([x, mask]) => x.maskedSelect(mask.cast("bool"))),
]; // prettier-ignore

export const ARRAY_OPS: readonly OpLine[] = [...ELEMENTWISE, ...REDUCTIONS, ...ARRAYS, ...INDICES];

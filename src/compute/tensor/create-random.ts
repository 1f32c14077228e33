/**
 * Tensors of random numbers. They are drawn on the device when they are needed, from a counter-based generator: a seed
 * gives the same bits on every device and in every browser, inside compiled functions and outside.
 */
import { OptionError } from "../../base/errors.ts";
import { Random } from "../../base/random.ts";
import { isFloat, type DType } from "../layout/dtype.ts";
import type { Shape } from "../compiler/ir.ts";
import { Generator } from "./generator.ts";
import { shapeOf } from "./operands.ts";
import type { Operand } from "./operands.ts";
import { drawn } from "./ops/draw.ts";
import type { RandomNumbers } from "./ops/draw.ts";
import { broadcastShapes, checkShape } from "./shapes.ts";
import type { Tensor } from "./tensor.ts";

/** Options of the functions that draw tensors. */
export interface RandomOptions {
  /** The default one otherwise. A host `Random` names a key, outside of compiled functions. */
  readonly generator?: RandomNumbers;
  readonly dtype?: DType;
  readonly requiresGrad?: boolean;
}

/** Options, or in their place the source of the numbers alone. */
type Source = RandomNumbers | RandomOptions;

/** Independent uniform numbers in [0, 1): whole multiples of 2^-24 (of 2^-11 in float16). @throws OptionError */
export function rand(shape: Shape, source: Source = {}, options: RandomOptions = {}): Tensor {
  const { generator, dtype, requiresGrad } = merged("rand", source, options);
  checkFloat("rand", dtype);
  checkShape("rand", shape);
  const bits = dtype === "float16" ? 11 : 24;
  return finished(drawn("rand", shape, { kind: "uniform", bits }, generator).cast(dtype), requiresGrad);
}

/** Independent standard normal numbers. @throws OptionError */
export function randn(shape: Shape, source: Source = {}, options: RandomOptions = {}): Tensor {
  const { generator, dtype, requiresGrad } = merged("randn", source, options);
  checkFloat("randn", dtype);
  checkShape("randn", shape);
  return finished(drawn("randn", shape, { kind: "normal" }, generator).cast(dtype), requiresGrad);
}

/**
 * Independent whole numbers in [low, high), or [0, high) without `low`: int32 unless another dtype is asked for. A range
 * of n takes the remainder of 32 bits, so that no number is likelier than another by more than n / 2^32. @throws OptionError
 */
export function randInt(high: number, shape: Shape, source?: Source, options?: RandomOptions): Tensor;
export function randInt(low: number, high: number, shape: Shape, source?: Source, options?: RandomOptions): Tensor;
export function randInt(first: number, ...rest: readonly (number | Shape | Source | undefined)[]): Tensor {
  const [low, high, shape, source, options] = (typeof rest[0] === "number" ? [first, ...rest] : [0, first, ...rest]) as [number, number, Shape, Source?, RandomOptions?]; // prettier-ignore
  const { generator, dtype, requiresGrad } = merged("randInt", source ?? {}, { dtype: "int32", ...options });
  const range = high - low;
  if (!(Number.isInteger(low) && Number.isInteger(high) && range >= 1 && range <= 2 ** 32)) {
    throw new OptionError(`randInt: expected whole numbers low < high, at most 2^32 apart, found ${low} and ${high}`);
  }
  checkShape("randInt", shape);
  const offsets = drawn(
    "randInt",
    shape,
    range === 2 ** 32 ? { kind: "bits" } : { kind: "below", bound: range },
    generator,
  );
  const whole = dtype === "uint32" ? offsets.add(low >>> 0) : offsets.cast("int32").add(low);
  return finished(whole.cast(dtype), requiresGrad);
}

/** As `rand`, in the shape and, of floats, the dtype of `x`. */
export function randLike(x: Tensor, source: Source = {}, options: RandomOptions = {}): Tensor {
  return rand(x.shape, source, { ...likeness(x), ...options });
}

/** As `randn`, in the shape and, of floats, the dtype of `x`. */
export function randnLike(x: Tensor, source: Source = {}, options: RandomOptions = {}): Tensor {
  return randn(x.shape, source, { ...likeness(x), ...options });
}

/** As `randInt`, in the shape of `x`. @throws OptionError */
export function randIntLike(x: Tensor, low: number, high: number, source: Source = {}): Tensor {
  return randInt(low, high, x.shape, source);
}

/**
 * Independent normal numbers: `mean` and `std` broadcast, or, both numbers, want a shape. With the mean 0 the same bits
 * everywhere; else a device may round the sum by one bit differently. @throws OptionError, ShapeError
 */
export function normal(mean: Operand, std: Operand, shape?: Shape | Source, source: Source = {}): Tensor {
  if (typeof std === "number" && !(std >= 0)) throw new OptionError(`normal: expected std from 0, found ${std}`);
  const isShape = Array.isArray(shape);
  const size = isShape ? (shape as Shape) : broadcastShapes("normal", shapeOf(mean), shapeOf(std));
  if (!isShape && typeof mean === "number" && typeof std === "number") {
    throw new OptionError("normal: expected a shape beside a mean and a std that are numbers, found none");
  }
  const standard = randn(size, isShape ? source : ((shape as Source | undefined) ?? source));
  const scaled = std === 1 ? standard : standard.mul(std);
  return mean === 0 ? scaled : scaled.add(mean);
}

/** Independent exponential numbers of rate `rate`, never 0: -ln u / rate. @throws OptionError */
export function exponential(shape: Shape, rate: number = 1, source: Source = {}): Tensor {
  if (!(rate > 0)) throw new OptionError(`exponential: expected a rate above 0, found ${rate}`);
  const { generator, dtype, requiresGrad } = merged("exponential", source, {});
  checkFloat("exponential", dtype);
  checkShape("exponential", shape);
  const standard = drawn("exponential", shape, { kind: "exponential" }, generator);
  return finished((rate === 1 ? standard : standard.mul(1 / rate)).cast(dtype), requiresGrad);
}

/**
 * 1 with probability p, else 0. A tensor p gives each element its own, and the result its shape and dtype; a number wants
 * a shape (float32 unless another dtype is asked for). Probabilities count in steps of 2^-24. @throws OptionError
 */
export function bernoulli(p: Tensor, source?: Source): Tensor;
export function bernoulli(p: number, shape: Shape, source?: Source, options?: RandomOptions): Tensor;
export function bernoulli(
  p: Operand,
  second?: Shape | Source,
  third: Source = {},
  options: RandomOptions = {},
): Tensor {
  const isShape = Array.isArray(second);
  if (typeof p === "number") {
    if (!(p >= 0 && p <= 1)) throw new OptionError(`bernoulli: expected p from 0 to 1, found ${p}`);
    if (!isShape) throw new OptionError("bernoulli: expected a shape beside a p that is a number, found none");
  }
  const source = isShape ? third : ((second as Source | undefined) ?? third);
  const { generator, dtype, requiresGrad } = merged("bernoulli", source, options);
  const shape = isShape ? (second as Shape) : shapeOf(p);
  checkShape("bernoulli", shape);
  const uniform = drawn("bernoulli", shape, { kind: "uniform", bits: 24 }, generator);
  const isFloatLike = typeof p !== "number" && isFloat(p.dtype);
  return finished(uniform.lt(p).cast(isFloatLike ? p.dtype : dtype), requiresGrad);
}

function likeness(x: Tensor): RandomOptions {
  return isFloat(x.dtype) ? { dtype: x.dtype } : {};
}

/** The settings of a call: `source` is a generator, or options. */
function merged(operation: string, source: Source, options: RandomOptions): Settings {
  const isNumbers = source instanceof Random || source instanceof Generator;
  const given = isNumbers ? { generator: source } : source;
  if (typeof given !== "object" || Array.isArray(given)) {
    throw new OptionError(`${operation}: expected a generator or options, found ${typeof source}`);
  }
  const { generator, dtype = "float32", requiresGrad = false } = { ...options, ...given };
  return { generator, dtype, requiresGrad };
}

interface Settings {
  readonly generator: RandomNumbers | undefined;
  readonly dtype: DType;
  readonly requiresGrad: boolean;
}

function checkFloat(operation: string, dtype: DType): void {
  if (!isFloat(dtype)) throw new OptionError(`${operation}: expected float32 or float16, found ${dtype}`);
}

function finished(out: Tensor, requiresGrad: boolean): Tensor {
  if (requiresGrad) out.requiresGrad = true;
  return out;
}

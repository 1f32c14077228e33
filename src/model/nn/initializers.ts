/**
 * The namespace `nn.init`: initial values, written into parameters. Each function draws from `random`, or from a stream
 * of its own of the random numbers in scope (`withRandom`), and gives its tensor back. The same numbers give the same
 * bits on every machine.
 */
import { OptionError, ShapeError } from "../../base/errors.ts";
import type { Random } from "../../base/random.ts";
import { formatShape } from "../../compute/layout/shape.ts";
import type { Tensor } from "../../compute/tensor/tensor.ts";
import { nextRandom } from "./init.ts";
import { orthogonalRows } from "./orthogonal-rows.ts";
import { setValues } from "./set-values.ts";
import { truncatedNormal } from "./truncated-normal.ts";

/** Where an initialiser draws from: random numbers in scope, unless `random` is given. */
export interface InitOptions {
  readonly random?: Random;
}

/** What a layer's output goes through; PyTorch's names with underscores are understood too. */
export type Nonlinearity =
  | "linear"
  | "conv1d"
  | "conv2d"
  | "conv3d"
  | "convTranspose1d"
  | "convTranspose2d"
  | "convTranspose3d"
  | "sigmoid"
  | "tanh"
  | "relu"
  | "leakyRelu"
  | "leaky_relu"
  | "selu";

/** Options of `kaimingUniform` and `kaimingNormal`. */
export interface KaimingOptions extends InitOptions {
  /** The negative slope of a leaky ReLU; 0 by default. */
  readonly a?: number;
  /** Whose variance stays: the output's (`fanIn`) or the gradient's (`fanOut`). */
  readonly mode?: "fanIn" | "fanOut" | "fan_in" | "fan_out";
  /** `leakyRelu` by default, which with a = 0 is `relu`. */
  readonly nonlinearity?: Nonlinearity;
}

/** Uniform in [a, b). */
export function uniform(tensor: Tensor, a = 0, b = 1, options: InitOptions = {}): Tensor {
  if (!(a <= b)) throw new OptionError(`init.uniform: expected a at most b, found ${a} and ${b}`);
  const random = streamOf(options);
  return fill("uniform", tensor, () => a + (b - a) * random.uniform());
}

/** Normal. */
export function normal(tensor: Tensor, mean = 0, std = 1, options: InitOptions = {}): Tensor {
  if (!(std >= 0)) throw new OptionError(`init.normal: expected a deviation of at least 0, found ${std}`);
  const random = streamOf(options);
  return fill("normal", tensor, () => mean + std * random.normal());
}

/** Normal, but within [a, b]. */
export function truncNormal(tensor: Tensor, mean = 0, std = 1, a = -2, b = 2, options: InitOptions = {}): Tensor {
  if (!(std > 0) || !(a < b)) {
    throw new OptionError(`init.truncNormal: expected std > 0 and a < b, found ${std}, ${a} and ${b}`);
  }
  const random = streamOf(options);
  const low = (a - mean) / std;
  const high = (b - mean) / std;
  return fill("truncNormal", tensor, () => Math.min(b, Math.max(a, mean + std * truncatedNormal(random, low, high))));
}

/** `value` everywhere. */
export function constant(tensor: Tensor, value: number): Tensor {
  return fill("constant", tensor, () => value);
}

/** 0 everywhere. */
export function zeros(tensor: Tensor): Tensor {
  return constant(tensor, 0);
}

/** 1 everywhere. */
export function ones(tensor: Tensor): Tensor {
  return constant(tensor, 1);
}

/** 1 on the diagonal of a matrix, else 0. @throws ShapeError */
export function eye(tensor: Tensor): Tensor {
  const [, columns = 0] = shapeOf("eye", tensor, tensor.shape.length === 2, "a matrix");
  return fill("eye", tensor, (i) => (Math.floor(i / columns) === i % columns ? 1 : 0));
}

/**
 * A convolution's weight [out, in / groups, ..] that passes its input on: in each group, output channel c takes the
 * middle of input channel c. @throws ShapeError, OptionError
 */
export function dirac(tensor: Tensor, groups = 1): Tensor {
  const { shape } = tensor;
  const [outputs = 0, inputs = 0, ...kernel] = shapeOf("dirac", tensor, shape.length >= 3 && shape.length <= 5, "3 to 5 axes"); // prettier-ignore
  if (outputs % groups !== 0) {
    throw new OptionError(`init.dirac: expected groups that divide ${outputs}, found ${groups}`);
  }
  const perGroup = outputs / groups;
  const size = kernel.reduce((product, length) => product * length, 1);
  const middle = kernel.reduce((at, length) => at * length + Math.floor(length / 2), 0);
  return fill("dirac", tensor, (i) => {
    const input = Math.floor(i / size) % inputs;
    const output = Math.floor(i / (size * inputs)) % perGroup;
    return i % size === middle && output === input ? 1 : 0;
  });
}

/** Uniform in +-gain sqrt(6 / (fan in + fan out)) (Glorot & Bengio, 2010). */
export function xavierUniform(tensor: Tensor, gain = 1, options: InitOptions = {}): Tensor {
  const { fanIn, fanOut } = computeFanInAndFanOut(tensor);
  const bound = gain * Math.sqrt(6 / (fanIn + fanOut));
  return uniform(tensor, -bound, bound, options);
}

/** Normal with the deviation gain sqrt(2 / (fan in + fan out)) (Glorot & Bengio, 2010). */
export function xavierNormal(tensor: Tensor, gain = 1, options: InitOptions = {}): Tensor {
  const { fanIn, fanOut } = computeFanInAndFanOut(tensor);
  return normal(tensor, 0, gain * Math.sqrt(2 / (fanIn + fanOut)), options);
}

/** Uniform in +-gain sqrt(3 / fan) (He et al., 2015). */
export function kaimingUniform(tensor: Tensor, options: KaimingOptions = {}): Tensor {
  const bound = Math.sqrt(3) * kaimingDeviation(tensor, options);
  return uniform(tensor, -bound, bound, options);
}

/** Normal with the deviation gain / sqrt(fan) (He et al., 2015). */
export function kaimingNormal(tensor: Tensor, options: KaimingOptions = {}): Tensor {
  return normal(tensor, 0, kaimingDeviation(tensor, options), options);
}

/**
 * A (semi-)orthogonal matrix times `gain`, uniform among them (Saxe et al., 2014). Axes after the first count as one.
 * Costs rows x columns x min(rows, columns) on the host. @throws ShapeError for fewer than two axes
 */
export function orthogonal(tensor: Tensor, gain = 1, options: InitOptions = {}): Tensor {
  const [rows = 0] = shapeOf("orthogonal", tensor, tensor.shape.length >= 2, "two axes or more");
  const columns = rows === 0 ? 0 : tensor.size / rows;
  const random = streamOf(options);
  const isTall = rows > columns;
  const [short, long] = isTall ? [columns, rows] : [rows, columns];
  const values = orthogonalRows(short, long, random);
  return fill("orthogonal", tensor, (i) => {
    const [row, column] = [Math.floor(i / columns), i % columns];
    return gain * (values[isTall ? column * long + row : i] ?? 0);
  });
}

/**
 * Normal with the deviation `std`, but in each column the share `sparsity` of zeros (Martens, 2010). @throws ShapeError
 */
export function sparse(tensor: Tensor, sparsity: number, std = 0.01, options: InitOptions = {}): Tensor {
  const [rows = 0, columns = 0] = shapeOf("sparse", tensor, tensor.shape.length === 2, "a matrix");
  if (!(sparsity >= 0 && sparsity <= 1)) {
    throw new OptionError(`init.sparse: expected a sparsity from 0 to 1, found ${sparsity}`);
  }
  const random = streamOf(options);
  const zeroRows = Array.from({ length: columns }, () => {
    const order = random.shuffle(Array.from({ length: rows }, (_, row) => row));
    return new Set(order.slice(0, Math.ceil(sparsity * rows)));
  });
  return fill("sparse", tensor, (i) => {
    const value = std * random.normal();
    return zeroRows[i % columns]?.has(Math.floor(i / columns)) ? 0 : value;
  });
}

/** The factor by which a nonlinearity shrinks deviations, made up for; `param` is a leaky ReLU's slope, 0.01 by default. */
export function calculateGain(nonlinearity: Nonlinearity, param = 0.01): number {
  switch (nonlinearity) {
    case "tanh":
      return 5 / 3;
    case "relu":
      return Math.SQRT2;
    case "leakyRelu":
    case "leaky_relu":
      return Math.sqrt(2 / (1 + param * param));
    case "selu":
      return 3 / 4;
    case "linear":
    case "sigmoid":
    case "conv1d":
    case "conv2d":
    case "conv3d":
    case "convTranspose1d":
    case "convTranspose2d":
    case "convTranspose3d":
      return 1;
    default:
      nonlinearity satisfies never;
      throw new OptionError(`init.calculateGain: expected a nonlinearity, found ${String(nonlinearity)}`);
  }
}

/** Inputs and outputs of one unit of a weight [out, in, ..]. @throws ShapeError for fewer than two axes */
export function computeFanInAndFanOut(tensor: Tensor): { readonly fanIn: number; readonly fanOut: number } {
  const [outputs = 0, inputs = 0, ...kernel] = shapeOf("computeFanInAndFanOut", tensor, tensor.shape.length >= 2, "two axes or more"); // prettier-ignore
  const field = kernel.reduce((product, length) => product * length, 1);
  return { fanIn: inputs * field, fanOut: outputs * field };
}

function kaimingDeviation(
  tensor: Tensor,
  { a = 0, mode = "fanIn", nonlinearity = "leakyRelu" }: KaimingOptions,
): number {
  const { fanIn, fanOut } = computeFanInAndFanOut(tensor);
  const fan = mode === "fanIn" || mode === "fan_in" ? fanIn : fanOut;
  return calculateGain(nonlinearity, a) / Math.sqrt(fan);
}

function streamOf({ random }: InitOptions): Random {
  return random ?? nextRandom();
}

function fill(name: string, tensor: Tensor, next: (index: number) => number): Tensor {
  setValues(
    `init.${name}`,
    tensor,
    Float32Array.from({ length: tensor.size }, (_, index) => next(index)),
  );
  return tensor;
}

function shapeOf(name: string, { shape }: Tensor, fits: boolean, expected: string): readonly number[] {
  if (fits) return shape;
  throw new ShapeError(`init.${name}: expected ${expected}, found the shape ${formatShape(shape)}`);
}

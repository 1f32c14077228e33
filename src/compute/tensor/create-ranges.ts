/** Tensors of numbers that follow one another, and the identity matrix. Lists of fractions are rounded once, on the host: the same bits on every device. */
import { OptionError } from "../../base/errors.ts";
import type { TensorOptions } from "./host-tensor.ts";
import { hostTensor } from "./host-tensor.ts";
import { checkShape } from "./shapes.ts";
import { iotaTensor } from "./source.ts";
import type { Tensor } from "./tensor.ts";

const COUNT_MAX = 2 ** 31;

/** 0, 1, .. before `stop`: [count], int32 unless it is a fraction. @throws OptionError */
export function arange(stop: number, options?: TensorOptions): Tensor;
/**
 * start, start + step, ... before `stop`: [count], int32 unless a fraction is given. The range may be empty, and `step`
 * negative. @throws OptionError for a step of 0, or ends that are not finite
 */
export function arange(start: number, stop: number, step?: number | TensorOptions, options?: TensorOptions): Tensor;
export function arange(start: number, ...rest: readonly (number | TensorOptions | undefined)[]): Tensor {
  const numbers = rest.filter((value) => typeof value === "number");
  const options = rest.find((value) => typeof value === "object") ?? {};
  const [to = start, step = 1] = numbers;
  const from = numbers.length === 0 ? 0 : start;
  const count = Math.max(0, Math.ceil((to - from) / step));
  if (step === 0 || ![from, to, step].every(Number.isFinite) || count > COUNT_MAX) {
    throw new OptionError(`arange: expected finite ends and a step that is not 0, found ${from} to ${to} by ${step}`);
  }
  const isWhole = [from, to, step].every(Number.isInteger);
  const dtype = options.dtype ?? (isWhole ? "int32" : "float32");
  if (!isWhole) return listed(count, (i) => from + i * step, { ...options, dtype });
  const out = iotaTensor([count], 0).mul(step).add(from).cast(dtype);
  if (options.requiresGrad === true) out.requiresGrad = true;
  return out;
}

/** `count` numbers evenly from `start` to `stop`, both included: [count]. @throws OptionError */
export function linspace(start: number, stop: number, count: number, options: TensorOptions = {}): Tensor {
  checkShape("linspace", [count]);
  return listed(count, spaced(start, stop, count), options);
}

/** base^start to base^stop, with exponents as `linspace` has them: [count]. @throws OptionError */
export function logspace(
  start: number,
  stop: number,
  count: number,
  { base = 10, ...options }: TensorOptions & { readonly base?: number } = {},
): Tensor {
  checkShape("logspace", [count]);
  const exponent = spaced(start, stop, count);
  return listed(count, (i) => base ** exponent(i), options);
}

/** From both ends, so that both are exact and the middle is symmetric. */
function spaced(start: number, stop: number, count: number): (i: number) => number {
  const step = count > 1 ? (stop - start) / (count - 1) : 0;
  return (i) => (2 * i < count ? start + i * step : stop - (count - 1 - i) * step);
}

function listed(
  count: number,
  value: (i: number) => number,
  { dtype = "float32", requiresGrad }: TensorOptions,
): Tensor {
  const wide = Float64Array.from({ length: count }, (_, i) => value(i));
  const data = dtype === "int32" ? Int32Array.from(wide) : dtype === "uint32" ? Uint32Array.from(wide) : Float32Array.from(wide); // prettier-ignore
  return hostTensor({ shape: [count], data }, { dtype, requiresGrad: requiresGrad ?? false });
}

/** The identity: 1 where row = column, else 0: [rows, columns]. @throws OptionError */
export function eye(rows: number, columns: number | TensorOptions = rows, options: TensorOptions = {}): Tensor {
  if (typeof columns === "object") return eye(rows, rows, columns);
  const shape = [rows, columns];
  checkShape("eye", shape);
  const out = iotaTensor(shape, 0)
    .eq(iotaTensor(shape, 1))
    .cast(options.dtype ?? "float32");
  if (options.requiresGrad === true) out.requiresGrad = true;
  return out;
}

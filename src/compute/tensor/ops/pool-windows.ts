/** What a pool looks at: the windows under a kernel that slides over the spatial axes of [B, C, ...spatial]. */
import { OptionError, ShapeError } from "../../../base/errors.ts";
import { formatShape } from "../../layout/shape.ts";
import { sizeOf } from "../shapes.ts";
import { iotaTensor } from "../source.ts";
import type { Tensor } from "../tensor.ts";
import { padWith } from "./pad.ts";
import { perAxis } from "./spatial.ts";
import type { PerAxis } from "./spatial.ts";
import { windows } from "./window.ts";

/** Options of all pools. */
export interface PoolOptions {
  readonly kernelSize: PerAxis;
  /** The kernel's size by default. */
  readonly stride?: PerAxis | null | undefined;
  /** On both sides; at most half of the kernel. */
  readonly padding?: PerAxis;
  /** Rounds the result's size up: the last windows may begin inside and end outside. */
  readonly ceilMode?: boolean;
}

/** Either all options, or the kernel's size and the others, as PyTorch takes them. */
export type PoolArguments<Options extends PoolOptions> = [
  kernelSize: PerAxis | Options,
  options?: Omit<Options, "kernelSize">,
];

/** The options of either form. */
export function poolOptions<Options extends PoolOptions>([first, more]: PoolArguments<Options>): Options {
  if (typeof first === "object" && "kernelSize" in first) return { ...first, ...more };
  return { ...more, kernelSize: first } as Options;
}

/** Numbers of each spatial axis. */
export interface Sliding {
  readonly input: readonly number[];
  readonly kernel: readonly number[];
  readonly output: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly dilation: readonly number[];
}

/** @throws ShapeError, OptionError */
export function slidingOf(
  operation: string,
  input: readonly number[],
  options: PoolOptions & { readonly dilation?: PerAxis },
): Sliding {
  const rank = input.length;
  const kernel = perAxis(operation, "kernelSize", options.kernelSize, rank, 1);
  const stride = perAxis(operation, "stride", options.stride ?? kernel, rank, 1);
  const padding = perAxis(operation, "padding", options.padding ?? 0, rank, 0);
  const dilation = perAxis(operation, "dilation", options.dilation ?? 1, rank, 1);
  if (padding.some((count, axis) => 2 * count > sizeOf(kernel, axis))) {
    throw new OptionError(
      `${operation}: expected a padding of at most half of the kernel ${formatShape(kernel)}, found ${formatShape(padding)}`,
    );
  }
  const output = input.map((size, axis) => {
    const [around, step] = [sizeOf(padding, axis), sizeOf(stride, axis)];
    const free = size + 2 * around - (sizeOf(kernel, axis) - 1) * sizeOf(dilation, axis) - 1;
    if (options.ceilMode !== true) return Math.floor(free / step) + 1;
    const count = Math.ceil(free / step) + 1;
    // A window has to begin inside, or in the padding before it.
    return (count - 1) * step >= size + around ? count - 1 : count;
  });
  if (input.includes(0) || output.some((size) => size < 1)) {
    throw new ShapeError(
      `${operation}: expected axes that hold the kernel ${formatShape(kernel)}, found ${formatShape(input)}`,
    );
  }
  return { input, kernel, output, stride, padding, dilation };
}

/** x [B, C, ...input] -> [B, C, ...output, kernel's elements], with `value` outside of x. */
export function poolWindows(x: Tensor, sliding: Sliding, value: number): Tensor {
  const { input, kernel, output, stride, padding, dilation } = sliding;
  const high = input.map((size, axis) => {
    const last = (sizeOf(output, axis) - 1) * sizeOf(stride, axis) - sizeOf(padding, axis);
    return Math.max(0, last + (sizeOf(kernel, axis) - 1) * sizeOf(dilation, axis) + 1 - size);
  });
  const around = { low: [0, 0, ...padding], high: [0, 0, ...high], interior: x.shape.map(() => 0), value };
  const whole = padWith(x, around);
  const apart = kernel.reduce((patches, size, axis) => {
    const steps = { stride: sizeOf(stride, axis), dilation: sizeOf(dilation, axis) };
    return windows(patches, { axis: 2 + axis, size, ...steps });
  }, whole);
  return apart.flatten(2 + kernel.length);
}

/** Where the windows begin along spatial axis `axis`, int32 [..., 1, output, 1, ...] of rank 2 + spatial: negative in the padding. */
export function windowStarts({ output, stride, padding }: Sliding, axis: number): Tensor {
  const shape = [1, 1, ...output.map((size, other) => (other === axis ? size : 1))];
  return iotaTensor(shape, 2 + axis)
    .mul(sizeOf(stride, axis))
    .sub(sizeOf(padding, axis));
}

/** Convolutions over one, two or three spatial axes. */
import { OptionError } from "../../base/errors.ts";
import { conv1d, conv2d, conv3d, samePadding } from "../../compute/tensor/ops/conv.ts";
import type { ConvOptions } from "../../compute/tensor/ops/conv.ts";
import { pad } from "../../compute/tensor/ops/pad.ts";
import type { PadMode } from "../../compute/tensor/ops/pad.ts";
import { perAxis } from "../../compute/tensor/ops/spatial.ts";
import type { PerAxis } from "../../compute/tensor/ops/spatial.ts";
import type { Tensor } from "../../compute/tensor/tensor.ts";
import { uniformValues } from "./init.ts";
import { Module } from "./module.ts";
import { Parameter } from "./parameter.ts";

/** Options of convolution layers. */
export interface ConvLayerOptions extends ConvOptions {
  readonly bias?: boolean;
  /** What the padding holds: zeros (the default), elements mirrored at the edge, the edge, or the other end's elements. */
  readonly paddingMode?: "zeros" | Exclude<PadMode, "constant">;
}

type Convolution = typeof conv2d;

/** `weight` [out, in / groups, ...kernel] and `bias` [out] start uniform in +-1 / sqrt(in / groups * kernel's elements). */
abstract class Conv extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter | null;
  readonly options: ConvOptions;
  /** What is added around the input, in the order of `pad`; null where the convolution itself adds zeros. */
  readonly around: readonly number[] | null;
  readonly paddingMode: NonNullable<ConvLayerOptions["paddingMode"]>;
  readonly #apply: Convolution;

  protected constructor(
    rank: number,
    apply: Convolution,
    inputs: number,
    outputs: number,
    kernelSize: PerAxis,
    { bias = true, paddingMode = "zeros", ...options }: ConvLayerOptions,
  ) {
    super();
    const name = this.constructor.name;
    const kernel = perAxis(name, "kernelSize", kernelSize, rank, 1);
    const inner = checkedGroups(name, inputs, outputs, options.groups ?? 1);
    const bound = 1 / Math.sqrt(kernel.reduce((count, size) => count * size, inner));
    this.weight = new Parameter(uniformValues([outputs, inner, ...kernel], bound));
    this.bias = bias ? new Parameter(uniformValues([outputs], bound)) : null;
    this.around = paddingMode === "zeros" ? null : paddingAround(name, kernel, options);
    this.options = this.around === null ? options : { ...options, padding: 0 };
    this.paddingMode = paddingMode;
    this.#apply = apply;
  }

  forward(x: Tensor): Tensor {
    const { around, paddingMode } = this;
    const whole = around === null || paddingMode === "zeros" ? x : pad(x, around, paddingMode);
    return this.#apply(whole, this.weight, this.bias, this.options);
  }
}

/** Inputs that one output sees. @throws OptionError */
export function checkedGroups(operation: string, inputs: number, outputs: number, groups: number): number {
  if (!Number.isInteger(inputs / groups) || !Number.isInteger(outputs / groups)) {
    throw new OptionError(
      `${operation}: expected groups that divide ${inputs} and ${outputs} channels, found ${groups}`,
    );
  }
  return inputs / groups;
}

function paddingAround(name: string, kernel: readonly number[], { padding = 0, dilation = 1 }: ConvOptions): number[] {
  const rank = kernel.length;
  if (padding === "valid") return [];
  const same = padding === "same" ? samePadding(kernel, perAxis(name, "dilation", dilation, rank, 1)) : null;
  const low = same?.map((count) => Math.floor(count / 2)) ?? perAxis(name, "padding", padding as PerAxis, rank, 0);
  return low.map((count, axis) => [count, (same?.[axis] ?? 2 * count) - count]).reverse().flat(); // prettier-ignore
}

/** [B, in, L] -> [B, out, OL], with `weight` [out, in / groups, k]. Both start uniform in +-1 / sqrt(fan in). */
export class Conv1d extends Conv {
  constructor(inputs: number, outputs: number, kernelSize: PerAxis, options: ConvLayerOptions = {}) {
    super(1, conv1d, inputs, outputs, kernelSize, options);
  }
}

/** [B, in, H, W] -> [B, out, OH, OW], with `weight` [out, in / groups, kh, kw]. Both start uniform in +-1 / sqrt(fan in). */
export class Conv2d extends Conv {
  constructor(inputs: number, outputs: number, kernelSize: PerAxis, options: ConvLayerOptions = {}) {
    super(2, conv2d, inputs, outputs, kernelSize, options);
  }
}

/** [B, in, D, H, W] -> [B, out, OD, OH, OW], with `weight` [out, in / groups, kd, kh, kw]. Both start uniform in +-1 / sqrt(fan in). */
export class Conv3d extends Conv {
  constructor(inputs: number, outputs: number, kernelSize: PerAxis, options: ConvLayerOptions = {}) {
    super(3, conv3d, inputs, outputs, kernelSize, options);
  }
}

import { groupNorm } from "../../compute/tensor/ops/group-norm.ts";
import type { Tensor } from "../../compute/tensor/tensor.ts";
import { constantValues } from "./init.ts";
import { Module } from "./module.ts";
import { Parameter } from "./parameter.ts";

/** Options of `GroupNorm`. */
export interface GroupNormOptions {
  /** Added to the variance. */
  readonly eps?: number;
  /** Has `weight` and `bias`. On by default. */
  readonly affine?: boolean;
}

/** Normalises each of `groups` groups of `channels` channels, then scales by `weight` and shifts by `bias`: [B, C, ...] -> the same. */
export class GroupNorm extends Module {
  readonly weight: Parameter | null;
  readonly bias: Parameter | null;
  readonly groups: number;
  readonly eps: number;

  constructor(groups: number, channels: number, { eps = 1e-5, affine = true }: GroupNormOptions = {}) {
    super();
    this.weight = affine ? new Parameter(constantValues([channels], 1)) : null;
    this.bias = affine ? new Parameter(constantValues([channels], 0)) : null;
    this.groups = groups;
    this.eps = eps;
  }

  forward(x: Tensor): Tensor {
    return groupNorm(x, this.groups, this.weight, this.bias, this.eps);
  }
}

/** Adam and AdamW: two moments a parameter, and a third tensor with `amsgrad`. */
import { present } from "../../base/assert.ts";
import { stack } from "../../compute/tensor/ops/cat.ts";
import type { Tensor } from "../../compute/tensor/tensor.ts";
import { Optimizer } from "./optimizer.ts";
import type { ParametersOf, UpdateInput } from "./optimizer.ts";
import type { GroupOptions, RuleOptions } from "./param-group.ts";
import { ADAM_BETAS, adamUpdate, adamwUpdate } from "./rules/adam-rule.ts";
import type { AdamResult, AdamState } from "./rules/adam-rule.ts";
import { biasCorrection } from "./rules/rule.ts";
import { stateTensor } from "./state-tensor.ts";

/** Options of `Adam` and `AdamW`. */
export interface AdamOptions extends GroupOptions {
  /** The decay of the gradient's average, and of its square's. */
  readonly betas: readonly [number, number];
  readonly eps: number;
  /** For Adam: times the parameter, added to the gradient. For AdamW: times lr and the parameter, taken from it. */
  readonly weightDecay: number;
  /** Weight decay apart from the gradient: what makes AdamW of Adam. */
  readonly decoupledWeightDecay: boolean;
  /** Divide by the largest second moment so far, not by the present one. */
  readonly amsgrad: boolean;
}

const DEFAULTS: AdamOptions = {
  lr: 1e-3,
  betas: ADAM_BETAS,
  eps: 1e-8,
  weightDecay: 0,
  decoupledWeightDecay: false,
  amsgrad: false,
  maximize: false,
};

abstract class AdamFamily extends Optimizer<AdamOptions, AdamState> {
  protected override initialState({ shape }: Tensor, { amsgrad }: AdamOptions): AdamState {
    return {
      expAvg: stateTensor(shape),
      expAvgSq: stateTensor(shape),
      maxExpAvgSq: amsgrad ? stateTensor(shape) : null,
    };
  }

  protected override perStep(steps: Tensor, { betas }: RuleOptions<AdamOptions>): Record<string, Tensor> {
    return { corrections: stack([biasCorrection(steps, betas[0]), biasCorrection(steps, betas[1])], 1) };
  }

  protected override update(input: UpdateInput<AdamOptions, AdamState>): AdamResult {
    const { parameter, gradient, state, options, factors } = input;
    const corrections = present(factors["corrections"], "Adam: the corrections");
    const rule = options.decoupledWeightDecay ? adamwUpdate : adamUpdate;
    return rule({ parameter, gradient, ...state, lr: options.lr, corrections }, options);
  }
}

/** Adam, with weight decay as a part of the gradient. */
export class Adam extends AdamFamily {
  /** @throws OptionError */
  constructor(parameters: ParametersOf<AdamOptions>, options: Partial<AdamOptions> = {}) {
    super("Adam", parameters, options, DEFAULTS);
  }
}

/** Adam, with weight decay apart from the gradient; 0.01 by default. */
export class AdamW extends AdamFamily {
  /** @throws OptionError */
  constructor(parameters: ParametersOf<AdamOptions>, options: Partial<AdamOptions> = {}) {
    super("AdamW", parameters, options, { ...DEFAULTS, weightDecay: 0.01, decoupledWeightDecay: true });
  }
}

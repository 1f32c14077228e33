import { present } from "../../base/assert.ts";
import type { Tensor } from "../../compute/tensor/tensor.ts";
import { Optimizer } from "./optimizer.ts";
import type { ParametersOf, UpdateInput } from "./optimizer.ts";
import type { GroupOptions, RuleOptions } from "./param-group.ts";
import { adagradUpdate } from "./rules/adagrad-rule.ts";
import type { AdagradState } from "./rules/adagrad-rule.ts";
import { stateTensor } from "./state-tensor.ts";

/** Options of `Adagrad`. */
export interface AdagradOptions extends GroupOptions {
  /** In step n the learning rate is lr / (1 + (n - 1) lrDecay). */
  readonly lrDecay: number;
  /** Where the sums of squared gradients start. */
  readonly initialAccumulatorValue: number;
  readonly eps: number;
  /** Times the parameter, added to the gradient. */
  readonly weightDecay: number;
}

const DEFAULTS: AdagradOptions = {
  lr: 1e-2,
  lrDecay: 0,
  weightDecay: 0,
  initialAccumulatorValue: 0,
  eps: 1e-10,
  maximize: false,
};

/** Adagrad. Keeps one tensor a parameter. */
export class Adagrad extends Optimizer<AdagradOptions, AdagradState> {
  /** @throws OptionError */
  constructor(parameters: ParametersOf<AdagradOptions>, options: Partial<AdagradOptions> = {}) {
    super("Adagrad", parameters, options, DEFAULTS);
  }

  protected override initialState({ shape }: Tensor, { initialAccumulatorValue }: AdagradOptions): AdagradState {
    return { sum: stateTensor(shape, initialAccumulatorValue) };
  }

  protected override perStep(steps: Tensor, { lr, lrDecay }: RuleOptions<AdagradOptions>): Record<string, Tensor> {
    return { rate: lr.div(steps.sub(1).mul(lrDecay).add(1)) };
  }

  protected override update(input: UpdateInput<AdagradOptions, AdagradState>): ReturnType<typeof adagradUpdate> {
    const { parameter, gradient, state, options, factors } = input;
    const lr = present(factors["rate"], "Adagrad: the rate");
    return adagradUpdate({ parameter, gradient, ...state, lr }, options);
  }
}

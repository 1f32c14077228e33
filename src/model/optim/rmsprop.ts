import type { Tensor } from "../../compute/tensor/tensor.ts";
import { Optimizer } from "./optimizer.ts";
import type { ParametersOf, UpdateInput } from "./optimizer.ts";
import type { GroupOptions } from "./param-group.ts";
import { rmspropUpdate } from "./rules/rmsprop-rule.ts";
import type { RmspropState } from "./rules/rmsprop-rule.ts";
import { stateTensor } from "./state-tensor.ts";

/** Options of `RMSprop`. */
export interface RMSpropOptions extends GroupOptions {
  /** The decay of the average of squared gradients. */
  readonly alpha: number;
  readonly eps: number;
  readonly momentum: number;
  /** Divide by the deviation of the gradient, not by its root mean square. */
  readonly centered: boolean;
  /** Times the parameter, added to the gradient. */
  readonly weightDecay: number;
}

const DEFAULTS: RMSpropOptions = {
  lr: 1e-2,
  alpha: 0.99,
  eps: 1e-8,
  momentum: 0,
  centered: false,
  weightDecay: 0,
  maximize: false,
};

/** RMSprop. Keeps one tensor a parameter, one more with momentum, one more if centered. */
export class RMSprop extends Optimizer<RMSpropOptions, RmspropState> {
  /** @throws OptionError */
  constructor(parameters: ParametersOf<RMSpropOptions>, options: Partial<RMSpropOptions> = {}) {
    super("RMSprop", parameters, options, DEFAULTS);
  }

  protected override initialState({ shape }: Tensor, { momentum, centered }: RMSpropOptions): RmspropState {
    return {
      squareAvg: stateTensor(shape),
      momentumBuffer: momentum === 0 ? null : stateTensor(shape),
      gradAvg: centered ? stateTensor(shape) : null,
    };
  }

  protected override update(input: UpdateInput<RMSpropOptions, RmspropState>): ReturnType<typeof rmspropUpdate> {
    const { parameter, gradient, state, options } = input;
    return rmspropUpdate({ parameter, gradient, ...state, lr: options.lr }, options);
  }
}

import type { Tensor } from "../../compute/tensor/tensor.ts";
import { Optimizer } from "./optimizer.ts";
import type { ParametersOf, UpdateInput } from "./optimizer.ts";
import type { GroupOptions } from "./param-group.ts";
import { lionUpdate } from "./rules/lion-rule.ts";
import type { LionState } from "./rules/lion-rule.ts";
import { stateTensor } from "./state-tensor.ts";

/** Options of `Lion`. */
export interface LionOptions extends GroupOptions {
  /** The decay of what the step's sign is taken of, and of what is kept. */
  readonly betas: readonly [number, number];
  /** Times lr and the parameter, taken from it. */
  readonly weightDecay: number;
}

const DEFAULTS: LionOptions = { lr: 1e-4, betas: [0.9, 0.99], weightDecay: 0, maximize: false };

/** Lion. Keeps one tensor a parameter. Wants a learning rate 3 to 10 times smaller than AdamW's, and as much more decay. */
export class Lion extends Optimizer<LionOptions, LionState> {
  /** @throws OptionError */
  constructor(parameters: ParametersOf<LionOptions>, options: Partial<LionOptions> = {}) {
    super("Lion", parameters, options, DEFAULTS);
  }

  protected override initialState({ shape }: Tensor): LionState {
    return { expAvg: stateTensor(shape) };
  }

  protected override update(input: UpdateInput<LionOptions, LionState>): ReturnType<typeof lionUpdate> {
    const { parameter, gradient, state, options } = input;
    return lionUpdate({ parameter, gradient, ...state, lr: options.lr }, options);
  }
}

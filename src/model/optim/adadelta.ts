import type { Tensor } from "../../compute/tensor/tensor.ts";
import { Optimizer } from "./optimizer.ts";
import type { ParametersOf, UpdateInput } from "./optimizer.ts";
import type { GroupOptions } from "./param-group.ts";
import { adadeltaUpdate } from "./rules/adadelta-rule.ts";
import type { AdadeltaState } from "./rules/adadelta-rule.ts";
import { stateTensor } from "./state-tensor.ts";

/** Options of `Adadelta`. */
export interface AdadeltaOptions extends GroupOptions {
  /** The decay of both averages. */
  readonly rho: number;
  readonly eps: number;
  /** Times the parameter, added to the gradient. */
  readonly weightDecay: number;
}

const DEFAULTS: AdadeltaOptions = { lr: 1, rho: 0.9, eps: 1e-6, weightDecay: 0, maximize: false };

/** Adadelta. Keeps two tensors a parameter. */
export class Adadelta extends Optimizer<AdadeltaOptions, AdadeltaState> {
  /** @throws OptionError */
  constructor(parameters: ParametersOf<AdadeltaOptions>, options: Partial<AdadeltaOptions> = {}) {
    super("Adadelta", parameters, options, DEFAULTS);
  }

  protected override initialState({ shape }: Tensor): AdadeltaState {
    return { squareAvg: stateTensor(shape), accDelta: stateTensor(shape) };
  }

  protected override update(input: UpdateInput<AdadeltaOptions, AdadeltaState>): ReturnType<typeof adadeltaUpdate> {
    const { parameter, gradient, state, options } = input;
    return adadeltaUpdate({ parameter, gradient, ...state, lr: options.lr }, options);
  }
}

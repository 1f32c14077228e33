import { OptionError } from "../../base/errors.ts";
import { where } from "../../compute/tensor/ops/where.ts";
import type { Tensor } from "../../compute/tensor/tensor.ts";
import { Optimizer } from "./optimizer.ts";
import type { ParametersOf, UpdateInput } from "./optimizer.ts";
import type { GroupOptions, RuleOptions } from "./param-group.ts";
import { sgdUpdate } from "./rules/sgd-rule.ts";
import type { SgdResult, SgdState } from "./rules/sgd-rule.ts";
import { stateTensor } from "./state-tensor.ts";

/** Options of `SGD`. */
export interface SgdOptions extends GroupOptions {
  readonly momentum: number;
  /** What the momentum takes less of each gradient but the first. */
  readonly dampening: number;
  /** Times the parameter, added to the gradient. */
  readonly weightDecay: number;
  readonly nesterov: boolean;
}

const DEFAULTS: SgdOptions = {
  lr: 1e-3,
  momentum: 0,
  dampening: 0,
  weightDecay: 0,
  nesterov: false,
  maximize: false,
};

/** Stochastic gradient descent, with momentum if asked. Keeps one tensor a parameter with momentum, else none. */
export class SGD extends Optimizer<SgdOptions, SgdState> {
  /** @throws OptionError */
  constructor(parameters: ParametersOf<SgdOptions>, options: Partial<SgdOptions> = {}) {
    super("SGD", parameters, options, DEFAULTS);
  }

  protected override initialState({ shape }: Tensor, options: SgdOptions): SgdState {
    const { momentum, dampening, nesterov } = options;
    if (nesterov && (momentum === 0 || dampening !== 0)) {
      throw new OptionError(
        `SGD: expected momentum and no dampening with nesterov, found ${momentum} and ${dampening}`,
      );
    }
    return { momentumBuffer: momentum === 0 ? null : stateTensor(shape) };
  }

  protected override perStep(steps: Tensor, { dampening }: RuleOptions<SgdOptions>): Record<string, Tensor> {
    return dampening === 0 ? {} : { gradientShare: where(steps.le(1), 1, 1 - dampening) };
  }

  protected override update(input: UpdateInput<SgdOptions, SgdState>): SgdResult {
    const { parameter, gradient, state, options, factors } = input;
    return sgdUpdate({ parameter, gradient, ...state, lr: options.lr, ...factors }, options);
  }
}

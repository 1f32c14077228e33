/** Adam's relatives: Adamax, NAdam and RAdam. Each keeps two tensors a parameter. */
import { present } from "../../base/assert.ts";
import type { Tensor } from "../../compute/tensor/tensor.ts";
import { Optimizer } from "./optimizer.ts";
import type { ParametersOf, UpdateInput } from "./optimizer.ts";
import type { GroupOptions, RuleOptions } from "./param-group.ts";
import { ADAM_BETAS } from "./rules/adam-rule.ts";
import { adamaxUpdate } from "./rules/adamax-rule.ts";
import type { AdamaxState } from "./rules/adamax-rule.ts";
import { nadamUpdate } from "./rules/nadam-rule.ts";
import type { NadamState } from "./rules/nadam-rule.ts";
import { radamRectifier, radamUpdate } from "./rules/radam-rule.ts";
import type { RadamState } from "./rules/radam-rule.ts";
import { biasCorrection, keptBy } from "./rules/rule.ts";
import { stateTensor } from "./state-tensor.ts";

/** Options of `Adamax`. */
export interface AdamaxOptions extends GroupOptions {
  readonly betas: readonly [number, number];
  readonly eps: number;
  /** Times the parameter, added to the gradient. */
  readonly weightDecay: number;
}

/** Options of `RAdam`. */
export interface RAdamOptions extends AdamaxOptions {
  /** Weight decay apart from the gradient: times lr and the parameter, taken from it. */
  readonly decoupledWeightDecay: boolean;
}

/** Options of `NAdam`. */
export interface NAdamOptions extends RAdamOptions {
  /** How fast the momentum approaches the first beta. */
  readonly momentumDecay: number;
}

const DEFAULTS: AdamaxOptions = { lr: 2e-3, betas: ADAM_BETAS, eps: 1e-8, weightDecay: 0, maximize: false };

/** Adam with the largest gradient in place of the second moment. */
export class Adamax extends Optimizer<AdamaxOptions, AdamaxState> {
  /** @throws OptionError */
  constructor(parameters: ParametersOf<AdamaxOptions>, options: Partial<AdamaxOptions> = {}) {
    super("Adamax", parameters, options, DEFAULTS);
  }

  protected override initialState({ shape }: Tensor): AdamaxState {
    return { expAvg: stateTensor(shape), expInf: stateTensor(shape) };
  }

  protected override perStep(steps: Tensor, { betas }: RuleOptions<AdamaxOptions>): Record<string, Tensor> {
    return { correction: biasCorrection(steps, betas[0]) };
  }

  protected override update(input: UpdateInput<AdamaxOptions, AdamaxState>): ReturnType<typeof adamaxUpdate> {
    const { parameter, gradient, state, options, factors } = input;
    const correction = present(factors["correction"], "Adamax: the correction");
    return adamaxUpdate({ parameter, gradient, ...state, correction, lr: options.lr }, options);
  }
}

/** Adam with Nesterov's momentum. */
export class NAdam extends Optimizer<NAdamOptions, NadamState> {
  /** @throws OptionError */
  constructor(parameters: ParametersOf<NAdamOptions>, options: Partial<NAdamOptions> = {}) {
    super("NAdam", parameters, options, { ...DEFAULTS, decoupledWeightDecay: false, momentumDecay: 4e-3 });
  }

  protected override initialState({ shape }: Tensor): NadamState {
    return { expAvg: stateTensor(shape), expAvgSq: stateTensor(shape), muProduct: stateTensor([], 1) };
  }

  /** mu of step n is beta1 (1 - 0.96^(n momentumDecay) / 2). */
  protected override perStep(
    steps: Tensor,
    { betas, momentumDecay }: RuleOptions<NAdamOptions>,
  ): Record<string, Tensor> {
    const muOf = (counts: Tensor): Tensor =>
      counts.mul(momentumDecay * Math.log(0.96)).exp().mul(-0.5).add(1).mul(keptBy(betas[0])); // prettier-ignore
    return { mu: muOf(steps), nextMu: muOf(steps.add(1)), correction: biasCorrection(steps, betas[1]) };
  }

  protected override update(input: UpdateInput<NAdamOptions, NadamState>): ReturnType<typeof nadamUpdate> {
    const { parameter, gradient, state, options, factors } = input;
    const [mu, nextMu, correction] = ["mu", "nextMu", "correction"].map((name) => present(factors[name], `NAdam: ${name}`)); // prettier-ignore
    return nadamUpdate(
      {
        parameter,
        gradient,
        ...state,
        mu: present(mu, "mu"),
        nextMu: present(nextMu, "nextMu"),
        correction: present(correction, "correction"),
        lr: options.lr,
      },
      options,
    );
  }
}

/** Adam that warms up by itself: the second moment counts once its variance is tractable. */
export class RAdam extends Optimizer<RAdamOptions, RadamState> {
  /** @throws OptionError */
  constructor(parameters: ParametersOf<RAdamOptions>, options: Partial<RAdamOptions> = {}) {
    super("RAdam", parameters, options, { ...DEFAULTS, decoupledWeightDecay: false, lr: 1e-3 });
  }

  protected override initialState({ shape }: Tensor): RadamState {
    return { expAvg: stateTensor(shape), expAvgSq: stateTensor(shape) };
  }

  protected override perStep(steps: Tensor, { betas }: RuleOptions<RAdamOptions>): Record<string, Tensor> {
    return {
      correction: biasCorrection(steps, betas[0]),
      rectifier: radamRectifier(steps, betas[1], biasCorrection(steps, betas[1])),
    };
  }

  protected override update(input: UpdateInput<RAdamOptions, RadamState>): ReturnType<typeof radamUpdate> {
    const { parameter, gradient, state, options, factors } = input;
    const correction = present(factors["correction"], "RAdam: the correction");
    const rectifier = present(factors["rectifier"], "RAdam: the rectifier");
    return radamUpdate({ parameter, gradient, ...state, correction, rectifier, lr: options.lr }, options);
  }
}

import { OptionError } from "../../base/errors.ts";
import { present } from "../../base/assert.ts";
import { ones, zeros } from "../../compute/tensor/create.ts";
import type { Tensor } from "../../compute/tensor/tensor.ts";
import { Optimizer } from "./optimizer.ts";
import { sgdUpdate } from "./update-rules.ts";
import type { SgdOptions } from "./update-rules.ts";

/** Stochastic gradient descent, with momentum if asked. Keeps one tensor a parameter with momentum, else none. */
export class SGD extends Optimizer {
  readonly options: SgdOptions;
  readonly #velocities: readonly Tensor[];
  /** [1]; null when it is always 1. */
  readonly #gradientShare: Tensor | null;

  /** @throws OptionError */
  constructor(parameters: Iterable<Tensor>, { lr, ...options }: SgdOptions & { readonly lr: number }) {
    super(parameters, lr);
    const { momentum = 0, dampening = 0, nesterov = false } = options;
    if (nesterov && (momentum <= 0 || dampening !== 0)) {
      throw new OptionError(
        `SGD: expected momentum and no dampening with nesterov, found ${momentum} and ${dampening}`,
      );
    }
    this.options = options;
    this.#velocities = momentum === 0 ? [] : this.parameters.map(({ shape }) => zeros(shape));
    this.#gradientShare = momentum === 0 || dampening === 0 ? null : ones([1]);
  }

  protected override update(parameter: Tensor, gradient: Tensor, index: number): void {
    const velocity = this.#velocities[index] ?? null;
    const share = this.#gradientShare;
    const next = sgdUpdate(
      { parameter, gradient, velocity, lr: this.rate, ...(share && { gradientShare: share }) },
      this.options,
    );
    parameter.assign(next.parameter);
    velocity?.assign(present(next.velocity, "SGD: the velocity"));
  }

  override step(): void {
    super.step();
    this.#gradientShare?.assign(ones([1]).mul(1 - (this.options.dampening ?? 0)));
  }
}

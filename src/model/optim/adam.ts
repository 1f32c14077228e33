/** Adam and AdamW: two moments a parameter, and a third tensor with `amsgrad`. */
import { present } from "../../base/assert.ts";
import { tensor, zeros } from "../../compute/tensor/create.ts";
import type { Tensor } from "../../compute/tensor/tensor.ts";
import { Optimizer } from "./optimizer.ts";
import { ADAM_BETAS, adamUpdate, adamwUpdate } from "./update-rules.ts";
import type { AdamOptions, AdamResult, AdamState } from "./update-rules.ts";

export interface AdamClassOptions extends AdamOptions {
  readonly lr: number;
  /** Divide by the largest second moment so far, not by the present one. */
  readonly amsgrad?: boolean;
}

interface Moments {
  readonly first: Tensor;
  readonly second: Tensor;
  readonly secondMax: Tensor | null;
}

abstract class AdamFamily extends Optimizer {
  readonly options: AdamOptions;
  readonly #moments: readonly Moments[];
  /** [2]: 1 - beta^steps for both betas. */
  readonly #corrections: Tensor;
  /** [2]: 1 - beta for both betas. */
  readonly #rates: Tensor;

  constructor(parameters: Iterable<Tensor>, { lr, amsgrad = false, ...options }: AdamClassOptions) {
    super(parameters, lr);
    this.options = options;
    this.#moments = this.parameters.map(({ shape }) => ({
      first: zeros(shape),
      second: zeros(shape),
      secondMax: amsgrad ? zeros(shape) : null,
    }));
    this.#corrections = zeros([2]);
    this.#rates = tensor(Float32Array.from(options.betas ?? ADAM_BETAS, (beta) => 1 - beta));
  }

  /** c' = c + (1 - beta) (1 - c): 1 - beta^(n + 1) of 1 - beta^n, without cancellation. */
  protected override advance(): void {
    this.#corrections.assign(this.#corrections.add(this.#rates.mul(this.#corrections.neg().add(1))));
  }

  protected override update(parameter: Tensor, gradient: Tensor, index: number): void {
    const { first, second, secondMax } = present(this.#moments[index], "Adam: the moments");
    const next = this.rule({
      parameter,
      gradient,
      firstMoment: first,
      secondMoment: second,
      secondMomentMax: secondMax,
      lr: this.rate,
      corrections: this.#corrections,
    });
    parameter.assign(next.parameter);
    first.assign(next.firstMoment);
    second.assign(next.secondMoment);
    secondMax?.assign(present(next.secondMomentMax, "Adam: the largest second moment"));
  }

  protected abstract rule(state: AdamState): AdamResult;
}

/** Adam, with weight decay as a part of the gradient. */
export class Adam extends AdamFamily {
  protected override rule(state: AdamState): AdamResult {
    return adamUpdate(state, this.options);
  }
}

/** Adam, with weight decay apart from the gradient; 0.01 by default. */
export class AdamW extends AdamFamily {
  protected override rule(state: AdamState): AdamResult {
    return adamwUpdate(state, this.options);
  }
}

/** What all optimizers share: the parameters, and a learning rate that is data, so that compiled steps see it change. */
import { OptionError } from "../../base/errors.ts";
import { tensor } from "../../compute/tensor/create.ts";
import { noGrad } from "../../compute/tensor/grad-mode.ts";
import type { Tensor } from "../../compute/tensor/tensor.ts";

export abstract class Optimizer {
  readonly parameters: readonly Tensor[];
  /** [1] */
  protected readonly rate: Tensor;
  #lr: number;

  constructor(parameters: Iterable<Tensor>, lr: number) {
    this.parameters = [...parameters];
    if (this.parameters.length === 0) throw new OptionError("optimizer: expected parameters, found none");
    if (!(lr >= 0)) throw new OptionError(`optimizer: expected a learning rate of at least 0, found ${lr}`);
    this.#lr = lr;
    this.rate = tensor(Float32Array.of(lr));
  }

  /** The learning rate. Setting it changes the next step, compiled or not. */
  get lr(): number {
    return this.#lr;
  }

  set lr(lr: number) {
    this.#lr = lr;
    this.rate.write(Float32Array.of(lr));
  }

  /** Takes away all gradients. */
  zeroGrad(): void {
    for (const parameter of this.parameters) parameter.grad = null;
  }

  /** Updates every parameter that has a gradient. */
  step(): void {
    noGrad(() => {
      this.advance();
      this.parameters.forEach((parameter, index) => {
        if (parameter.grad !== null) this.update(parameter, parameter.grad, index);
      });
    });
  }

  /** Called once a step, before the updates. */
  protected advance(): void {}

  protected abstract update(parameter: Tensor, gradient: Tensor, index: number): void;
}

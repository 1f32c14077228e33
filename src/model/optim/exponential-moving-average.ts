/** Averages of weights over the steps: often better than the weights themselves (Polyak & Juditsky, 1992). */
import { OptionError, ShapeError } from "../../base/errors.ts";
import { present } from "../../base/assert.ts";
import { formatShape, sameShape } from "../../compute/layout/shape.ts";
import { tensor } from "../../compute/tensor/create.ts";
import { noGrad } from "../../compute/tensor/grad-mode.ts";
import type { HostValues } from "../../compute/tensor/host-values.ts";
import { Tensor } from "../../compute/tensor/tensor.ts";
import { copiedValue, setValues } from "../nn/set-values.ts";

/** Options of `ExponentialMovingAverage`. */
export interface ExponentialMovingAverageOptions {
  /** What the average keeps of itself in an update; 0.999 by default. */
  readonly decay?: number;
  /** Uses min(decay, (1 + n) / (10 + n)) in update n, from 0: early averages forget the start. Off by default. */
  readonly warmup?: boolean;
}

/** Averages of parameters that follow them: average = d average + (1 - d) parameter after each step. */
export class ExponentialMovingAverage {
  readonly decay: number;
  readonly #parameters: readonly Tensor[];
  readonly #averages: readonly Tensor[];
  readonly #warmup: boolean;
  /** Updates so far, of shape []. */
  readonly #updates: Tensor;

  /** Starts with the parameters' values now. Keeps one tensor a parameter. @throws OptionError */
  constructor(parameters: Iterable<Tensor>, { decay = 0.999, warmup = false }: ExponentialMovingAverageOptions = {}) {
    if (!(decay >= 0 && decay <= 1)) {
      throw new OptionError(`ExponentialMovingAverage: expected a decay from 0 to 1, found ${decay}`);
    }
    this.decay = decay;
    this.#parameters = [...parameters];
    this.#averages = this.#parameters.map((parameter) => new Tensor(copiedValue(parameter)));
    this.#warmup = warmup;
    this.#updates = tensor({ shape: [], data: new Float32Array(1) });
  }

  /** average = d average + (1 - d) parameter. To be called after a step; works inside compiled functions. */
  update(): void {
    noGrad(() => {
      const rest = this.#warmup ? this.#warmRest() : 1 - this.decay;
      this.#averages.forEach((average, i) => {
        const parameter = present(this.#parameters[i], "ExponentialMovingAverage: a parameter").detach();
        const kept = average.detach();
        // As a step towards the parameter: equal values stay what they are.
        average.assign(kept.add(parameter.sub(kept).mul(rest)).cast(average.dtype));
      });
      this.#updates.assign(this.#updates.add(1));
    });
  }

  /** The averages, in the order of the parameters. */
  averages(): readonly Tensor[] {
    return this.#averages;
  }

  /** Writes the averages into the parameters, or into others of the same shapes. @throws OptionError, ShapeError */
  copyTo(parameters: Iterable<Tensor> = this.#parameters): void {
    const targets = [...parameters];
    if (targets.length !== this.#averages.length) {
      throw new OptionError(
        `ExponentialMovingAverage.copyTo: expected ${this.#averages.length} parameters, found ${targets.length}`,
      );
    }
    noGrad(() => targets.forEach((target, i) => target.assign(new Tensor(copiedValue(this.#average(i))).cast(target.dtype)))); // prettier-ignore
  }

  /** Exchanges parameters and averages: once to evaluate with the averages, once more to go on training. */
  swap(): void {
    noGrad(() => {
      this.#parameters.forEach((parameter, i) => {
        const average = this.#average(i);
        const [before, after] = [copiedValue(parameter), copiedValue(average)].map((value) => new Tensor(value));
        parameter.assign(present(after, "swap: an average").cast(parameter.dtype));
        average.assign(present(before, "swap: a parameter").cast(average.dtype));
      });
    });
  }

  /** The averages and the count of updates, as host values. */
  async stateDict(): Promise<{ readonly updates: number; readonly averages: readonly HostValues[] }> {
    const [updates, ...data] = await Tensor.readAll([this.#updates, ...this.#averages]);
    return {
      updates: updates?.[0] ?? 0,
      averages: this.#averages.map(({ shape }, i) => ({ shape, data: present(data[i], "stateDict: an average") })),
    };
  }

  /** @throws OptionError, ShapeError; then nothing has changed */
  loadStateDict(state: { readonly updates: number; readonly averages: readonly HostValues[] }): void {
    const { updates, averages } = state;
    const operation = "ExponentialMovingAverage.loadStateDict";
    if (averages.length !== this.#averages.length || !(updates >= 0)) {
      throw new OptionError(
        `${operation}: expected ${this.#averages.length} averages and a count of updates, found ${averages.length} and ${updates}`,
      );
    }
    averages.forEach(({ shape }, i) => {
      const own = this.#average(i).shape;
      if (sameShape(shape, own)) return;
      throw new ShapeError(`${operation}: expected ${formatShape(own)} at place ${i}, found ${formatShape(shape)}`);
    });
    averages.forEach(({ data }, i) => setValues(operation, this.#average(i), data));
    setValues(operation, this.#updates, Float32Array.of(updates));
  }

  #average(index: number): Tensor {
    return present(this.#averages[index], "ExponentialMovingAverage: an average");
  }

  /** 1 - min(decay, (1 + n) / (10 + n)) = max(1 - decay, 9 / (10 + n)) */
  #warmRest(): Tensor {
    return this.#updates
      .add(10)
      .reciprocal()
      .mul(9)
      .maximum(1 - this.decay);
  }
}

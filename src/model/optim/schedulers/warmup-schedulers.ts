/** Schedules that begin with a part of the rate: LinearLR, ConstantLR. */
import { OptionError } from "../../../base/errors.ts";
import { checkCount, LRScheduler } from "./scheduler.ts";
import type { RateInput, Scheduled, SchedulerOptions } from "./scheduler.ts";

/** Options of `LinearLR`. */
export interface LinearLROptions extends SchedulerOptions {
  /** Above 0 and up to 1; 1/3 by default. */
  readonly startFactor?: number;
  /** From 0 to 1; 1 by default. */
  readonly endFactor?: number;
  /** 5 by default. */
  readonly totalIters?: number;
}

/** From `startFactor` to `endFactor` of the rate in `totalIters` steps, along a line: a warm-up. */
export class LinearLR extends LRScheduler {
  readonly #start: number;
  readonly #end: number;
  readonly #totalIters: number;

  /** @throws OptionError */
  constructor(
    optimizer: Scheduled,
    { startFactor = 1 / 3, endFactor = 1, totalIters = 5, ...options }: LinearLROptions = {},
  ) {
    super("LinearLR", optimizer, options);
    checkCount("LinearLR", "totalIters", totalIters);
    if (!(startFactor > 0 && startFactor <= 1 && endFactor >= 0 && endFactor <= 1)) {
      throw new OptionError(
        `LinearLR: expected a startFactor above 0 and up to 1 and an endFactor from 0 to 1, found ${startFactor} and ${endFactor}`,
      );
    }
    this.#start = startFactor;
    this.#end = endFactor;
    this.#totalIters = totalIters;
    this.start();
  }

  protected override next({ lr, epoch }: RateInput): number {
    if (epoch === 0) return lr * this.#start;
    return epoch > this.#totalIters ? lr : (lr * this.#factor(epoch)) / this.#factor(epoch - 1);
  }

  protected override at({ base, epoch }: RateInput): number {
    return base * this.#factor(Math.min(this.#totalIters, epoch));
  }

  #factor(epoch: number): number {
    return this.#start + ((this.#end - this.#start) * epoch) / this.#totalIters;
  }
}

/** Options of `ConstantLR`. */
export interface ConstantLROptions extends SchedulerOptions {
  /** From 0 to 1; 1/3 by default. */
  readonly factor?: number;
  /** 5 by default. */
  readonly totalIters?: number;
}

/** `factor` times the rate in the first `totalIters` steps, then all of it. */
export class ConstantLR extends LRScheduler {
  readonly #factor: number;
  readonly #totalIters: number;

  /** @throws OptionError */
  constructor(optimizer: Scheduled, { factor = 1 / 3, totalIters = 5, ...options }: ConstantLROptions = {}) {
    super("ConstantLR", optimizer, options);
    checkCount("ConstantLR", "totalIters", totalIters, 0);
    if (!(factor > 0 && factor <= 1)) {
      throw new OptionError(`ConstantLR: expected a factor above 0 and up to 1, found ${factor}`);
    }
    this.#factor = factor;
    this.#totalIters = totalIters;
    this.start();
  }

  protected override next({ lr, epoch }: RateInput): number {
    if (epoch === 0) return lr * this.#factor;
    return epoch === this.#totalIters ? lr / this.#factor : lr;
  }

  protected override at({ base, epoch }: RateInput): number {
    return base * (epoch < this.#totalIters ? this.#factor : 1);
  }
}

/** Schedules that lower the rate by factors: StepLR, MultiStepLR, ExponentialLR, PolynomialLR. */
import { checkCount, LRScheduler } from "./scheduler.ts";
import type { RateInput, Scheduled, SchedulerOptions } from "./scheduler.ts";

/** Options of `StepLR`. */
export interface StepLROptions extends SchedulerOptions {
  readonly stepSize: number;
  /** 0.1 by default. */
  readonly gamma?: number;
}

/** Times `gamma` every `stepSize` steps: lr gamma^floor(step / stepSize). */
export class StepLR extends LRScheduler {
  readonly #stepSize: number;
  readonly #gamma: number;

  /** @throws OptionError */
  constructor(optimizer: Scheduled, { stepSize, gamma = 0.1, ...options }: StepLROptions) {
    super("StepLR", optimizer, options);
    checkCount("StepLR", "stepSize", stepSize);
    this.#stepSize = stepSize;
    this.#gamma = gamma;
    this.start();
  }

  protected override next({ lr, epoch }: RateInput): number {
    return epoch === 0 || epoch % this.#stepSize !== 0 ? lr : lr * this.#gamma;
  }

  protected override at({ base, epoch }: RateInput): number {
    return base * this.#gamma ** Math.floor(epoch / this.#stepSize);
  }
}

/** Options of `MultiStepLR`. */
export interface MultiStepLROptions extends SchedulerOptions {
  /** Steps; one that is named twice counts twice. */
  readonly milestones: readonly number[];
  /** 0.1 by default. */
  readonly gamma?: number;
}

/** Times `gamma` at each milestone. */
export class MultiStepLR extends LRScheduler {
  readonly #milestones: readonly number[];
  readonly #gamma: number;

  /** @throws OptionError */
  constructor(optimizer: Scheduled, { milestones, gamma = 0.1, ...options }: MultiStepLROptions) {
    super("MultiStepLR", optimizer, options);
    for (const milestone of milestones) checkCount("MultiStepLR", "milestones", milestone, 0);
    this.#milestones = [...milestones];
    this.#gamma = gamma;
    this.start();
  }

  protected override next({ lr, epoch }: RateInput): number {
    return lr * this.#gamma ** this.#milestones.filter((milestone) => milestone === epoch).length;
  }

  protected override at({ base, epoch }: RateInput): number {
    return base * this.#gamma ** this.#milestones.filter((milestone) => milestone <= epoch).length;
  }
}

/** Options of `ExponentialLR`. */
export interface ExponentialLROptions extends SchedulerOptions {
  readonly gamma: number;
}

/** Times `gamma` every step: lr gamma^step. */
export class ExponentialLR extends LRScheduler {
  readonly #gamma: number;

  constructor(optimizer: Scheduled, { gamma, ...options }: ExponentialLROptions) {
    super("ExponentialLR", optimizer, options);
    this.#gamma = gamma;
    this.start();
  }

  protected override next({ lr, epoch }: RateInput): number {
    return epoch === 0 ? lr : lr * this.#gamma;
  }

  protected override at({ base, epoch }: RateInput): number {
    return base * this.#gamma ** epoch;
  }
}

/** Options of `PolynomialLR`. */
export interface PolynomialLROptions extends SchedulerOptions {
  /** 5 by default. */
  readonly totalIters?: number;
  /** 1, a straight line, by default. */
  readonly power?: number;
}

/** Down to 0 in `totalIters` steps: lr (1 - step / totalIters)^power. */
export class PolynomialLR extends LRScheduler {
  readonly #totalIters: number;
  readonly #power: number;

  /** @throws OptionError */
  constructor(optimizer: Scheduled, { totalIters = 5, power = 1, ...options }: PolynomialLROptions = {}) {
    super("PolynomialLR", optimizer, options);
    checkCount("PolynomialLR", "totalIters", totalIters);
    this.#totalIters = totalIters;
    this.#power = power;
    this.start();
  }

  protected override next({ lr, epoch }: RateInput): number {
    const total = this.#totalIters;
    if (epoch === 0 || epoch > total) return lr;
    return lr * ((1 - epoch / total) / (1 - (epoch - 1) / total)) ** this.#power;
  }

  protected override at({ base, epoch }: RateInput): number {
    return base * (1 - Math.min(this.#totalIters, epoch) / this.#totalIters) ** this.#power;
  }
}

/** The schedule that waits for a metric to stop getting better. */
import { OptionError } from "../../../base/errors.ts";
import { checkCount, isNumber } from "./scheduler.ts";
import type { Scheduled, SchedulerState } from "./scheduler.ts";

/** Options of `ReduceLROnPlateau`. */
export interface ReduceLROnPlateauOptions {
  /** Whether less or more is better; "min" by default. */
  readonly mode?: "min" | "max";
  /** Below 1; 0.1 by default. */
  readonly factor?: number;
  /** Steps without a better metric that are waited for; 10 by default. */
  readonly patience?: number;
  /** By how much better counts; 1e-4 by default. */
  readonly threshold?: number;
  /** Whether `threshold` is a part of the best metric ("rel", the default) or a difference ("abs"). */
  readonly thresholdMode?: "rel" | "abs";
  /** Steps after a change in which nothing is counted; 0 by default. */
  readonly cooldown?: number;
  /** The lowest rate, for all groups or each; 0 by default. */
  readonly minLr?: number | readonly number[];
  /** Smaller changes of the rate are not made; 1e-8 by default. */
  readonly eps?: number;
}

const DEFAULTS: Required<ReduceLROnPlateauOptions> = {
  mode: "min",
  factor: 0.1,
  patience: 10,
  threshold: 1e-4,
  thresholdMode: "rel",
  cooldown: 0,
  minLr: 0,
  eps: 1e-8,
};

/** Times `factor` when the metric has not been better for more than `patience` steps. */
export class ReduceLROnPlateau {
  readonly optimizer: Scheduled;
  readonly #options: Required<ReduceLROnPlateauOptions>;
  #best: number;
  #badSteps = 0;
  #cooldownLeft = 0;
  #lastEpoch = 0;

  /** @throws OptionError */
  constructor(optimizer: Scheduled, options: ReduceLROnPlateauOptions = {}) {
    this.optimizer = optimizer;
    this.#options = { ...DEFAULTS, ...options };
    const { factor, patience, cooldown, minLr } = this.#options;
    if (!(factor < 1)) throw new OptionError(`ReduceLROnPlateau: expected a factor below 1, found ${factor}`);
    checkCount("ReduceLROnPlateau", "patience", patience, 0);
    checkCount("ReduceLROnPlateau", "cooldown", cooldown, 0);
    const groups = optimizer.paramGroups.length;
    if (typeof minLr !== "number" && minLr.length !== groups) {
      throw new OptionError(`ReduceLROnPlateau: expected minLr for ${groups} groups, found ${minLr.length}`);
    }
    this.#best = this.#worst();
  }

  /** One step, with the metric: a loss, say, read on the host. */
  step(metric: number): void {
    const { patience, cooldown } = this.#options;
    this.#lastEpoch += 1;
    if (this.#isBetter(metric)) {
      this.#best = metric;
      this.#badSteps = 0;
    } else {
      this.#badSteps += 1;
    }
    if (this.#cooldownLeft > 0) {
      this.#cooldownLeft -= 1;
      this.#badSteps = 0;
    }
    if (this.#badSteps <= patience) return;
    this.#reduce();
    this.#cooldownLeft = cooldown;
    this.#badSteps = 0;
  }

  /** The rate of each group now. */
  getLastLr(): readonly number[] {
    return this.optimizer.paramGroups.map(({ lr }) => lr);
  }

  /** What is kept between steps, as plain values. */
  stateDict(): SchedulerState {
    return {
      best: Number.isFinite(this.#best) ? this.#best : null,
      badSteps: this.#badSteps,
      cooldownLeft: this.#cooldownLeft,
      lastEpoch: this.#lastEpoch,
    };
  }

  /** @throws OptionError */
  loadStateDict({ best, badSteps, cooldownLeft, lastEpoch }: SchedulerState): void {
    if (!(isNumber(best) || best === null) || !isNumber(badSteps) || !isNumber(cooldownLeft) || !isNumber(lastEpoch)) {
      throw new OptionError(
        "ReduceLROnPlateau.loadStateDict: expected best, badSteps, cooldownLeft and lastEpoch, found others",
      );
    }
    this.#best = best ?? this.#worst();
    this.#badSteps = badSteps;
    this.#cooldownLeft = cooldownLeft;
    this.#lastEpoch = lastEpoch;
  }

  #worst(): number {
    return this.#options.mode === "min" ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  }

  #isBetter(metric: number): boolean {
    const { mode, threshold, thresholdMode } = this.#options;
    const sign = mode === "min" ? -1 : 1;
    const bar = thresholdMode === "rel" ? this.#best * (1 + sign * threshold) : this.#best + sign * threshold;
    return mode === "min" ? metric < bar : metric > bar;
  }

  #reduce(): void {
    const { factor, minLr, eps } = this.#options;
    this.optimizer.paramGroups.forEach((group, index) => {
      const least = typeof minLr === "number" ? minLr : (minLr[index] ?? 0);
      const lr = Math.max(group.lr * factor, least);
      if (group.lr - lr > eps) group.lr = lr;
    });
  }
}

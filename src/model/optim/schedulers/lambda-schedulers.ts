/** Schedules by a function of the step: LambdaLR, MultiplicativeLR. */
import { OptionError } from "../../../base/errors.ts";
import { LRScheduler } from "./scheduler.ts";
import type { RateInput, Scheduled, SchedulerOptions } from "./scheduler.ts";

/** A factor for a step, counted from 0. */
export type LrLambda = (epoch: number) => number;

/** The rate at the start times lambda(step). */
export class LambdaLR extends LRScheduler {
  readonly #lambdas: readonly LrLambda[];

  /** One function for all groups, or one for each. @throws OptionError */
  constructor(optimizer: Scheduled, lrLambda: LrLambda | readonly LrLambda[], options: SchedulerOptions = {}) {
    super("LambdaLR", optimizer, options);
    this.#lambdas = lambdasOf("LambdaLR", optimizer, lrLambda);
    this.start();
  }

  protected override next({ base, index, epoch }: RateInput): number {
    return base * (this.#lambdas[index]?.(epoch) ?? 1);
  }
}

/** The rate of the step before times lambda(step), from step 1 on. */
export class MultiplicativeLR extends LRScheduler {
  readonly #lambdas: readonly LrLambda[];

  /** One function for all groups, or one for each. @throws OptionError */
  constructor(optimizer: Scheduled, lrLambda: LrLambda | readonly LrLambda[], options: SchedulerOptions = {}) {
    super("MultiplicativeLR", optimizer, options);
    this.#lambdas = lambdasOf("MultiplicativeLR", optimizer, lrLambda);
    this.start();
  }

  protected override next({ lr, index, epoch }: RateInput): number {
    return epoch > 0 ? lr * (this.#lambdas[index]?.(epoch) ?? 1) : lr;
  }
}

function lambdasOf(
  name: string,
  { paramGroups }: Scheduled,
  lrLambda: LrLambda | readonly LrLambda[],
): readonly LrLambda[] {
  if (typeof lrLambda === "function") return paramGroups.map(() => lrLambda);
  if (lrLambda.length === paramGroups.length) return lrLambda;
  throw new OptionError(`${name}: expected functions for ${paramGroups.length} groups, found ${lrLambda.length}`);
}

/** Schedules made of schedules: SequentialLR, one after another; ChainedScheduler, all at once. */
import { OptionError } from "../../../base/errors.ts";
import { isNumber } from "./scheduler.ts";
import type { LRScheduler, Scheduled, Scheduler, SchedulerState } from "./scheduler.ts";

/** Options of `SequentialLR`. */
export interface SequentialLROptions {
  readonly schedulers: readonly LRScheduler[];
  /** The steps at which the next one takes over, ascending, one less than there are schedulers. */
  readonly milestones: readonly number[];
}

/** One after another: warm-up, then decay. Each counts its steps from its own milestone. */
export class SequentialLR implements Scheduler {
  readonly #schedulers: readonly LRScheduler[];
  readonly #milestones: readonly number[];
  readonly #optimizer: Scheduled;
  #lastEpoch = 0;

  /** @throws OptionError */
  constructor(optimizer: Scheduled, { schedulers, milestones }: SequentialLROptions) {
    checkTogether("SequentialLR", optimizer, schedulers);
    const ascend = milestones.every((milestone, i) => Number.isSafeInteger(milestone) && milestone > (milestones[i - 1] ?? 0)); // prettier-ignore
    if (milestones.length !== schedulers.length - 1 || !ascend) {
      throw new OptionError(
        `SequentialLR: expected ${schedulers.length - 1} ascending milestones, found [${milestones.join(", ")}]`,
      );
    }
    this.#optimizer = optimizer;
    this.#schedulers = [...schedulers];
    this.#milestones = [...milestones];
    for (const group of optimizer.paramGroups) group.lr = group.initialLr ?? group.lr;
    for (const scheduler of schedulers) scheduler.rewind();
    schedulers[0]?.step();
  }

  /** Sets the rates of the next step. */
  step(): void {
    this.#lastEpoch += 1;
    const at = this.#milestones.filter((milestone) => milestone <= this.#lastEpoch).length;
    const begins = at > 0 && this.#milestones[at - 1] === this.#lastEpoch;
    this.#schedulers[at]?.step(begins ? 0 : undefined);
  }

  getLastLr(): readonly number[] {
    return ratesOf(this.#optimizer);
  }

  /** What is kept between steps, as plain values. */
  stateDict(): SchedulerState {
    return { lastEpoch: this.#lastEpoch, schedulers: this.#schedulers.map((scheduler) => scheduler.stateDict()) };
  }

  /** @throws OptionError */
  loadStateDict({ lastEpoch, schedulers }: SchedulerState): void {
    if (!isNumber(lastEpoch)) {
      throw new OptionError(`SequentialLR.loadStateDict: expected lastEpoch, found ${String(lastEpoch)}`);
    }
    loadAll("SequentialLR", this.#schedulers, schedulers);
    this.#lastEpoch = lastEpoch;
  }
}

/** All at once: their factors multiply. */
export class ChainedScheduler implements Scheduler {
  readonly #schedulers: readonly LRScheduler[];
  readonly #optimizer: Scheduled;

  /** @throws OptionError */
  constructor(schedulers: readonly LRScheduler[]) {
    const [first] = schedulers;
    if (first === undefined) throw new OptionError("ChainedScheduler: expected schedulers, found none");
    checkTogether("ChainedScheduler", first.optimizer, schedulers);
    this.#optimizer = first.optimizer;
    this.#schedulers = [...schedulers];
  }

  /** Sets the rates of the next step. */
  step(): void {
    for (const scheduler of this.#schedulers) scheduler.step();
  }

  getLastLr(): readonly number[] {
    return ratesOf(this.#optimizer);
  }

  /** What is kept between steps, as plain values. */
  stateDict(): SchedulerState {
    return { schedulers: this.#schedulers.map((scheduler) => scheduler.stateDict()) };
  }

  /** @throws OptionError */
  loadStateDict({ schedulers }: SchedulerState): void {
    loadAll("ChainedScheduler", this.#schedulers, schedulers);
  }
}

function checkTogether(name: string, optimizer: Scheduled, schedulers: readonly LRScheduler[]): void {
  const other = schedulers.findIndex((scheduler) => scheduler.optimizer !== optimizer);
  if (schedulers.length === 0) throw new OptionError(`${name}: expected schedulers, found none`);
  if (other >= 0) {
    throw new OptionError(`${name}: expected schedulers of one optimizer, found another one's at place ${other}`);
  }
}

function loadAll(name: string, schedulers: readonly LRScheduler[], states: unknown): void {
  if (!Array.isArray(states) || states.length !== schedulers.length) {
    throw new OptionError(
      `${name}.loadStateDict: expected states of ${schedulers.length} schedulers, found ${Array.isArray(states) ? states.length : "none"}`,
    );
  }
  schedulers.forEach((scheduler, i) => scheduler.loadStateDict(states[i] as SchedulerState));
}

function ratesOf({ paramGroups }: Scheduled): number[] {
  return paramGroups.map(({ lr }) => lr);
}

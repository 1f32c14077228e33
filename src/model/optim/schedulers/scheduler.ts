/**
 * What learning rate schedules share. A schedule counts steps ("epochs" in PyTorch's words) and sets the learning rate
 * of each group; the first one when it is made. Most go from one rate to the next by a factor, so that they can be
 * chained with others that act on the same optimizer.
 */
import { OptionError } from "../../../base/errors.ts";
import type { GroupOptions, ParamGroup } from "../param-group.ts";

/** What a schedule acts on: any optimizer. */
export interface Scheduled {
  readonly paramGroups: readonly ParamGroup<GroupOptions>[];
}

/** Options of all schedules. */
export interface SchedulerOptions {
  /** The step after which it goes on; -1, to start, by default. */
  readonly lastEpoch?: number;
}

/** Plain values: what a schedule's `stateDict()` gives. */
export type SchedulerState = Readonly<Record<string, unknown>>;

/** Anything that steps with an optimizer. */
export interface Scheduler {
  /** Sets the rates of the next step: to be called after the optimizer's step. */
  step(): void;
  /** The rate of each group after the last step. */
  getLastLr(): readonly number[];
  /** What is kept between steps, as plain values. */
  stateDict(): SchedulerState;
  /** Goes on where `state` was. @throws OptionError */
  loadStateDict(state: SchedulerState): void;
}

/** A group, and the step for which its rate is asked. */
export interface RateInput {
  readonly group: ParamGroup<GroupOptions>;
  /** The rate now. */
  readonly lr: number;
  /** The rate at the start. */
  readonly base: number;
  readonly index: number;
  readonly epoch: number;
}

/** The base of schedules: counts steps and sets each group's learning rate, the first one when it is made. */
export abstract class LRScheduler implements Scheduler {
  readonly optimizer: Scheduled;
  readonly #name: string;
  #baseLrs: number[];
  #lastEpoch: number;
  #lastLr: number[] = [];

  /** Subclasses end their constructors with `this.start()`. @throws OptionError to go on with groups that never began */
  constructor(name: string, optimizer: Scheduled, { lastEpoch = -1 }: SchedulerOptions = {}) {
    this.#name = name;
    this.optimizer = optimizer;
    for (const group of optimizer.paramGroups) {
      if (group.initialLr === undefined && lastEpoch !== -1) {
        throw new OptionError(`${name}: expected groups with an initialLr to go on from, found one without`);
      }
      group.initialLr ??= group.lr;
    }
    this.#baseLrs = optimizer.paramGroups.map(({ initialLr, lr }) => initialLr ?? lr);
    this.#lastEpoch = lastEpoch;
  }

  /** Steps so far; 0 at the start. */
  get lastEpoch(): number {
    return this.#lastEpoch;
  }

  /** The rates at the start. */
  get baseLrs(): readonly number[] {
    return this.#baseLrs;
  }

  /** One step: to be called after the optimizer's, outside of compiled functions. With `epoch`, jumps there. */
  step(epoch?: number): void {
    this.#lastEpoch = epoch ?? this.#lastEpoch + 1;
    this.beforeRates(this.#lastEpoch);
    const rates = this.#rates((input) => (epoch === undefined ? this.next(input) : this.at(input)));
    this.#set(rates);
  }

  /** As if it had never stepped: for schedules that begin later, after others. */
  rewind(): void {
    this.#lastEpoch -= 1;
  }

  /** The rate of each group after the last step. */
  getLastLr(): readonly number[] {
    return this.#lastLr;
  }

  /** What is kept between steps, as plain values. */
  stateDict(): SchedulerState {
    const { lastEpoch, baseLrs } = this;
    return { lastEpoch, baseLrs: [...baseLrs], lastLr: [...this.#lastLr], ...this.extraState() };
  }

  /** Changes no rate: the optimizer's own state has them. @throws OptionError */
  loadStateDict(state: SchedulerState): void {
    const { lastEpoch, baseLrs, lastLr, ...extra } = state;
    const groups = this.optimizer.paramGroups.length;
    if (!isNumber(lastEpoch) || !isNumbers(baseLrs) || !isNumbers(lastLr) || baseLrs.length !== groups) {
      throw new OptionError(
        `${this.#name}.loadStateDict: expected lastEpoch, and baseLrs and lastLr of ${groups} groups, found ${JSON.stringify(state)}`,
      );
    }
    this.loadExtraState(extra);
    this.#lastEpoch = lastEpoch;
    this.#baseLrs = [...baseLrs];
    this.#lastLr = [...lastLr];
  }

  /** The first step. */
  protected start(): void {
    this.step();
  }

  /** The rate of a step, from the one of the step before. */
  protected abstract next(input: RateInput): number;

  /** The rate of a step by itself, for jumps. */
  protected at(input: RateInput): number {
    return this.next(input);
  }

  /** Called in each step, before the rates are asked for. */
  protected beforeRates(_epoch: number): void {}

  /** What is kept beyond the count of steps. */
  protected extraState(): SchedulerState {
    return {};
  }

  /** Takes back what `extraState` gave. @throws OptionError */
  protected loadExtraState(_state: SchedulerState): void {}

  #rates(rate: (input: RateInput) => number): number[] {
    return this.optimizer.paramGroups.map((group, index) => {
      const base = this.#baseLrs[index] ?? group.lr;
      return rate({ group, lr: group.lr, base, index, epoch: this.#lastEpoch });
    });
  }

  #set(rates: readonly number[]): void {
    this.optimizer.paramGroups.forEach((group, index) => {
      group.lr = rates[index] ?? group.lr;
    });
    this.#lastLr = [...rates];
  }
}

export function isNumber(value: unknown): value is number {
  return typeof value === "number";
}

function isNumbers(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every(isNumber);
}

/** @throws OptionError unless `value` is a whole number from `least` */
export function checkCount(name: string, option: string, value: number, least = 1): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw new OptionError(`${name}: expected ${option} to be a whole number from ${least}, found ${value}`);
}

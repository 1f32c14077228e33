/** The schedule of "Super-Convergence" (Smith & Topin, 2018). */
import { present } from "../../../base/assert.ts";
import { OptionError } from "../../../base/errors.ts";
import { checkCount, LRScheduler } from "./scheduler.ts";
import type { RateInput, Scheduled, SchedulerOptions } from "./scheduler.ts";

/** Options of `OneCycleLR`. */
export interface OneCycleLROptions extends SchedulerOptions {
  /** The highest rate, one for all groups or one for each. */
  readonly maxLr: number | readonly number[];
  /** Steps of the cycle; or epochs and steps in each. */
  readonly totalSteps?: number;
  readonly epochs?: number;
  readonly stepsPerEpoch?: number;
  /** The part of the steps that goes up; 0.3 by default. */
  readonly pctStart?: number;
  /** "cos" by default. */
  readonly annealStrategy?: "cos" | "linear";
  /** Moves momentum, or the first beta, the other way round. On by default. */
  readonly cycleMomentum?: boolean;
  /** 0.85 by default. */
  readonly baseMomentum?: number | readonly number[];
  /** 0.95 by default. */
  readonly maxMomentum?: number | readonly number[];
  /** It begins with maxLr / divFactor; 25 by default. */
  readonly divFactor?: number;
  /** It ends with the first rate / finalDivFactor; 1e4 by default. */
  readonly finalDivFactor?: number;
  /** Down to the first rate as fast as up, and then on to the last one. */
  readonly threePhase?: boolean;
}

interface Phase {
  readonly end: number;
  readonly rates: readonly ["initial" | "max" | "min", "initial" | "max" | "min"];
  readonly momenta: readonly ["max" | "base", "max" | "base"];
}

/** Up to `maxLr` and down again, far below where it began; momentum the other way round. */
export class OneCycleLR extends LRScheduler {
  readonly #options: OneCycleLROptions;
  readonly #totalSteps: number;
  readonly #phases: readonly Phase[];

  /** @throws OptionError */
  constructor(optimizer: Scheduled, options: OneCycleLROptions) {
    const totalSteps = options.totalSteps ?? (options.epochs ?? Number.NaN) * (options.stepsPerEpoch ?? Number.NaN);
    checkCount("OneCycleLR", "totalSteps, or epochs times stepsPerEpoch,", totalSteps);
    const { lastEpoch = -1, pctStart = 0.3, threePhase = false, divFactor = 25 } = options;
    if (!(pctStart >= 0 && pctStart <= 1)) {
      throw new OptionError(`OneCycleLR: expected pctStart from 0 to 1, found ${pctStart}`);
    }
    if (lastEpoch === -1) {
      optimizer.paramGroups.forEach((group, index) => {
        group.initialLr = ofGroup(options.maxLr, index) / divFactor;
      });
    }
    super("OneCycleLR", optimizer, { lastEpoch });
    this.#options = options;
    this.#totalSteps = totalSteps;
    this.#phases = phasesOf(totalSteps, pctStart, threePhase);
    if (options.cycleMomentum !== false) this.#checkMomentum();
    this.start();
  }

  protected override next({ group, index, epoch, base }: RateInput): number {
    if (epoch > this.#totalSteps) {
      throw new OptionError(`OneCycleLR: expected at most ${this.#totalSteps} steps, found one more`);
    }
    const { maxLr, finalDivFactor = 1e4, baseMomentum = 0.85, maxMomentum = 0.95 } = this.#options;
    const rates = { initial: base, max: ofGroup(maxLr, index), min: base / finalDivFactor };
    const momenta = { base: ofGroup(baseMomentum, index), max: ofGroup(maxMomentum, index) };
    const at = this.#phases.findIndex(({ end }, i) => epoch <= end || i === this.#phases.length - 1);
    const phase = present(this.#phases[at], "OneCycleLR: a phase");
    const begin = this.#phases[at - 1]?.end ?? 0;
    const share = phase.end === begin ? 1 : (epoch - begin) / (phase.end - begin);
    if (this.#options.cycleMomentum !== false) {
      const momentum = this.#between(momenta[phase.momenta[0]], momenta[phase.momenta[1]], share);
      if (group.betas !== undefined) group.betas = [momentum, group.betas[1]];
      else group.momentum = momentum;
    }
    // The step after the last one, which nothing trains with, lies beyond the line.
    return Math.max(0, this.#between(rates[phase.rates[0]], rates[phase.rates[1]], share));
  }

  #between(from: number, to: number, share: number): number {
    if (this.#options.annealStrategy === "linear") return from + (to - from) * share;
    return to + ((from - to) * (1 + Math.cos(Math.PI * share))) / 2;
  }

  #checkMomentum(): void {
    for (const group of this.optimizer.paramGroups) {
      if (group.betas !== undefined || group.momentum !== undefined) continue;
      throw new OptionError(
        "OneCycleLR: expected an optimizer with momentum or betas where cycleMomentum is on, found one without",
      );
    }
  }
}

function phasesOf(totalSteps: number, pctStart: number, threePhase: boolean): readonly Phase[] {
  const up: Phase = { end: pctStart * totalSteps - 1, rates: ["initial", "max"], momenta: ["max", "base"] };
  const last = totalSteps - 1;
  if (!threePhase) return [up, { end: last, rates: ["max", "min"], momenta: ["base", "max"] }];
  return [
    up,
    { end: 2 * pctStart * totalSteps - 2, rates: ["max", "initial"], momenta: ["base", "max"] },
    { end: last, rates: ["initial", "min"], momenta: ["max", "max"] },
  ];
}

function ofGroup(value: number | readonly number[], index: number): number {
  const own = typeof value === "number" ? value : value[index];
  if (own === undefined) throw new OptionError(`OneCycleLR: expected a value for group ${index}, found none`);
  return own;
}

/** Schedules along half a cosine (Loshchilov & Hutter, "SGDR", 2017). */
import { OptionError } from "../../../base/errors.ts";
import { checkCount, LRScheduler } from "./scheduler.ts";
import type { RateInput, Scheduled, SchedulerOptions } from "./scheduler.ts";

/** Options of `CosineAnnealingLR`. */
export interface CosineAnnealingLROptions extends SchedulerOptions {
  /** Steps from the highest rate to the lowest. */
  readonly tMax: number;
  /** The lowest rate; 0 by default. */
  readonly etaMin?: number;
}

/** etaMin + (lr - etaMin) (1 + cos(pi step / tMax)) / 2: down in `tMax` steps, up again in as many. */
export class CosineAnnealingLR extends LRScheduler {
  readonly #tMax: number;
  readonly #etaMin: number;

  /** @throws OptionError */
  constructor(optimizer: Scheduled, { tMax, etaMin = 0, ...options }: CosineAnnealingLROptions) {
    super("CosineAnnealingLR", optimizer, options);
    checkCount("CosineAnnealingLR", "tMax", tMax);
    this.#tMax = tMax;
    this.#etaMin = etaMin;
    this.start();
  }

  /** One that goes on starts where it should be, whatever the rate is now. */
  protected override start(): void {
    if (this.lastEpoch === -1) super.start();
    else this.step(this.lastEpoch + 1);
  }

  protected override next({ lr, base, epoch }: RateInput): number {
    if (epoch === 0) return lr;
    // At the bottom there is no factor to go on by.
    if ((epoch - 1 - this.#tMax) % (2 * this.#tMax) === 0) {
      return lr + ((base - this.#etaMin) * (1 - Math.cos(Math.PI / this.#tMax))) / 2;
    }
    return this.#etaMin + ((lr - this.#etaMin) * this.#height(epoch)) / this.#height(epoch - 1);
  }

  protected override at({ base, epoch }: RateInput): number {
    return this.#etaMin + ((base - this.#etaMin) * this.#height(epoch)) / 2;
  }

  #height(epoch: number): number {
    return 1 + Math.cos((Math.PI * epoch) / this.#tMax);
  }
}

/** Options of `CosineAnnealingWarmRestarts`. */
export interface CosineAnnealingWarmRestartsOptions extends SchedulerOptions {
  /** Steps until the first restart. */
  readonly t0: number;
  /** By how much each period is longer than the one before; 1 by default. */
  readonly tMult?: number;
  /** The lowest rate; 0 by default. */
  readonly etaMin?: number;
}

/** Down along half a cosine in t0 steps, then from the top again in t0 tMult, t0 tMult^2 and so on. */
export class CosineAnnealingWarmRestarts extends LRScheduler {
  readonly #t0: number;
  readonly #tMult: number;
  readonly #etaMin: number;

  /** @throws OptionError */
  constructor(optimizer: Scheduled, { t0, tMult = 1, etaMin = 0, ...options }: CosineAnnealingWarmRestartsOptions) {
    super("CosineAnnealingWarmRestarts", optimizer, options);
    checkCount("CosineAnnealingWarmRestarts", "t0", t0);
    checkCount("CosineAnnealingWarmRestarts", "tMult", tMult);
    this.#t0 = t0;
    this.#tMult = tMult;
    this.#etaMin = etaMin;
    this.start();
  }

  /** `epoch` may be a fraction: the epoch, and what is done of it. @throws OptionError below 0 */
  override step(epoch?: number): void {
    if (epoch !== undefined && !(epoch >= 0)) {
      throw new OptionError(`CosineAnnealingWarmRestarts: expected an epoch of at least 0, found ${epoch}`);
    }
    super.step(epoch);
  }

  protected override next({ base, epoch }: RateInput): number {
    const [since, period] = this.#place(epoch);
    return this.#etaMin + ((base - this.#etaMin) * (1 + Math.cos((Math.PI * since) / period))) / 2;
  }

  /** Steps since the last restart, and until the next one. */
  #place(epoch: number): [since: number, period: number] {
    if (this.#tMult === 1) return [epoch % this.#t0, this.#t0];
    let period = this.#t0;
    let since = epoch;
    for (; since >= period; period *= this.#tMult) since -= period;
    return [since, period];
  }
}

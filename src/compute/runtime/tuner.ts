/** Drives tuning: one site after the other, on a device that may be lost on the way, within a budget. */
import type { Clock } from "../../base/clock.ts";
import { AbortedError, UnsupportedError } from "../../base/errors.ts";
import { RACE_RULES, type RaceRules } from "../compiler/tuning/race.ts";
import type { Site } from "../compiler/tuning/site.ts";
import type { TuningEntry } from "../compiler/tuning/table.ts";
import type { Device } from "../device/device.ts";
import { ReferenceDevice } from "../device/reference/reference-device.ts";
import { SiteTuning } from "./site-tuning.ts";
import { TuningBudget } from "./tuning-budget.ts";
import { adapterKey } from "./tuning-store.ts";

export interface TunerOptions {
  /** To measure on, unless there is a way to open others. */
  readonly device: Device;
  /** Opens a device of the same adapter: for the first measurement, and again after each loss. */
  readonly openDevice?: (() => Promise<Device>) | undefined;
  readonly clock: Clock;
  readonly totalMs: number;
  readonly siteMs: number;
  readonly pause: () => Promise<void>;
  /** Grows when others have the device work: what was measured meanwhile is measured again. */
  readonly activity: () => number;
  /** True when the device's owner has ended it: no candidate is to blame. */
  readonly isOver: () => boolean;
  readonly signal?: AbortSignal | undefined;
  readonly rules?: RaceRules | undefined;
}

export class Tuner {
  readonly budget: TuningBudget;
  readonly #options: TunerOptions;
  readonly #oracle: Device = new ReferenceDevice();
  /** Opened here. */
  #own: Device | null = null;
  #isLost = false;

  constructor(options: TunerOptions) {
    const { clock, totalMs, siteMs, pause, signal } = options;
    this.#options = options;
    this.budget = new TuningBudget({ clock, totalMs, siteMs, pause, signal });
  }

  /** The device is gone, and there is no way to open another. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /** What is known of a site after measuring. @throws AbortedError */
  async tuneSite(site: Site, known?: TuningEntry): Promise<TuningEntry> {
    const { activity, rules = RACE_RULES } = this.#options;
    const { budget } = this;
    budget.startSite();
    const device = await this.#device();
    const bench = { device, oracle: this.#oracle, budget, rules, activity, replace: () => this.#replace() };
    return await new SiteTuning(site, bench, known).run();
  }

  /** Frees what it opened itself. */
  destroy(): void {
    this.#own?.destroy();
    this.#oracle.destroy();
  }

  async #device(): Promise<Device> {
    const { device, openDevice } = this.#options;
    if (openDevice === undefined) return device;
    this.#own ??= await openDevice();
    const [wanted, found] = [adapterKey(device.info), adapterKey(this.#own.info)];
    // What another adapter is fast at would be remembered as this one's.
    if (found !== wanted)
      throw new UnsupportedError(`tune: expected another device of ${wanted}, found one of ${found}`);
    return this.#own;
  }

  /** After a loss: another device, or null where there is none. */
  async #replace(): Promise<Device | null> {
    const { openDevice, isOver } = this.#options;
    if (isOver()) throw new AbortedError("tune: aborted, the runtime was destroyed");
    this.#own?.destroy();
    this.#own = null;
    this.#isLost = openDevice === undefined;
    return this.#isLost ? null : await this.#device();
  }
}

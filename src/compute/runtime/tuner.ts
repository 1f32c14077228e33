/** Drives tuning: one site after the other, on a device that may be lost on the way, within a budget. */
import type { Clock } from "../../base/clock.ts";
import { AbortedError } from "../../base/errors.ts";
import { RACE_RULES, type RaceRules } from "../compiler/tuning/race.ts";
import type { Site } from "../compiler/tuning/site.ts";
import type { TuningEntry } from "../compiler/tuning/table.ts";
import type { Device } from "../device/device.ts";
import { ReferenceDevice } from "../device/reference/reference-device.ts";
import { SiteTuning, type TuningBench } from "./site-tuning.ts";
import { TuningBudget } from "./tuning-budget.ts";

export interface TunerOptions {
  readonly device: Device;
  /** Another device of the same adapter, when a candidate has lost this one. Without, tuning ends there. */
  readonly reopen?: (() => Promise<Device>) | undefined;
  readonly clock: Clock;
  readonly totalMs: number;
  readonly siteMs: number;
  readonly pause: () => Promise<void>;
  /** Grows when others have the device work: what was measured meanwhile is measured again. */
  readonly activity: () => number;
  /** True when the device's owner has ended it: no candidate is to blame. */
  readonly isOver: () => boolean;
  readonly signal?: AbortSignal | undefined;
  readonly rules?: RaceRules;
}

export class Tuner implements TuningBench {
  readonly budget: TuningBudget;
  readonly oracle: Device = new ReferenceDevice();
  readonly rules: RaceRules;
  readonly #options: TunerOptions;
  #device: Device;
  #isLost = false;

  constructor(options: TunerOptions) {
    const { device, clock, totalMs, siteMs, pause, signal, rules = RACE_RULES } = options;
    this.#options = options;
    this.#device = device;
    this.rules = rules;
    this.budget = new TuningBudget({ clock, totalMs, siteMs, pause, signal });
  }

  get device(): Device {
    return this.#device;
  }

  /** The device is gone, and there is no other. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /** What is known of a site after measuring. @throws AbortedError */
  async tuneSite(site: Site, known?: TuningEntry): Promise<TuningEntry> {
    this.budget.startSite();
    return await new SiteTuning(site, this, known).run();
  }

  activity(): number {
    return this.#options.activity();
  }

  async replace(): Promise<boolean> {
    const { reopen, isOver } = this.#options;
    if (isOver()) throw new AbortedError("tune: aborted, the runtime was destroyed");
    this.#destroyOwnDevice();
    if (reopen === undefined) this.#isLost = true;
    else this.#device = await reopen();
    return !this.#isLost;
  }

  /** Frees what it opened itself. */
  destroy(): void {
    this.#destroyOwnDevice();
    this.oracle.destroy();
  }

  #destroyOwnDevice(): void {
    if (this.#device !== this.#options.device) this.#device.destroy();
  }
}

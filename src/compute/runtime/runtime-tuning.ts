/**
 * What a runtime knows of its device's speed: it answers `lower` from the table, and remembers which sites were asked
 * for, so that they can be tuned. A plan keeps the choices that it was compiled with.
 */
import { DEFAULT_CHOICES, type Choices } from "../compiler/tuning/choices.ts";
import { operationsOf } from "../compiler/tuning/problem.ts";
import { siteKey, type Site } from "../compiler/tuning/site.ts";
import type { TuningEntry, TuningTable } from "../compiler/tuning/table.ts";
import type { DeviceInfo } from "../device/device.ts";
import { adapterKey, type TuningStore } from "./tuning-store.ts";

/** Sites remembered. Programs whose shapes always change would collect them without end. */
const SITES_MAX = 2_048;

export class RuntimeTuning implements Choices {
  readonly #adapter: string;
  readonly #store: TuningStore | null;
  readonly #table: Map<string, TuningEntry>;
  readonly #seen = new Map<string, { readonly site: Site; times: number }>();
  #submits = 0;
  #version = 0;
  /** True while somebody measures: two at a time would measure each other. */
  isRunning = false;

  constructor(info: DeviceInfo, store: TuningStore | null = null, table: TuningTable = new Map()) {
    this.#adapter = adapterKey(info);
    this.#store = store;
    this.#table = new Map(table);
  }

  /** With what `store` has for the device; nothing is known, and nothing kept, without one. */
  static async load(info: DeviceInfo, store: TuningStore | null): Promise<RuntimeTuning> {
    return new RuntimeTuning(info, store, await store?.load(adapterKey(info)));
  }

  get table(): TuningTable {
    return this.#table;
  }

  /** Grows with everything that the runtime submits. */
  get submits(): number {
    return this.#submits;
  }

  /** Another one means that other answers may be given. */
  get version(): number {
    return this.#version;
  }

  /** The answers of now, whatever is measured later. */
  get answers(): Choices {
    const table = new Map(this.#table);
    return { choose: (site) => table.get(siteKey(site))?.winner ?? DEFAULT_CHOICES.choose(site) };
  }

  noteSubmit(): void {
    this.#submits += 1;
  }

  choose(site: Site): string {
    const key = siteKey(site);
    const seen = this.#seen.get(key);
    if (seen !== undefined) seen.times += 1;
    else if (this.#seen.size < SITES_MAX) this.#seen.set(key, { site, times: 1 });
    return this.#table.get(key)?.winner ?? DEFAULT_CHOICES.choose(site);
  }

  /** Sites that were asked for and have no winner yet: those with the most work behind them first. */
  waiting(): readonly Site[] {
    const work = ({ site, times }: { readonly site: Site; readonly times: number }): number =>
      times * operationsOf(site.problem);
    return [...this.#seen]
      .filter(([key]) => (this.#table.get(key)?.winner ?? null) === null)
      .map(([, seen]) => seen)
      .sort((a, b) => work(b) - work(a))
      .map(({ site }) => site);
  }

  /** Takes what was measured over: kernels made from now on use it. @throws QuotaError when it cannot be stored */
  async adopt(site: Site, entry: TuningEntry): Promise<void> {
    this.#table.set(siteKey(site), entry);
    this.#version += 1;
    if (this.#store === null) return;
    // Others may have stored what they measured since this runtime loaded the table.
    const stored = await this.#store.load(this.#adapter);
    await this.#store.save(this.#adapter, new Map([...stored, ...this.#table]));
  }
}

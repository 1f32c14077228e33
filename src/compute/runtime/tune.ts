/**
 * Tuning by hand: candidates of the kernels that a runtime has made so far are timed on its device, and from then on the
 * fastest are used. And the table of what is known.
 */
import { systemClock, type Clock } from "../../base/clock.ts";
import { OptionError } from "../../base/errors.ts";
import { siteKey } from "../compiler/tuning/site.ts";
import { speedUpOf, type CandidateResult, type TuningEntry } from "../compiler/tuning/table.ts";
import type { Device } from "../device/device.ts";
import { yieldByMessage } from "../device/yielding.ts";
import type { Runtime } from "./runtime.ts";
import { Tuner } from "./tuner.ts";

/** One kind of kernel, for one class of shapes. */
export interface TuningRow {
  /** "contraction", "reduce", "elementwise". */
  readonly kind: string;
  /** Sizes rounded to powers of two; `~` marks those that 4 does not divide. */
  readonly shapeClass: string;
  readonly dtype: string;
  /** The default first, each with its median or the reason why it must not be used. */
  readonly candidates: readonly CandidateResult[];
  readonly default: string;
  /** Null while too little was measured. */
  readonly winner: string | null;
  /** The default's time by the winner's. */
  readonly speedUp: number | null;
}

/** How `tune` is getting on. */
export interface TuneProgress {
  /** Sites looked at, of so many. */
  readonly done: number;
  readonly total: number;
  /** The last one. */
  readonly row: TuningRow;
}

/** Options of `tune`. */
export interface TuneOptions {
  /** Time at work in all, in milliseconds: 30 s unless told. The site at hand is brought to an end. */
  readonly budgetMs?: number;
  /** Time at work for one site, after which no further candidate begins: 10 s unless told. */
  readonly siteMs?: number;
  readonly signal?: AbortSignal;
  /** Called after each site. */
  readonly onProgress?: (progress: TuneProgress) => void;
  /** Resolves when a measurement may begin; at once unless told. `tuneWhenIdle` waits for a quiet moment here. */
  readonly pause?: () => Promise<void>;
  /**
   * Opens another device of the same adapter, to measure on that one: a candidate that loses it takes nothing else along.
   * Without, the runtime's own is measured, and a loss is the end of the runtime.
   */
  readonly openDevice?: () => Promise<Device>;
  readonly clock?: Clock;
}

/** What `tune` did. */
export interface TuneReport {
  /** Sites that have a winner now, and had none. */
  readonly tuned: number;
  /** Sites that still have none: too little time, or others computed all the while. */
  readonly waiting: number;
  /** Time at work, in milliseconds. */
  readonly spentMs: number;
  /** A candidate lost the runtime's device. It will not be tried again. */
  readonly isDeviceLost: boolean;
}

const BUDGET_MS = 30_000;
const SITE_MS = 10_000;

/**
 * Times the candidates of all kernels that `runtime` has made and that are not tuned yet, those with the most work
 * first. Compiled functions keep what they were compiled with; those compiled later use the winners, as eager
 * computing does. Each candidate is compared with the reference device before it is timed.
 *
 * @throws AbortedError when `signal` aborts (what was measured before stays); OptionError where it is running already;
 * QuotaError when the table cannot be stored; UnsupportedError when `openDevice` gives another adapter's
 */
export async function tune(runtime: Runtime, options: TuneOptions = {}): Promise<TuneReport> {
  const { tuning, device } = runtime;
  if (tuning.isRunning) throw new OptionError("tune: expected one at a time on a runtime, found another that runs");
  const { budgetMs = BUDGET_MS, siteMs = SITE_MS, pause = yieldByMessage, clock = systemClock } = options;
  tuning.isRunning = true;
  const tuner = new Tuner({
    device,
    openDevice: options.openDevice,
    clock,
    totalMs: budgetMs,
    siteMs,
    pause: async () => {
      await pause();
      // Work on the runtime's device is work on the same adapter. A loss there is no concern of ours.
      if (options.openDevice !== undefined) await device.idle().catch(() => {});
    },
    activity: () => tuning.submits,
    isOver: () => runtime.isDestroyed,
    signal: options.signal,
  });
  try {
    const sites = tuning.waiting();
    for (const [i, site] of sites.entries()) {
      if (tuner.budget.isAllSpent || tuner.isLost) break;
      const entry = await tuner.tuneSite(site, tuning.table.get(siteKey(site)));
      const isNews = entry.winner !== null || entry.candidates.some(({ rejection }) => rejection !== null);
      if (isNews) await tuning.adopt(site, entry);
      options.onProgress?.({ done: i + 1, total: sites.length, row: rowOf(entry) });
    }
    const waiting = tuning.waiting().length;
    return {
      tuned: sites.length - waiting,
      waiting,
      spentMs: tuner.budget.spentMs,
      isDeviceLost: tuner.isLost,
    };
  } finally {
    tuner.destroy();
    tuning.isRunning = false;
  }
}

/** What is known of `runtime`'s device: what was measured in this process or loaded from earlier ones. */
export function tuningTable(runtime: Runtime): readonly TuningRow[] {
  return [...runtime.tuning.table.values()].map(rowOf);
}

function rowOf(entry: TuningEntry): TuningRow {
  const { kind, shapeClass, dtype, candidates, winner } = entry;
  const usual = candidates[0]?.name ?? "";
  return { kind, shapeClass, dtype, candidates, default: usual, winner, speedUp: speedUpOf(entry) };
}

/** Tuning in the quiet moments of a program that has something else to do. */
import { systemClock, type Clock } from "../base/clock.ts";
import { sleep } from "../base/wait.ts";
import type { Device } from "../compute/device/device.ts";
import type { Runtime } from "../compute/runtime/runtime.ts";
import { tune, type TuneProgress, type TuneReport } from "../compute/runtime/tune.ts";

/** Options of `tuneWhenIdle`. */
export interface IdleTuningOptions {
  /** Time at work in all, in milliseconds: 20 s unless told. Waiting does not count. */
  readonly budgetMs?: number;
  /** How long the runtime must have submitted nothing before a measurement begins: 1 s unless told. */
  readonly quietMs?: number;
  readonly signal?: AbortSignal;
  /** Called after each site. */
  readonly onProgress?: (progress: TuneProgress) => void;
  /** As for `tune`: worth giving, since a device that is lost here is lost for the program. */
  readonly openDevice?: () => Promise<Device>;
  readonly clock?: Clock;
}

const BUDGET_MS = 20_000;
const QUIET_MS = 1_000;
/** How often it is looked whether the runtime is quiet. */
const LOOK_MS = 100;

/**
 * As `tune`, with each measurement in a moment when the runtime has been quiet for a while and the page, if there is
 * one, has nothing to do. Ends when all kernels made so far are tuned, or the budget is used up.
 *
 * @throws AbortedError when `signal` aborts; OptionError where tuning is running already
 */
export async function tuneWhenIdle(runtime: Runtime, options: IdleTuningOptions = {}): Promise<TuneReport> {
  const { quietMs = QUIET_MS, clock = systemClock, signal } = options;
  let seen = runtime.tuning.submits;
  let quietSince = clock.nowMs();
  const pause = async (): Promise<void> => {
    await idleTurn();
    while (!runtime.isDestroyed) {
      const { submits } = runtime.tuning;
      if (submits !== seen) quietSince = clock.nowMs();
      seen = submits;
      if (clock.nowMs() - quietSince >= quietMs) return;
      await sleep(LOOK_MS, clock, signal);
    }
  };
  return await tune(runtime, { budgetMs: BUDGET_MS, ...options, pause });
}

/** Resolves when the page is idle; at once where there is none to ask, as in workers and Node. */
function idleTurn(): Promise<void> {
  if (typeof requestIdleCallback !== "function") return Promise.resolve();
  return new Promise((resolve) => {
    requestIdleCallback(() => resolve());
  });
}

/** The same run three times: undisturbed, under faults, and where that came further, once more by one tab for its losses. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { present } from "../../src/base/assert.ts";
import { systemClock } from "../../src/base/clock.ts";
import { throwIfAborted } from "../../src/base/wait.ts";
import type { Stage } from "../swarm/conductor.ts";
import { lossesOf } from "../swarm/compare.ts";
import { runSwarm, type SwarmHooks } from "../swarm/run-swarm.ts";
import { WATCHDOG_LIMITS } from "../swarm/watchdog.ts";
import { ChaosConductor } from "./conductor.ts";
import type { ChaosOptions } from "./options.ts";
import { planChaos, type ChaosFault } from "./schedule.ts";
import { hangMsMax, scoreChaos, type PlayedRun, type Scorecard } from "./scorecard.ts";
import { LINKS_SCRIPT } from "./tab-faults.ts";

/** Of the run without faults: what a tab compiles before it is as fast as it gets. */
const WARM_UP_MS_MAX = 10_000;
const WARM_UP_SHARE = 0.25;
/** After the faults, for all tabs to be back and in one checkpoint. */
const SETTLE_MS_MAX = 90_000;
/** A hang is noted, and the run goes on: who gives it up is the watchdog, at so many times as long. */
const HANGS_MAX = 3;

interface Part {
  readonly name: string;
  readonly tabs: number;
  readonly steps: number;
  readonly faults: readonly ChaosFault[];
  readonly durationMs: number;
  readonly settleMsMax: number;
  readonly lines: string | null;
}

/** @throws AbortedError between two runs, and what `runSwarm` throws */
export async function runChaos(options: ChaosOptions, hooks: SwarmHooks): Promise<Scorecard> {
  const { swarm, durationMs, everyMs, kinds, undisturbedMs, referenceMsMax } = options;
  const { tabs, steps } = swarm;
  const quiet = { tabs, steps, faults: [], settleMsMax: 0, lines: null };
  const undisturbed = await play({ ...quiet, name: "undisturbed", durationMs: undisturbedMs }, options, hooks);
  const faults = planChaos({ seed: swarm.faultSeed, kinds, everyMs, durationMs });
  const struck = { name: "chaos", faults, durationMs, settleMsMax: SETTLE_MS_MAX, lines: options.lines };
  const chaos = await play({ ...quiet, ...struck }, options, hooks);
  const furthest = lastStepOf(chaos);
  const isFurther = furthest > lastStepOf(undisturbed) && referenceMsMax > 0;
  const alone = { ...quiet, name: "reference", tabs: 1, steps: furthest, durationMs: referenceMsMax };
  const reference = isFurther ? await play(alone, options, hooks) : null;
  const warmUpMs = Math.min(WARM_UP_MS_MAX, WARM_UP_SHARE * undisturbedMs);
  return scoreChaos({ undisturbed, chaos, reference, warmUpMs, durationMs, everyMs });
}

async function play(part: Part, options: ChaosOptions, hooks: SwarmHooks): Promise<PlayedRun> {
  const { name, tabs, steps, faults, durationMs, settleMsMax, lines: json } = part;
  throwIfAborted(`starting the ${name} run`, hooks.signal);
  const clock = hooks.clock ?? systemClock;
  const profile = options.profile === null ? null : join(options.profile, name);
  if (profile !== null) mkdirSync(profile, { recursive: true });
  hooks.onNote?.(
    `${name}: ${tabs} ${tabs === 1 ? "tab" : "tabs"}, ${durationMs / 1000} s at most, ${faults.length} faults`,
  );
  let conductor: ChaosConductor | null = null;
  const result = await runSwarm(
    { ...options.swarm, tabs, steps, profile, json },
    {
      ...hooks,
      initScript: LINKS_SCRIPT,
      limits: { ...WATCHDOG_LIMITS, silenceMsMax: HANGS_MAX * hangMsMax(0) },
      conduct: (stage: Stage) =>
        (conductor = new ChaosConductor({
          stage,
          tabs,
          faults,
          everyMs: options.everyMs,
          durationMs,
          settleMsMax,
          clock,
        })),
    },
  );
  const { chronicle } = present<ChaosConductor>(conductor, "the conductor of a run");
  const failure = result.exitCode === 0 ? null : result.reason;
  return { tabs, lines: result.lines, chronicle, failure };
}

function lastStepOf({ lines }: PlayedRun): number {
  return Math.max(0, ...lossesOf(lines).keys());
}

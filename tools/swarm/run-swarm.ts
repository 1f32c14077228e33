/**
 * One run in real tabs, from nothing to a result: the folder it is kept in, the server, the room, and then the run
 * itself, which `swarm-run.ts` drives. Whatever happens, every process that was started is ended.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock, type Clock } from "../../src/base/clock.ts";
import { OptionError } from "../../src/base/errors.ts";
import type { RunLine } from "../../src/network/wire/run-line.ts";
import type { Conductor, Stage } from "./conductor.ts";
import { withoutDone } from "./faults.ts";
import { LineLog, readLines } from "./line-log.ts";
import type { SwarmOptions } from "./options.ts";
import { commandOf, endLeftovers, ProcessGroups } from "./processes.ts";
import type { Progress } from "./progress.ts";
import { summarizeRun, type SwarmResult } from "./result.ts";
import { createRoom, describeFiles } from "./room.ts";
import { freePort, REAL_SERVER, ServerProcess, type ServerProgram } from "./server-process.ts";
import { checkSameRun, readState, writeState, type SwarmState } from "./state-file.ts";
import { SwarmRun } from "./swarm-run.ts";
import { WATCHDOG_LIMITS, type WatchdogLimits } from "./watchdog.ts";

/** What a caller may want to hear, and what a test may want to replace. */
export interface SwarmHooks {
  readonly onLine?: (line: RunLine) => void;
  readonly onProgress?: (progress: Progress) => void;
  /** A sentence for people. */
  readonly onNote?: (text: string) => void;
  /** Ends the run early. */
  readonly signal?: AbortSignal;
  /** Makes the app that the server serves; nothing by default. */
  readonly prepare?: () => Promise<void>;
  readonly server?: ServerProgram;
  readonly limits?: WatchdogLimits;
  /** Takes the run in hand: called once, before the tabs open. */
  readonly conduct?: (stage: Stage) => Conductor;
  /** Runs in every page before its own scripts. */
  readonly initScript?: string;
  /** Every process that is started; the caller may end them all when it must go at once. */
  readonly groups?: ProcessGroups;
  readonly clock?: Clock;
}

/**
 * Trains in real tabs until the last step, a fault that ends all, or a failure; the result says which.
 * @throws OptionError for arguments that do not fit what is kept, UnsupportedError without a browser, PeerLostError and
 * DeadlineError without a server
 */
export async function runSwarm(options: SwarmOptions, hooks: SwarmHooks = {}): Promise<SwarmResult> {
  const files = describeFiles(options);
  const directory = options.profile ?? mkdtempSync(join(tmpdir(), "hearth-swarm-"));
  mkdirSync(directory, { recursive: true });
  const kept = openKept(options, directory);
  if (options.resume && kept?.isFinished) return finishedBefore(options, directory, kept);
  const clock = hooks.clock ?? systemClock;
  const groups = hooks.groups ?? new ProcessGroups();
  let result: SwarmResult | null = null;
  let server: ServerProcess | null = null;
  try {
    const port = await choosePort(options, kept);
    await hooks.prepare?.();
    server = new ServerProcess({ program: hooks.server ?? REAL_SERVER, port, directory, clock, groups });
    await server.start();
    const room = options.resume && kept ? kept.room : await createRoom(server.origin, options, files);
    const state = newState(options, room, port, kept);
    writeState(directory, state);
    const earlier = options.resume ? readLines(directory) : [];
    const goesOn = options.resume && kept?.json === options.json;
    const log = new LineLog({ directory, json: options.json, isResumed: options.resume, goesOn });
    const faults = withoutDone(options.faults, state.faultsDone);
    const limits = hooks.limits ?? WATCHDOG_LIMITS;
    const run = new SwarmRun({ options, hooks, directory, server, state, earlier, log, faults, limits, clock, groups });
    result = await run.run().finally(() => log.close());
  } finally {
    await server?.stop();
    groups.endAll();
    // A temporary folder is kept when it may explain something, or can be gone on with.
    const isTemporary = options.profile === null;
    if (isTemporary && (!result || result.exitCode === 0)) rmSync(directory, { recursive: true, force: true });
  }
  return options.profile === null && result.exitCode === 0 ? { ...result, directory: null } : result;
}

/** What an earlier swarm left under `directory`, its processes ended. @throws OptionError when it is not what is asked for */
function openKept(options: SwarmOptions, directory: string): SwarmState | null {
  const kept = readState(directory);
  if (!kept) {
    if (options.resume) throw new OptionError(`--resume: expected a run kept under ${directory}, found none`);
    return null;
  }
  if (kept.driverPid !== process.pid && commandOf(kept.driverPid).includes("swarm")) {
    throw new OptionError(`--profile: ${directory} is in use by the swarm of process ${kept.driverPid}`);
  }
  if (options.resume) checkSameRun(options, kept);
  endLeftovers(kept.pids, directory);
  return kept;
}

/** The port that the browsers' storage belongs to; for a new run it is a wish. */
async function choosePort(options: SwarmOptions, kept: SwarmState | null): Promise<number> {
  if (options.port !== null || !kept) return freePort(options.port);
  if (options.resume) return freePort(kept.port);
  return freePort(kept.port).catch(() => freePort(null));
}

function newState(options: SwarmOptions, room: string, port: number, kept: SwarmState | null): SwarmState {
  const { run, seed, steps, sharedProfile, json } = options;
  return {
    version: 1,
    port,
    room,
    run,
    seed,
    steps,
    sharedProfile,
    json,
    faultsDone: options.resume && kept ? kept.faultsDone : [],
    isFinished: false,
    driverPid: process.pid,
    pids: [],
  };
}

function finishedBefore(options: SwarmOptions, directory: string, kept: SwarmState): SwarmResult {
  const { summary, parameters } = summarizeRun(readLines(directory), null);
  return {
    exitCode: 0,
    reason: `the run under ${directory} had already reached its last step, ${options.steps}`,
    lines: [],
    summary,
    parameters,
    wallMs: 0,
    directory,
    url: `http://localhost:${kept.port}/room/${kept.room}`,
    tabs: [],
    notes: [],
  };
}

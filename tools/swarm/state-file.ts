/**
 * `DIR/swarm.json`: what a resumed swarm must know of the run before it. The port is there because IndexedDB belongs to
 * an origin, and the faults because those that happened must not happen again.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CorruptDataError, OptionError } from "../../src/base/errors.ts";
import type { SwarmOptions } from "./options.ts";

export interface SwarmState {
  readonly version: 1;
  readonly port: number;
  readonly room: string;
  readonly run: string;
  readonly seed: number;
  readonly steps: number;
  readonly sharedProfile: boolean;
  /** The file of `--json`: the same one goes on when the run does. */
  readonly json: string | null;
  /** Texts of the faults that were carried out. */
  readonly faultsDone: readonly string[];
  /** The last step was reached, with equal digests. */
  readonly isFinished: boolean;
  /** The driver. */
  readonly driverPid: number;
  /** Leaders of the groups that the driver started. */
  readonly pids: readonly number[];
}

function statePath(directory: string): string {
  return join(directory, "swarm.json");
}

/** The state under `directory`, or null where there was no swarm. @throws CorruptDataError */
export function readState(directory: string): SwarmState | null {
  const path = statePath(directory);
  if (!existsSync(path)) return null;
  let state: Partial<SwarmState>;
  try {
    state = JSON.parse(readFileSync(path, "utf8")) as Partial<SwarmState>;
  } catch (error) {
    throw new CorruptDataError(`reading ${path}: expected JSON, found something else`, { cause: error });
  }
  const isWhole =
    state.version === 1 &&
    typeof state.port === "number" &&
    typeof state.room === "string" &&
    Array.isArray(state.pids);
  if (!isWhole) throw new CorruptDataError(`reading ${path}: expected a swarm's state, version 1, found another`);
  return state as SwarmState;
}

/** Writes whole or not at all: a driver killed in the middle leaves the old state. */
export function writeState(directory: string, state: SwarmState): void {
  const path = statePath(directory);
  writeFileSync(`${path}.new`, `${JSON.stringify(state, null, 2)}\n`);
  renameSync(`${path}.new`, path);
}

/** Refuses to go on with another run than the one that is kept. @throws OptionError */
export function checkSameRun(options: SwarmOptions, state: SwarmState): void {
  const pairs: readonly (readonly [string, unknown, unknown])[] = [
    ["--run", options.run, state.run],
    ["--seed", options.seed, state.seed],
    ["--steps", options.steps, state.steps],
    ["--shared-profile", options.sharedProfile, state.sharedProfile],
  ];
  for (const [option, asked, kept] of pairs) {
    if (asked !== kept) {
      throw new OptionError(`--resume: expected ${option} ${kept} as in the run that is kept, found ${asked}`);
    }
  }
  if (options.port !== null && options.port !== state.port) {
    throw new OptionError(`--resume: expected port ${state.port}, which the browsers' storage belongs to`);
  }
}

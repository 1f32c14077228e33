/** The arguments of `npm run chaos`: parsed and checked before anything starts. */
import { existsSync, readdirSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { OptionError } from "../../src/base/errors.ts";
import { parseOptions, type SwarmOptions } from "../swarm/options.ts";
import { CHAOS_KINDS, type ChaosKind } from "./schedule.ts";

export interface ChaosOptions {
  /** What all runs have in common; without a folder. */
  readonly swarm: SwarmOptions;
  readonly durationMs: number;
  readonly everyMs: number;
  readonly kinds: readonly ChaosKind[];
  /** Of the run without faults, from its first committed step. */
  readonly undisturbedMs: number;
  /** The most that the run of one tab takes, which computes the losses of further steps. */
  readonly referenceMsMax: number;
  /** Where the scorecard goes. */
  readonly json: string | null;
  /** Where the lines of the run under faults go. */
  readonly lines: string | null;
  /** Where everything is kept; null for temporary folders. */
  readonly profile: string | null;
  /** A throughput below the goal is a failure. */
  readonly isStrict: boolean;
}

const MINUTES_MAX = 24 * 60;
const UNDISTURBED_MS = 60_000;
/** Nobody asks for a step that is so far away: such a run is ended by its time. */
const NO_LAST_STEP = "1000000";

const KIND_NAMES = Object.keys(CHAOS_KINDS) as ChaosKind[];

/** What `--help` prints. */
export const USAGE: string = `Trains one run in real browser tabs, undisturbed and then under faults, and compares.

  npm run chaos -- --tabs N --minutes M --every S [options]

  --tabs N               tabs (2 to 64)
  --minutes M            how long faults strike
  --every S              seconds between two faults, give or take a fifth
  --seed K               seed of the run, and of the faults (0)
  --faults LIST          kinds of faults, with commas (all)
  --json FILE            the scorecard as JSON
  --lines FILE           the lines of the run under faults, as npm run swarm --json writes them
  --run NAME             char-gpt, digits or addition (addition)
  --device D             as npm run swarm takes it (wasm)
  --text FILE, --set key=value, --checkpoint-every K, --headful
                         as npm run swarm takes them
  --steps S              the run's last step (none: time ends it)
  --undisturbed SECONDS  how long the run without faults goes, at most M minutes (60)
  --reference SECONDS    the most that one tab computes the losses of further steps for (240)
  --profile DIR          keep server logs, lines, data and browser storage in the new folder DIR
  --strict               a throughput below its goal is a failure too

Faults:
${KIND_NAMES.map((kind) => `  ${kind.padEnd(18)} ${CHAOS_KINDS[kind]}`).join("\n")}

At most half of the tabs are troubled at once. Exit: 0 no hang, losses within 0.001 of the undisturbed run's, all tabs
hold the same parameters; 1 not so; 2 wrong arguments.
`;

const CONFIG = {
  tabs: { type: "string" },
  minutes: { type: "string" },
  every: { type: "string" },
  seed: { type: "string", default: "0" },
  faults: { type: "string", default: KIND_NAMES.join(",") },
  json: { type: "string" },
  lines: { type: "string" },
  run: { type: "string", default: "addition" },
  device: { type: "string", default: "wasm" },
  text: { type: "string" },
  set: { type: "string", multiple: true },
  "checkpoint-every": { type: "string" },
  headful: { type: "boolean" },
  steps: { type: "string", default: NO_LAST_STEP },
  undisturbed: { type: "string", default: String(UNDISTURBED_MS / 1000) },
  reference: { type: "string", default: "240" },
  profile: { type: "string" },
  strict: { type: "boolean", default: false },
  help: { type: "boolean", short: "h" },
} as const;

/** The options in `argv`, or "help". @throws OptionError with one sentence for people */
export function parseChaosOptions(argv: readonly string[]): ChaosOptions | "help" {
  const values = parseStrictly(argv);
  if (values.help) return "help";
  const { tabs, minutes, every, seed, run, device, steps, text } = values;
  if (tabs === undefined) throw new OptionError("--tabs N is missing: how many tabs to open");
  if (minutes === undefined) throw new OptionError("--minutes M is missing: how long faults strike");
  if (every === undefined) throw new OptionError("--every S is missing: seconds between two faults");
  const passedOn = [
    ...["--tabs", tabs, "--run", run, "--seed", seed, "--device", device, "--steps", steps],
    ...(text === undefined ? [] : ["--text", text]),
    ...(values.set ?? []).flatMap((setting) => ["--set", setting]),
    ...(values["checkpoint-every"] === undefined ? [] : ["--checkpoint-every", values["checkpoint-every"]]),
    ...(values.headful ? ["--headful"] : []),
  ];
  const swarm = parseOptions(passedOn) as SwarmOptions;
  if (swarm.tabs < 2) throw new OptionError(`--tabs: expected at least 2, so that one is well, found ${swarm.tabs}`);
  const durationMs = 60_000 * number("--minutes", minutes, 0.1, MINUTES_MAX);
  return {
    swarm,
    durationMs,
    everyMs: 1000 * number("--every", every, 1, durationMs / 1000),
    kinds: kindsOf(values.faults),
    undisturbedMs: Math.min(durationMs, 1000 * number("--undisturbed", values.undisturbed, 5, 60 * MINUTES_MAX)),
    referenceMsMax: 1000 * number("--reference", values.reference, 0, 60 * MINUTES_MAX),
    json: values.json === undefined ? null : resolve(values.json),
    lines: values.lines === undefined ? null : resolve(values.lines),
    profile: values.profile === undefined ? null : newFolder(values.profile),
    isStrict: values.strict,
  };
}

function parseStrictly(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: CONFIG, strict: true, allowPositionals: false }).values;
  } catch (cause) {
    throw new OptionError(`${(cause as Error).message.split(". ")[0]}; --help lists what there is`, { cause });
  }
}

function kindsOf(text: string): ChaosKind[] {
  return text.split(",").map((name) => {
    const kind = KIND_NAMES.find((each) => each === name);
    if (kind === undefined)
      throw new OptionError(`--faults: expected some of ${KIND_NAMES.join(", ")}, found "${name}"`);
    return kind;
  });
}

function number(option: string, text: string, min: number, max: number): number {
  const value = /^\d{1,7}(\.\d{1,3})?$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new OptionError(`${option}: expected a number from ${min} to ${max}, found "${text}"`);
}

/** Storage of earlier runs would make members of newcomers. */
function newFolder(path: string): string {
  if (path.trim() === "") throw new OptionError("--profile: expected a path, found nothing");
  if (existsSync(path) && readdirSync(path).length > 0) {
    throw new OptionError(`--profile: expected a new or empty folder, found files under "${path}"`);
  }
  return resolve(path);
}

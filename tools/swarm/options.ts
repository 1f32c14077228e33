/** The arguments of `npm run swarm`, as DESIGN.md fixes them: parsed and checked before anything starts. */
import { statSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { OptionError } from "../../src/base/errors.ts";
import { checkFaults, FAULT_FLAGS, parseFault, type Fault, type FaultFlag } from "./faults.ts";

/** Engines that a tab can be told to use. */
export type DeviceChoice = "auto" | "webgpu" | "wasm" | "reference";

const PATHS = ["auto", "webrtc"] as const;

/** `auto`: tabs of one browser by MessagePorts. */
export type PathChoice = (typeof PATHS)[number];

/** How a tab may reach others by WebRTC: `relay` by TURN servers alone. */
export type IceChoice = "all" | "relay";

export interface SwarmOptions {
  readonly tabs: number;
  readonly run: string;
  /** An exported checkpoint to go on from, or null. */
  readonly from: string | null;
  /** A file to train on, or null for the run's own data. */
  readonly text: string | null;
  readonly steps: number;
  readonly seed: number;
  /** Null leaves it to the server. */
  readonly checkpointEvery: number | null;
  /** In the order of the command line. */
  readonly faults: readonly Fault[];
  /** Seed of the moments inside steps; the run's own seed unless told. */
  readonly faultSeed: number;
  /** Tabs take turns where there are several: tab i has the one of number i modulo their count. */
  readonly devices: readonly [DeviceChoice, ...DeviceChoice[]];
  /** How tabs reach each other. */
  readonly paths: PathChoice;
  /** Tabs take turns, as with devices. */
  readonly ice: readonly [IceChoice, ...IceChoice[]];
  /** One browser's tabs, instead of a browser a tab. */
  readonly sharedProfile: boolean;
  /** Where everything is kept; null for a temporary folder. */
  readonly profile: string | null;
  readonly resume: boolean;
  readonly json: string | null;
  readonly settings: Readonly<Record<string, string>>;
  /** Null for any free one. */
  readonly port: number | null;
  readonly headful: boolean;
  /** For the whole run; null for no limit but the watchdog's. */
  readonly timeoutMs: number | null;
}

/** What `--help` prints. */
export const USAGE: string = `Trains one run in N real browser tabs on this machine.

  npm run swarm -- --tabs N --run NAME [options]

  --tabs N               tabs to open (1 to 64)
  --run NAME             the run: char-gpt, digits, addition
  --text FILE            data to train on, instead of the run's own
  --from FILE            an exported checkpoint to go on from; steps count on from its own
  --steps S              optimizer updates (60)
  --seed K               seed of the run (0); with --from that of the run it came from gives the same losses
  --set key=value        a setting of the run; repeatable
  --checkpoint-every K   steps between checkpoints (the server's default: 5)
  --device D             auto, webgpu, wasm or reference (auto); tabs take turns with several, as in wasm,webgpu
  --ice POLICY           all, or relay: WebRTC by TURN servers alone, and so not at all where the server names none (all);
                         tabs take turns with several, as in relay,all
  --shared-profile       N tabs of one browser, instead of a browser a tab
  --paths P              auto, or webrtc also between tabs of one browser (auto)
  --profile DIR          keep server log, data and browser storage under DIR
  --resume               go on with the run kept under DIR
  --json FILE            one line of JSON for each event of the run; a resumed run goes on in the same file
  --port P               the server's port (a free one)
  --timeout SECONDS      end the run after so long, whatever its state
  --headful              show the browsers

Faults, at a seeded moment inside step S; repeatable; tabs count from 0:
  --kill I@S             SIGKILL of tab I's process
  --kill gpu@S           SIGKILL of every browser's GPU process: its tabs lose their device, and get another
  --kill server@S        SIGKILL of the server, which comes back a second later
  --kill all@S           SIGKILL of all tabs and the server, exit 3; --resume goes on
  --leave I@S            tab I is closed politely
  --freeze I@S:SECONDS   tab I is stopped for a while
  --join N@S             N more tabs
  --fault-seed K         seed of the moments (the run's seed)

Exit: 0 the last step was reached and all devices hold the same parameters; 1 it was not; 2 wrong arguments;
3 after --kill all.
`;

const TABS_MAX = 64;
const STEPS_DEFAULT = 60;
const STEPS_MAX = 1_000_000;

const CONFIG = {
  tabs: { type: "string" },
  run: { type: "string" },
  text: { type: "string" },
  from: { type: "string" },
  steps: { type: "string" },
  seed: { type: "string" },
  "checkpoint-every": { type: "string" },
  kill: { type: "string", multiple: true },
  leave: { type: "string", multiple: true },
  freeze: { type: "string", multiple: true },
  join: { type: "string", multiple: true },
  "fault-seed": { type: "string" },
  device: { type: "string" },
  ice: { type: "string" },
  "shared-profile": { type: "boolean" },
  paths: { type: "string" },
  profile: { type: "string" },
  resume: { type: "boolean" },
  json: { type: "string" },
  set: { type: "string", multiple: true },
  port: { type: "string" },
  headful: { type: "boolean" },
  timeout: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;

/** The options in `argv`, or "help". @throws OptionError with one sentence for people */
export function parseOptions(argv: readonly string[]): SwarmOptions | "help" {
  const { values, tokens } = parseStrictly(argv);
  if (values.help) return "help";
  if (values.tabs === undefined) throw new OptionError("--tabs N is missing: how many tabs to open");
  if (values.run === undefined) throw new OptionError("--run NAME is missing: which run to train, such as char-gpt");
  const seed = integer("--seed", values.seed ?? "0", 0, 2 ** 31 - 1);
  const options: SwarmOptions = {
    tabs: integer("--tabs", values.tabs, 1, TABS_MAX),
    run: runName(values.run),
    text: values.text === undefined ? null : fileAt("--text", values.text),
    from: values.from === undefined ? null : fileAt("--from", values.from),
    steps: integer("--steps", values.steps ?? String(STEPS_DEFAULT), 1, STEPS_MAX),
    seed,
    checkpointEvery: optional(values["checkpoint-every"], (text) => integer("--checkpoint-every", text, 1, STEPS_MAX)),
    faults: tokens.flatMap((token) => (isFaultToken(token) ? [parseFault(token.name, token.value)] : [])),
    faultSeed: optional(values["fault-seed"], (text) => integer("--fault-seed", text, 0, 2 ** 31 - 1)) ?? seed,
    devices: deviceChoices(values.device ?? "auto"),
    ice: iceChoices(values.ice ?? "all"),
    sharedProfile: values["shared-profile"] ?? false,
    paths: pathChoice(values.paths ?? "auto"),
    profile: optional(values.profile, (path) => resolve(nonEmpty("--profile", path))),
    resume: values.resume ?? false,
    json: optional(values.json, (path) => resolve(nonEmpty("--json", path))),
    settings: settingsOf(values.set ?? []),
    port: optional(values.port, (text) => integer("--port", text, 1, 65_535)),
    headful: values.headful ?? false,
    timeoutMs: optional(values.timeout, (text) => integer("--timeout", text, 1, 1_000_000) * 1000),
  };
  if (options.resume && options.profile === null) {
    throw new OptionError("--resume needs --profile DIR: the folder of the run to go on with");
  }
  // A resumed run may have other tabs: faults that do not fit them any more are skipped with a note.
  if (!options.resume) checkFaults(options.faults, options.tabs, options.steps);
  return options;
}

function pathChoice(text: string): PathChoice {
  const found = PATHS.find((name) => name === text);
  if (found === undefined) throw new OptionError(`--paths: expected one of ${PATHS.join(", ")}, found "${text}"`);
  return found;
}

function parseStrictly(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: CONFIG, strict: true, allowPositionals: false, tokens: true });
  } catch (error) {
    // Node's sentence names the option; what follows it is advice on "--" that misleads here.
    const [sentence = ""] = (error as Error).message.split(". ");
    throw new OptionError(`${sentence.replace(/\.$/, "")}; --help lists what there is`, { cause: error });
  }
}

interface FaultToken {
  readonly name: FaultFlag;
  readonly value: string;
}

function isFaultToken(token: object): token is FaultToken {
  return "name" in token && (FAULT_FLAGS as readonly unknown[]).includes(token.name) && "value" in token;
}

function integer(option: string, text: string, min: number, max: number): number {
  const value = /^\d{1,12}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new OptionError(`${option}: expected a whole number from ${min} to ${max}, found "${text}"`);
}

function optional<T>(text: string | undefined, parse: (text: string) => T): T | null {
  return text === undefined ? null : parse(text);
}

function nonEmpty(option: string, text: string): string {
  if (text.trim() === "") throw new OptionError(`${option}: expected a path, found nothing`);
  return text;
}

function runName(text: string): string {
  if (/^[a-z0-9][a-z0-9-]{0,63}$/.test(text)) return text;
  throw new OptionError(`--run: expected a name such as char-gpt, found "${text}"`);
}

function deviceChoices(text: string): SwarmOptions["devices"] {
  const [first = "", ...others] = text.split(",");
  return [deviceChoice(first), ...others.map(deviceChoice)];
}

function deviceChoice(text: string): DeviceChoice {
  if (text === "auto" || text === "webgpu" || text === "wasm" || text === "reference") return text;
  throw new OptionError(`--device: expected auto, webgpu, wasm or reference, found "${text}"`);
}

function iceChoices(text: string): SwarmOptions["ice"] {
  const [first = "", ...others] = text.split(",");
  return [iceChoice(first), ...others.map(iceChoice)];
}

function iceChoice(text: string): IceChoice {
  if (text === "all" || text === "relay") return text;
  throw new OptionError(`--ice: expected all or relay, found "${text}"`);
}

function fileAt(option: string, path: string): string {
  const found = statSync(nonEmpty(option, path), { throwIfNoEntry: false });
  if (!found) throw new OptionError(`${option}: expected a file, found nothing at "${path}"`);
  if (!found.isFile()) throw new OptionError(`${option}: expected a file, found something else at "${path}"`);
  const what = option === "--text" ? "data to train on" : "a checkpoint";
  if (found.size === 0) throw new OptionError(`${option}: expected ${what}, found an empty file at "${path}"`);
  return resolve(path);
}

function settingsOf(pairs: readonly string[]): Record<string, string> {
  const settings: Record<string, string> = {};
  for (const pair of pairs) {
    const at = pair.indexOf("=");
    if (at < 1) throw new OptionError(`--set: expected key=value, found "${pair}"`);
    settings[pair.slice(0, at)] = pair.slice(at + 1);
  }
  return settings;
}

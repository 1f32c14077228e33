/** The arguments of `npm run conformance`, parsed and checked before anything starts. */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { OptionError } from "../../src/base/errors.ts";
import { missingFiles } from "./folder.ts";
import { NETWORKS } from "./network/networks.ts";
import type { NetworkName } from "./network/networks.ts";

const DEVICES = ["webgpu-node", "webgpu-chromium", "wasm-node", "wasm-chromium", "reference"] as const;

export type ConformanceDevice = (typeof DEVICES)[number];

export interface ConformanceOptions {
  readonly fixtures: string;
  readonly device: ConformanceDevice;
  readonly json: string | null;
}

/** The other matrix: collectives, whose sums nobody else has to tell. */
export interface NetworkConformanceOptions {
  readonly network: NetworkName;
  readonly json: string | null;
}

/** What `--help` prints. */
export const USAGE: string = `Runs every case of a folder of golden values from PyTorch, or every collective over a network.

  npm run conformance -- --fixtures DIR [--device D] [--json FILE]
  npm run conformance -- --network N [--json FILE]

  --fixtures DIR   ops, optim and models: each a .json and a .safetensors
  --device D       ${DEVICES.join(", ")} (webgpu-node)
  --network N      ${NETWORKS.join(", ")}: each verb by each program and codec, among up to 16, or 8 by WebRTC
  --json FILE      totals and failures

Exit: 0 nothing failed; 1 something did; 2 wrong arguments, or a device that is not there.
`;

const CONFIG = {
  fixtures: { type: "string" },
  device: { type: "string" },
  network: { type: "string" },
  json: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;

/** The options in `argv`, or "help". @throws OptionError with one sentence for people */
export function parseOptions(argv: readonly string[]): ConformanceOptions | NetworkConformanceOptions | "help" {
  const values = parseStrictly(argv);
  if (values.help) return "help";
  if (values.json === "") throw new OptionError("--json: expected a path, found nothing");
  const json = values.json === undefined ? null : resolve(values.json);
  if (values.network !== undefined) {
    if (values.fixtures !== undefined || values.device !== undefined)
      throw new OptionError("--network: expected neither --fixtures nor --device beside it, found one");
    return { network: oneOf("--network", NETWORKS, values.network), json };
  }
  if (values.fixtures === undefined) throw new OptionError("--fixtures DIR is missing: the folder of golden values");
  const missing = missingFiles(values.fixtures);
  if (missing.length > 0) {
    throw new OptionError(`--fixtures: expected ${missing.join(", ")} in "${values.fixtures}", found none`);
  }
  return {
    fixtures: resolve(values.fixtures),
    device: oneOf("--device", DEVICES, values.device ?? "webgpu-node"),
    json,
  };
}

function parseStrictly(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: CONFIG, strict: true, allowPositionals: false }).values;
  } catch (error) {
    // Node's sentence names the option; what follows it is advice on "--" that misleads here.
    const [sentence = ""] = (error as Error).message.split(". ");
    throw new OptionError(`${sentence.replace(/\.$/, "")}; --help lists what there is`, { cause: error });
  }
}

function oneOf<T extends string>(option: string, names: readonly T[], text: string): T {
  const found = names.find((name) => name === text);
  if (found === undefined) throw new OptionError(`${option}: expected one of ${names.join(", ")}, found "${text}"`);
  return found;
}

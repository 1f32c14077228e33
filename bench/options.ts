/** The arguments of `npm run bench`. */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { OptionError } from "../src/base/errors.ts";

/** Every benchmark there is to be; those without a program yet are refused by name. */
const BENCHMARK_NAMES: readonly string[] = ["matmul", "elementwise", "softmax", "layerNorm", "mlp", "char-gpt", "attention", "conv2d", "all-reduce", "allocator", "checkpoint", "reed-solomon"]; // prettier-ignore

export const ENVIRONMENTS = ["node-webgpu", "chromium-webgpu", "node-wasm", "chromium-wasm"] as const;

/** Where benchmarks of a device run. */
export type DeviceEnvironment = (typeof ENVIRONMENTS)[number];

/** What computes there, ours and the peers' alike: the processor on one thread for "wasm". */
export type Backend = "webgpu" | "wasm";

const USAGE = "usage: npm run bench -- [NAME ...] [--peers] [--environment NAME] [--json FILE] [--results]";

export interface BenchOptions {
  /** In the order of the command line; all that exist in the environments when none is named. */
  readonly names: readonly string[];
  readonly peers: boolean;
  readonly environments: readonly DeviceEnvironment[];
  readonly json: string | null;
  /** Write `bench/RESULTS.md`. */
  readonly results: boolean;
}

/** Names that have a program, and where that runs: all of `environments` for a device's, Node alone for the host's. */
export interface ExistingNames {
  readonly device: ReadonlySet<string>;
  readonly host: ReadonlySet<string>;
}

/** @throws OptionError with one sentence for people */
export function parseBenchOptions(argv: readonly string[], { device, host }: ExistingNames): BenchOptions {
  const { values, positionals } = parseStrictly(argv);
  const peers = values.peers ?? false;
  const environments = environmentsOf(values.environment, peers);
  const isInNode = environments.includes("node-webgpu");
  const all = new Set([...device, ...host]);
  for (const name of positionals) {
    if (!all.has(name)) throw unknownName(name, all);
    if (host.has(name) && !isInNode) throw new OptionError(`the benchmark ${name} runs in Node alone`);
  }
  if (values.json === "") throw new OptionError("--json: expected a path, found nothing");
  return {
    names: positionals.length > 0 ? [...new Set(positionals)] : [...(isInNode ? all : device)],
    peers,
    environments,
    json: values.json === undefined ? null : resolve(values.json),
    results: values.results ?? false,
  };
}

function environmentsOf(told: string | undefined, peers: boolean): readonly DeviceEnvironment[] {
  if (told === undefined) return peers ? ENVIRONMENTS : ["node-webgpu"];
  const found = ENVIRONMENTS.find((environment) => environment === told);
  if (!found) throw new OptionError(`--environment: expected one of ${ENVIRONMENTS.join(", ")}, found "${told}"`);
  return [found];
}

function unknownName(name: string, existing: ReadonlySet<string>): OptionError {
  const there = [...existing].join(", ");
  return new OptionError(
    BENCHMARK_NAMES.includes(name)
      ? `the benchmark ${name} does not exist yet; there are ${there}`
      : `expected names of benchmarks (${there}), found "${name}"`,
  );
}

function parseStrictly(argv: readonly string[]) {
  try {
    const options = {
      peers: { type: "boolean" },
      environment: { type: "string" },
      json: { type: "string" },
      results: { type: "boolean" },
    } as const;
    return parseArgs({ args: [...argv], options, strict: true, allowPositionals: true });
  } catch (error) {
    const [sentence = ""] = (error as Error).message.split(". ");
    throw new OptionError(`${sentence.replace(/\.$/, "")}; ${USAGE}`, { cause: error });
  }
}

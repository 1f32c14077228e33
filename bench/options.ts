/** The arguments of `npm run bench`. */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { OptionError } from "../src/base/errors.ts";

/** Every benchmark there is to be; those without a program yet are refused by name. */
const BENCHMARK_NAMES: readonly string[] = ["matmul", "elementwise", "softmax", "layerNorm", "mlp", "char-gpt", "attention", "conv2d", "all-reduce", "allocator", "checkpoint", "codecs", "join", "overlap", "reed-solomon"]; // prettier-ignore

export const ENVIRONMENTS = ["node-webgpu", "chromium-webgpu", "node-wasm", "chromium-wasm"] as const;

/** Where benchmarks of a device run. */
export type DeviceEnvironment = (typeof ENVIRONMENTS)[number];

/** What computes there, ours and the peers' alike: the processor for "wasm", on one thread unless told. */
export type Backend = "webgpu" | "wasm";

const USAGE =
  "usage: npm run bench -- [NAME ...] [--peers] [--backends] [--all-cores] [--environment NAME] [--json FILE] [--results]";

export interface BenchOptions {
  /** In the order of the command line; all that exist in the environments when none is named. */
  readonly names: readonly string[];
  readonly peers: boolean;
  /** Peers on each of their backends, whatever the environment's is. */
  readonly backends: boolean;
  /** WebAssembly on as many threads as each library takes of its own; Chromium's page is isolated then. */
  readonly allCores: boolean;
  readonly environments: readonly DeviceEnvironment[];
  readonly json: string | null;
  /** Write `bench/RESULTS.md`. */
  readonly results: boolean;
}

/** Names that have a program, and where that runs: everywhere for a device's; the host's by environment. */
export interface ExistingNames {
  readonly device: ReadonlySet<string>;
  readonly host: ReadonlyMap<string, ReadonlySet<string>>;
}

/** @throws OptionError with one sentence for people */
export function parseBenchOptions(argv: readonly string[], { device, host }: ExistingNames): BenchOptions {
  const { values, positionals } = parseStrictly(argv);
  const backends = values.backends ?? false;
  const peers = backends || (values.peers ?? false);
  const isHosts = positionals.length > 0 && positionals.every((name) => !device.has(name));
  const environments = environmentsOf(values.environment, peers || isHosts);
  const all = new Set([...device, ...[...host.values()].flatMap((names) => [...names])]);
  const here = new Set([...device, ...environments.flatMap((environment) => [...(host.get(environment) ?? [])])]);
  for (const name of positionals) {
    if (!all.has(name)) throw unknownName(name, all);
    if (here.has(name)) continue;
    const places = [...host].flatMap(([environment, names]) => (names.has(name) ? [environment] : []));
    throw new OptionError(`the benchmark ${name} runs in ${places.join(" and ")} alone`);
  }
  if (values.json === "") throw new OptionError("--json: expected a path, found nothing");
  return {
    names: positionals.length > 0 ? [...new Set(positionals)] : [...here],
    peers,
    backends,
    allCores: values["all-cores"] ?? false,
    environments,
    json: values.json === undefined ? null : resolve(values.json),
    results: values.results ?? false,
  };
}

/** What asks for nothing of a device may run wherever it can. */
function environmentsOf(told: string | undefined, isEverywhere: boolean): readonly DeviceEnvironment[] {
  if (told === undefined) return isEverywhere ? ENVIRONMENTS : ["node-webgpu"];
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
      backends: { type: "boolean" },
      "all-cores": { type: "boolean" },
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

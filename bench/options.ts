/** The arguments of `npm run bench`. */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { OptionError } from "../src/base/errors.ts";

/** Every benchmark there is to be; those without a program yet are refused by name. */
const BENCHMARK_NAMES: readonly string[] = ["matmul", "elementwise", "softmax", "layerNorm", "mlp", "char-gpt", "attention", "conv2d", "all-reduce", "allocator", "checkpoint", "reed-solomon"]; // prettier-ignore

export interface BenchOptions {
  /** In the order of the command line; all that exist when none is named. */
  readonly names: readonly string[];
  readonly peers: boolean;
  readonly json: string | null;
}

/** @param existing names that have a program. @throws OptionError with one sentence for people */
export function parseBenchOptions(argv: readonly string[], existing: ReadonlySet<string>): BenchOptions {
  const { values, positionals } = parseStrictly(argv);
  for (const name of positionals) {
    if (existing.has(name)) continue;
    const there = [...existing].join(", ");
    throw new OptionError(
      BENCHMARK_NAMES.includes(name)
        ? `the benchmark ${name} does not exist yet; there are ${there}`
        : `expected names of benchmarks (${there}), found "${name}"`,
    );
  }
  if (values.json === "") throw new OptionError("--json: expected a path, found nothing");
  return {
    names: positionals.length > 0 ? [...new Set(positionals)] : [...existing],
    peers: values.peers ?? false,
    json: values.json === undefined ? null : resolve(values.json),
  };
}

function parseStrictly(argv: readonly string[]) {
  try {
    const options = { peers: { type: "boolean" }, json: { type: "string" } } as const;
    return parseArgs({ args: [...argv], options, strict: true, allowPositionals: true });
  } catch (error) {
    const [sentence = ""] = (error as Error).message.split(". ");
    throw new OptionError(
      `${sentence.replace(/\.$/, "")}; usage: npm run bench -- [NAME ...] [--peers] [--json FILE]`,
      {
        cause: error,
      },
    );
  }
}

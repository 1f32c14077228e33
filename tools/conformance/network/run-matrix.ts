/** One rank's part of the matrix: does every case, and holds each result against what it computes by itself. */
import { bytesOf, floatsOf } from "../../../src/base/bytes.ts";
import { describeError } from "../../../src/base/errors.ts";
import { hashBytes } from "../../../src/base/hash.ts";
import { Random } from "../../../src/base/random.ts";
import type { Verb } from "../../../src/network/collectives/algorithms.ts";
import type { Group } from "../../../src/network/collectives/group.ts";
import type { ReduceOptions } from "../../../src/network/collectives/group-verbs.ts";
import type { ReduceOperator } from "../../../src/network/collectives/numbers.ts";
import { ranksOf } from "../../../src/network/collectives/program.ts";
import { matrixCases } from "./matrix-cases.ts";
import type { Exactness, MatrixCase, MatrixInput } from "./matrix-cases.ts";

type Floats = Float32Array<ArrayBuffer>;
type Numbers = Floats | Int32Array<ArrayBuffer>;

/** What one rank found. */
export interface RankReport {
  readonly rank: number;
  /** By case: SHA-256 of the result's bits, and what is wrong with it, or null. */
  readonly cases: readonly { readonly digest: string; readonly fault: string | null }[];
}

/** Several blocks of every codec, and no multiple of any number of ranks. */
const LENGTH = 203;
/** Several slices and frames of each chunk. */
const LONG_LENGTH = 80_003;
const DEADLINE_MS = 30_000;

/** All ranks call it alike, on a group that nothing else uses. */
export async function runMatrix(group: Group, cases: readonly MatrixCase[] = matrixCases()): Promise<RankReport> {
  const found: { digest: string; fault: string | null }[] = [];
  for (const [at, one] of cases.entries()) {
    const options = { operation: at + 1, category: "gradients", deadlineMs: DEADLINE_MS } as const;
    const { algorithm, operator } = one;
    try {
      const result = await perform(group, one, { ...options, algorithm, operator, codec: one.codec() });
      found.push({ digest: hashBytes(bytesOf(result)), fault: faultOf(result, one, group) });
    } catch (error) {
      found.push({ digest: "", fault: describeError(error) });
    }
  }
  return { rank: group.rank, cases: found };
}

/** What a rank brings along: every rank can say it of every other one. */
function inputOf(kind: MatrixInput, rank: number): Numbers {
  switch (kind) {
    case "integers":
      return Float32Array.from({ length: LENGTH }, (_, at) => ((at * 3 + rank * 5) % 9) - 4);
    case "long":
      return Float32Array.from({ length: LONG_LENGTH }, (_, at) => ((at * 7 + rank * 11) % 2_001) - 1_000);
    case "int32":
      return Int32Array.from({ length: LENGTH }, (_, at) => Math.imul(at + 1 + rank, 0x9e3779b1));
    case "constants":
      return new Float32Array(LENGTH).fill(rank + 0.5);
    case "floats": {
      const random = new Random(rank, "network conformance");
      return Float32Array.from({ length: LENGTH }, (_, at) => (random.uniform() - 0.5) * 10 ** ((at % 5) - 2));
    }
  }
}

/** Shares of ranks that are all different. */
function sharesOf(size: number): number[] {
  return ranksOf(size + 1).map((at) => Math.floor((at * at * LENGTH) / (size * size)));
}

const rootOf = (size: number): number => size >> 1;

/** The verb at this rank, its result as one array. */
async function perform(group: Group, { verb, input }: MatrixCase, options: ReduceOptions): Promise<Numbers> {
  const { size, rank } = group;
  const [own, root] = [inputOf(input, rank), rootOf(size)];
  const flat = (parts: readonly Uint8Array<ArrayBuffer>[]): Floats =>
    Float32Array.from(parts.flatMap((part) => [...floatsOf(part)]));
  const parts = partsOf(own as Floats, size).map(bytesOf);
  switch (verb) {
    case "all-reduce":
      return group.allReduce(own, options);
    case "reduce":
      return (await group.reduce(root, own, options)) ?? new Float32Array(0);
    case "reduce-scatter": {
      const { operator, ...rest } = options;
      return group.reduceScatter(own as Floats, scaled(own.length, size), ranksOf(size), { ...rest, operator });
    }
    case "all-gather": {
      const bounds = ranksOf(size + 1).map((at) => 4 * own.length * at);
      return floatsOf(await group.allGather(bytesOf(own), bounds, options));
    }
    case "broadcast":
      return floatsOf(await group.broadcast(root, rank === root ? bytesOf(own) : null, options));
    case "scatter":
      return flat([await group.scatter(root, rank === root ? parts : null, options)]);
    case "gather":
      return flat((await group.gather(root, bytesOf(own), options)) ?? []);
    case "all-to-all":
      return flat(await group.allToAll(parts, options));
  }
}

function scaled(length: number, size: number): number[] {
  return sharesOf(size).map((share) => Math.floor((share * length) / LENGTH));
}

function partsOf(values: Floats, size: number): Floats[] {
  const bounds = scaled(values.length, size);
  return ranksOf(size).map((at) => values.slice(bounds[at], bounds[at + 1]));
}

/** What the verb has to give at a rank, by plain loops in float64. */
function expectedOf(verb: Verb, kind: MatrixInput, operator: ReduceOperator, size: number, rank: number): number[] {
  const inputs = ranksOf(size).map((one) => inputOf(kind, one));
  const root = rootOf(size);
  const partOf = (from: number, to: number): number[] => [...(partsOf(inputs[from] as Floats, size)[to] ?? [])];
  switch (verb) {
    case "all-reduce":
      return reduced(inputs, operator, kind);
    case "reduce":
      return rank === root ? reduced(inputs, operator, kind) : [];
    case "reduce-scatter": {
      const bounds = scaled(inputs[0]?.length ?? 0, size);
      return reduced(inputs, operator, kind).slice(bounds[rank], bounds[rank + 1]);
    }
    case "all-gather":
      return inputs.flatMap((input) => [...input]);
    case "broadcast":
      return [...(inputs[root] ?? [])];
    case "scatter":
      return partOf(root, rank);
    case "gather":
      return rank === root ? inputs.flatMap((input) => [...input]) : [];
    case "all-to-all":
      return ranksOf(size).flatMap((from) => partOf(from, rank));
  }
}

function reduced(inputs: readonly Numbers[], operator: ReduceOperator, kind: MatrixInput): number[] {
  const isInteger = kind === "int32";
  const fold = (a: number, b: number): number => {
    if (operator === "max") return Math.max(a, b);
    if (operator === "min") return Math.min(a, b);
    if (operator === "product") return isInteger ? Math.imul(a, b) : a * b;
    return isInteger ? (a + b) | 0 : a + b;
  };
  const total = [...(inputs[0] ?? [])].map((_, at) => inputs.map((input) => input[at] ?? 0).reduce(fold));
  return operator === "mean" ? total.map((sum) => Math.trunc(sum / inputs.length)) : total;
}

function faultOf(result: Numbers, one: MatrixCase, { size, rank }: Group): string | null {
  const { verb, input, operator, exactness } = one;
  const expected = expectedOf(verb, input, operator, size, rank);
  if (result.length !== expected.length) return `expected ${expected.length} numbers, found ${result.length}`;
  if (exactness === "bits") return null;
  const inputs = ranksOf(size).map((each) => inputOf(input, each));
  const largest = (inputs[0] as Floats).reduce((most, _, at) => Math.max(most, magnitudeAt(inputs, at)), 0);
  const bound = boundOf(exactness, largest, size);
  const worst = expected.findIndex((value, at) => !(Math.abs((result[at] ?? Number.NaN) - value) <= bound));
  return worst < 0 ? null : `expected ${expected[worst]} at ${worst} within ${bound}, found ${result[worst]}`;
}

function magnitudeAt(inputs: readonly Numbers[], at: number): number {
  return inputs.reduce((sum, input) => sum + Math.abs(input[at] ?? 0), 0);
}

/**
 * Sums have n terms, so a value is rounded n times at most on its way, partial sums and the packing of the whole among
 * them. Each time adds half a unit in the last place of what is at most `largest`, or a level of a block's largest value;
 * what was added before can grow with it.
 */
function boundOf(exactness: Exactness, largest: number, size: number): number {
  switch (exactness) {
    case "exact":
    case "bits":
      return 0;
    case "rounded":
      return size * 2 ** -24 * largest * 1.01;
    case "float16":
      return size * 2 ** -11 * largest * 1.02;
    case "nearly":
      return 1e-4 * largest;
    default:
      return ((1 + 1 / exactness.levels) ** size - 1) * largest * 1.001;
  }
}

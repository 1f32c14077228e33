/**
 * Which program is cheapest, by simulated time over the measured links, remembered for each verb, root and size of
 * buffer within a factor of two. A selection belongs to one epoch: the next one measures anew.
 */
import { ALGORITHMS } from "../algorithms.ts";
import type { AlgorithmName, Verb } from "../algorithms.ts";
import { GroupPrograms } from "../group-programs.ts";
import { bottleneckMs, ringOrder } from "./ring-order.ts";
import { linkShares } from "./link-shares.ts";
import type { LinkMatrix } from "./link-matrix.ts";
import { simulatedMs } from "./simulate-program.ts";
import type { ProgramOptions } from "../group-programs.ts";

/** What a program was found to cost. */
export interface Candidate {
  readonly algorithm: AlgorithmName;
  readonly ms: number;
}

/** What is known besides the links. */
export interface SelectionOptions {
  /** Ranks that are near one another; two-level programs are not tried without. */
  readonly near?: readonly (readonly number[])[];
  /** How fast a rank adds up. 1 GB/s if left out. */
  readonly reduceBytesPerMs?: number;
  /** How many times cheaper than the usual program another one has to be. 1 if left out: any that is cheaper. */
  readonly gainMin?: number;
}

/** Ring hops carry about this. */
const RING_BYTES = 256 * 1024;

/**
 * The choices of one epoch. All members make it of the same matrix, and so choose alike, whatever engine runs them: what
 * is computed here and below is sums, products and quotients alone, which are the same bits everywhere.
 */
export class Selection {
  readonly #matrix: LinkMatrix;
  readonly #options: SelectionOptions;
  readonly #chosen = new Map<string, AlgorithmName | undefined>();
  #knownOrder: readonly number[] | null = null;
  #knownPrograms: GroupPrograms | null = null;

  constructor(matrix: LinkMatrix, options: SelectionOptions = {}) {
    this.#matrix = matrix;
    this.#options = options;
  }

  /** What a group has to be told: `new Group({ ..., ...selection.groupOptions() })`. */
  groupOptions(): ProgramOptions & { readonly shares: readonly number[] } {
    const { near } = this.#options;
    return {
      ringOrder: this.#order,
      shares: linkShares(this.#bandwidths()).shares,
      ...(near ? { near } : {}),
      choose: (verb, bytes, root) => this.choose(verb, bytes, root),
    };
  }

  /**
   * The cheapest program, for the largest buffer of the same power of two: whoever asks first changes nothing.
   * Undefined where the usual one will do.
   */
  choose(verb: Verb, bytes: number, root: number): AlgorithmName | undefined {
    let powerBytes = 1; // Not by a logarithm: engines round those differently.
    while (powerBytes <= bytes) powerBytes *= 2;
    const key = `${verb} ${powerBytes} ${root}`;
    if (!this.#chosen.has(key)) this.#chosen.set(key, this.#cheapest(verb, powerBytes - 1, root));
    return this.#chosen.get(key);
  }

  /** All programs of a verb, as a group would run them, with their simulated times, the cheapest first. */
  candidates(verb: Verb, bytes: number, root: number): Candidate[] {
    const { near, reduceBytesPerMs = 1_000_000 } = this.#options;
    const names = Object.keys(ALGORITHMS[verb]) as AlgorithmName[];
    const found = names
      .filter((name) => name !== "two-level" || near !== undefined)
      .map((algorithm) => {
        const program = this.#programs.program(verb, { algorithm, root, bytes });
        const bytesOf = (): number => bytes / program.chunks;
        return { algorithm, ms: simulatedMs(program, this.#matrix, { bytesOf, reduceBytesPerMs }) };
      });
    return found.sort((a, b) => a.ms - b.ms);
  }

  #cheapest(verb: Verb, bytes: number, root: number): AlgorithmName | undefined {
    const { gainMin = 1 } = this.#options;
    const candidates = this.candidates(verb, bytes, root);
    const best = candidates[0];
    if (gainMin <= 1 || best === undefined) return best?.algorithm;
    const usual = this.#programs.usualName(verb, bytes);
    const usualMs = candidates.find(({ algorithm }) => algorithm === usual)?.ms ?? Infinity;
    return usualMs < gainMin * best.ms ? undefined : best.algorithm;
  }

  get #order(): readonly number[] {
    return (this.#knownOrder ??= ringOrder(this.#matrix, RING_BYTES));
  }

  get #programs(): GroupPrograms {
    const { near } = this.#options;
    const options = { ringOrder: this.#order, ...(near ? { near } : {}) };
    return (this.#knownPrograms ??= new GroupPrograms(this.#matrix.links.length, options));
  }

  /** Milliseconds a hop of the ring takes over its dearest link. */
  get ringHopMs(): number {
    return bottleneckMs(this.#matrix, this.#order, RING_BYTES);
  }

  /** Of each rank, both ways: the mean over its links. */
  #bandwidths(): number[] {
    const { links } = this.#matrix;
    return links.map((row, rank) => {
      const both = links.flatMap((other, at) => (at === rank ? [] : [row[at]?.bytesPerMs, other[rank]?.bytesPerMs]));
      const known = both.filter((one) => one !== undefined);
      return known.length === 0 ? 1 : known.reduce((sum, one) => sum + one, 0) / known.length;
    });
  }
}

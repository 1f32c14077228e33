/**
 * Which program is cheapest, by simulated time over the measured links, remembered for each verb, root and size of
 * buffer within a factor of two. A selection belongs to one epoch: the next one measures anew.
 */
import { ALGORITHMS } from "../algorithms.ts";
import type { AlgorithmName, ProgramRequest, Verb } from "../algorithms.ts";
import { ranksOf, reordered, sliced } from "../program.ts";
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
}

/** Ring hops carry about this. */
const RING_BYTES = 256 * 1024;
const SLICES = 4;

/** The choices of one epoch. All members make it of the same matrix, and so choose alike. */
export class Selection {
  readonly #matrix: LinkMatrix;
  readonly #options: SelectionOptions;
  readonly #order: readonly number[];
  readonly #chosen = new Map<string, AlgorithmName>();

  constructor(matrix: LinkMatrix, options: SelectionOptions = {}) {
    this.#matrix = matrix;
    this.#options = options;
    this.#order = ringOrder(matrix, RING_BYTES);
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

  /** The cheapest program. */
  choose(verb: Verb, bytes: number, root: number): AlgorithmName | undefined {
    const key = `${verb} ${Math.ceil(Math.log2(bytes + 1))} ${root}`;
    const known = this.#chosen.get(key);
    if (known !== undefined) return known;
    const best = this.candidates(verb, bytes, root)[0]?.algorithm;
    if (best !== undefined) this.#chosen.set(key, best);
    return best;
  }

  /** All programs of a verb with their simulated times, the cheapest first. */
  candidates(verb: Verb, bytes: number, root: number): Candidate[] {
    const size = this.#matrix.links.length;
    const { near, reduceBytesPerMs = 1_000_000 } = this.#options;
    const request: ProgramRequest = { size, root, groups: near ?? [ranksOf(size)] };
    const found = Object.entries(ALGORITHMS[verb]).flatMap(([name, make]) => {
      if (name === "two-level" && near === undefined) return [];
      const plain = make(request);
      const ordered = name === "ring" && verb === "all-reduce" ? reordered(plain, this.#order, "ranks") : plain;
      const program = bytes > RING_BYTES && verb === "all-reduce" ? sliced(ordered, SLICES) : ordered;
      const bytesOf = (): number => bytes / program.chunks;
      return [
        { algorithm: name as AlgorithmName, ms: simulatedMs(program, this.#matrix, { bytesOf, reduceBytesPerMs }) },
      ];
    });
    return found.sort((a, b) => a.ms - b.ms);
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

/** Which program a group runs for a verb: the one asked for, else the one that measuring chose, else the default. */
import { OptionError } from "../../base/errors.ts";
import { ALGORITHMS } from "./algorithms.ts";
import type { AlgorithmName, ProgramRequest, Verb } from "./algorithms.ts";
import { ranksOf, reordered, sliced } from "./program.ts";
import type { Program } from "./program.ts";
import { disseminationBarrier } from "./programs/tree.ts";

/** What there is to choose by. The same on all members, or they would run different programs. */
export interface ProgramOptions {
  /** For verbs that have it; the others keep their default. */
  readonly algorithm?: AlgorithmName;
  /** The order of members around rings; that of the ranks if left out. */
  readonly ringOrder?: readonly number[];
  /** Ranks that are near one another: what `two-level` goes by. All together if left out. */
  readonly near?: readonly (readonly number[])[];
  /** The cheapest program by measurement; undefined leaves it to the default. */
  readonly choose?: ((verb: Verb, bytes: number, root: number) => AlgorithmName | undefined) | undefined;
}

/** What one operation asks for. */
export interface ProgramWish {
  readonly algorithm: AlgorithmName | Program | undefined;
  readonly root?: number;
  /** Of the whole buffer, where all members know it. */
  readonly bytes?: number;
}

/** Slices of about this size are passed on while the next arrives. */
const SLICE_BYTES = 256 * 1024;
const SLICES_MAX = 16;
/** Of programs that need several chunks where sizes are not agreed. */
const BLIND_SLICES = 8;
/** What a rank may send more than it has to, for a hop less. By measurement among tabs. */
const ONE_SHOT_BYTES_MAX = 8 * 1024;
/** What belongs to ranks by its number. */
const OWNED: readonly Verb[] = ["reduce-scatter", "all-gather"];

export class GroupPrograms {
  readonly #size: number;
  readonly #options: ProgramOptions;
  readonly #made = new Map<string, Program>();

  constructor(size: number, options: ProgramOptions) {
    this.#size = size;
    this.#options = options;
  }

  /** @throws OptionError where the verb has no such program */
  program(verb: Verb, { algorithm, root = 0, bytes }: ProgramWish): Program {
    if (typeof algorithm === "object") return this.#ownProgram(verb, algorithm);
    const name = this.#nameFor(verb, algorithm, root, bytes);
    const whole = this.#once(`${verb} ${name} ${root}`, () => this.#make(verb, name, root));
    const slices = slicesOf(verb, name, whole.chunks, bytes);
    return this.#once(`${verb} ${name} ${root} ${slices}`, () => sliced(whole, slices));
  }

  barrier(): Program {
    return this.#once("barrier", () => disseminationBarrier(this.#size));
  }

  /** Programs are compiled once as well: `compileRank` knows them by identity. */
  #once(key: string, make: () => Program): Program {
    const known = this.#made.get(key);
    if (known !== undefined) return known;
    const made = make();
    this.#made.set(key, made);
    return made;
  }

  #nameFor(verb: Verb, asked: AlgorithmName | undefined, root: number, bytes: number | undefined): AlgorithmName {
    const makers = ALGORITHMS[verb];
    if (asked !== undefined && !(asked in makers)) {
      throw new OptionError(`${verb}: expected one of ${Object.keys(makers).join(", ")}, found ${asked}`);
    }
    const { algorithm, choose } = this.#options;
    const usual = algorithm !== undefined && algorithm in makers ? algorithm : undefined;
    const chosen = asked ?? usual ?? (bytes === undefined ? undefined : choose?.(verb, bytes, root));
    return chosen ?? this.usualName(verb, bytes);
  }

  /** What runs where nobody asks for anything else, and nothing was measured. */
  usualName(verb: Verb, bytes: number | undefined): AlgorithmName {
    return this.#isLittle(verb, bytes) ? "one-shot" : (Object.keys(ALGORITHMS[verb])[0] as AlgorithmName);
  }

  #isLittle(verb: Verb, bytes: number | undefined): boolean {
    return verb === "all-reduce" && bytes !== undefined && (this.#size - 1) * bytes <= ONE_SHOT_BYTES_MAX;
  }

  #make(verb: Verb, name: AlgorithmName, root: number): Program {
    const near = this.#options.near ?? [ranksOf(this.#size)];
    const request: ProgramRequest = { size: this.#size, root, groups: near };
    const program = ALGORITHMS[verb][name]?.(request);
    if (program === undefined) throw new OptionError(`${verb}: found no program ${name}`);
    const { ringOrder } = this.#options;
    if (name !== "ring" || ringOrder === undefined || !["all-reduce", ...OWNED].includes(verb)) return program;
    return reordered(program, ringOrder, OWNED.includes(verb) ? "chunks" : "ranks");
  }

  #ownProgram(verb: Verb, program: Program): Program {
    if (program.size === this.#size) return program;
    throw new OptionError(`${verb}: expected a program for ${this.#size} ranks, found ${program.size}`);
  }
}

/** One hop needs none: nothing is passed on. */
function slicesOf(verb: Verb, name: AlgorithmName, chunks: number, bytes: number | undefined): number {
  const isOneHop = name === "one-shot" || (name === "direct" && verb !== "all-reduce");
  if (isOneHop || verb === "scatter" || verb === "gather" || verb === "all-to-all") return 1;
  if (bytes === undefined) return name === "ring" || name === "double-tree" ? BLIND_SLICES : 1;
  return Math.min(SLICES_MAX, Math.max(1, Math.ceil(bytes / chunks / SLICE_BYTES)));
}

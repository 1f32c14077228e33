/**
 * One rank's part of a program as a list of instructions, with its messages numbered: the sender's k-th message to a
 * rank is that rank's k-th from it. So messages may overtake one another and still be told apart.
 */
import { assert, present } from "../../base/assert.ts";
import { ranksOf } from "./program.ts";
import type { Program } from "./program.ts";

/** What is added up: the own value, or a rank's numbered message. */
export interface Term {
  readonly from: number;
  /** Null for the own value. */
  readonly message: number | null;
}

/** One thing that a rank does. */
export type Instruction =
  | { readonly kind: "send"; readonly chunk: number; readonly to: number; readonly message: number }
  | { readonly kind: "write"; readonly chunk: number; readonly terms: readonly Term[] };

/** What one rank does in a program, and what it hears. */
export interface RankProgram {
  readonly name: string;
  readonly rank: number;
  readonly size: number;
  readonly instructions: readonly Instruction[];
  /** Instructions that must follow one another: those of one chunk, or all of a program in step. */
  readonly strands: readonly (readonly number[])[];
  /** By sender, the strand that waits for each of its messages. */
  readonly strandOf: readonly (readonly number[])[];
  /** By sender, the chunk that each of its messages is. */
  readonly chunkOf: readonly (readonly number[])[];
  /** By sender, where its messages begin when all are numbered through. */
  readonly firstOf: readonly number[];
  readonly messages: number;
}

/** Collects a rank's instructions. */
class Compiler {
  readonly instructions: Instruction[] = [];
  readonly strands: number[][] = [];
  readonly strandOf: number[][];
  readonly chunkOf: number[][];
  readonly #sent: number[];
  readonly #strandOfChunk = new Map<number, number>();
  readonly #rank: number;

  constructor(size: number, rank: number) {
    this.#rank = rank;
    this.#sent = new Array<number>(size).fill(0);
    this.strandOf = ranksOf(size).map(() => []);
    this.chunkOf = ranksOf(size).map(() => []);
  }

  send(key: number, chunk: number, to: number): void {
    const message = present(this.#sent[to], `rank ${to}`);
    this.#sent[to] = message + 1;
    this.#add(key, { kind: "send", chunk, to, message });
  }

  write(key: number, chunk: number, from: readonly number[]): void {
    const strand = this.#strand(key);
    const terms = from.map((sender) => {
      if (sender === this.#rank) return { from: sender, message: null };
      const chunks = present(this.chunkOf[sender], `rank ${sender}`);
      present(this.strandOf[sender], `rank ${sender}`).push(strand);
      return { from: sender, message: chunks.push(chunk) - 1 };
    });
    this.#add(key, { kind: "write", chunk, terms });
  }

  #add(key: number, instruction: Instruction): void {
    this.strands[this.#strand(key)]?.push(this.instructions.push(instruction) - 1);
  }

  #strand(key: number): number {
    const known = this.#strandOfChunk.get(key);
    if (known !== undefined) return known;
    this.#strandOfChunk.set(key, this.strands.length);
    return this.strands.push([]) - 1;
  }
}

const compiled = new WeakMap<Program, Map<number, RankProgram>>();

/** A rank's instructions in the order of the hops, the sends of a hop before its writes. Made once for each program. */
export function compileRank(program: Program, rank: number): RankProgram {
  const ofProgram = compiled.get(program) ?? new Map<number, RankProgram>();
  compiled.set(program, ofProgram);
  const made = ofProgram.get(rank) ?? compile(program, rank);
  ofProgram.set(rank, made);
  return made;
}

function compile(program: Program, rank: number): RankProgram {
  const { name, size } = program;
  assert(rank >= 0 && rank < size, `${name}: rank ${rank} of ${size}`);
  const compiler = new Compiler(size, rank);
  const keyOf = (chunk: number): number => (program.inStep === true ? 0 : chunk);
  for (const hop of program.hops) {
    const { sends, writes } = hop(rank);
    for (const { chunk, to } of sends) compiler.send(keyOf(chunk), chunk, to);
    for (const { chunk, from } of writes) compiler.write(keyOf(chunk), chunk, from);
  }
  const { instructions, strands, strandOf, chunkOf } = compiler;
  let messages = 0;
  const firstOf = chunkOf.map((chunks) => (messages += chunks.length) - chunks.length);
  return { name, rank, size, instructions, strands, strandOf, chunkOf, firstOf, messages };
}

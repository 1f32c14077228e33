/**
 * How long a program would take: its messages played through the link matrix in virtual time. A rank sends one message
 * at a time, and receives one at a time: in tabs the processor is the bound as often as the link.
 */
import { present } from "../../../base/assert.ts";
import { begin, step } from "../interpreter.ts";
import type { State } from "../interpreter.ts";
import { ranksOf } from "../program.ts";
import type { Program } from "../program.ts";
import { compileRank } from "../rank-program.ts";
import { EventQueue } from "../../event-queue.ts";
import { costOf } from "./link-matrix.ts";
import type { LinkMatrix } from "./link-matrix.ts";

/** What is known besides links. */
export interface CostOptions {
  /** Size of a chunk. */
  readonly bytesOf: (chunk: number) => number;
  /** How fast a rank adds up; does not count if left out. */
  readonly reduceBytesPerMs?: number;
}

/** Milliseconds until the last rank is done. */
export function simulatedMs(program: Program, matrix: LinkMatrix, options: CostOptions): number {
  return new Simulation(program, matrix, options).run();
}

class Simulation {
  readonly #matrix: LinkMatrix;
  readonly #options: CostOptions;
  readonly #states: State[];
  readonly #sendFreeMs: number[];
  readonly #receiveFreeMs: number[];
  readonly #queue = new EventQueue();
  #nowMs = 0;
  #endMs = 0;

  constructor(program: Program, matrix: LinkMatrix, options: CostOptions) {
    this.#matrix = matrix;
    this.#options = options;
    this.#states = ranksOf(program.size).map((rank) => begin(compileRank(program, rank)));
    this.#sendFreeMs = new Array<number>(program.size).fill(0);
    this.#receiveFreeMs = new Array<number>(program.size).fill(0);
  }

  run(): number {
    for (const rank of this.#states.keys()) this.#feed(rank, { kind: "start" });
    for (let next = this.#queue.pop(); next !== undefined; next = this.#queue.pop()) {
      this.#nowMs = next.atMs;
      next.happen();
    }
    return this.#endMs;
  }

  #feed(rank: number, event: Parameters<typeof step>[1]): void {
    const { state, effects } = step(present(this.#states[rank], "rank"), event);
    this.#states[rank] = state;
    let readyMs = this.#nowMs;
    for (const effect of effects) {
      if (effect.kind === "done") continue;
      const bytes = this.#options.bytesOf(effect.chunk);
      const { reduceBytesPerMs = Infinity } = this.#options;
      if (effect.kind === "send") this.#send(rank, effect.to, effect.message, bytes, readyMs);
      else readyMs += (bytes * Math.max(0, effect.terms.length - 1)) / reduceBytesPerMs;
    }
    this.#endMs = Math.max(this.#endMs, readyMs);
  }

  #send(from: number, to: number, message: number, bytes: number, readyMs: number): void {
    const { latencyMs, bytesPerMs } = costOf(this.#matrix, from, to);
    const transferMs = bytes / bytesPerMs;
    const startMs = Math.max(readyMs, this.#sendFreeMs[from] ?? 0);
    this.#sendFreeMs[from] = startMs + transferMs;
    this.#queue.push(startMs + latencyMs, () => this.#arrive(from, to, message, transferMs));
  }

  /** The first byte is there. */
  #arrive(from: number, to: number, message: number, transferMs: number): void {
    const endMs = Math.max(this.#nowMs, this.#receiveFreeMs[to] ?? 0) + transferMs;
    this.#receiveFreeMs[to] = endMs;
    this.#queue.push(endMs, () => this.#feed(to, { kind: "received", from, message }));
  }
}

/**
 * Proves a program by running it on symbols: every message is taken for the chunk that it is, nobody waits for ever,
 * every chunk ends where it must with each contribution counted once, and sums that several ranks hold were added up
 * in the same order, so that they are the same bits.
 *
 * One order of events is enough: a rank's next values depend on what messages hold, not on when they come.
 */
import { present } from "../../base/assert.ts";
import type { Contract } from "./contracts.ts";
import { begin, missingRanks, step } from "./interpreter.ts";
import type { Effect, Event, State } from "./interpreter.ts";
import { ranksOf } from "./program.ts";
import type { Program } from "./program.ts";
import { compileRank } from "./rank-program.ts";

/** A sum: how often each rank's contribution is in it, and a name for how it was added up. */
interface Sum {
  readonly counts: readonly number[];
  readonly name: number;
}

interface Message {
  readonly from: number;
  readonly to: number;
  readonly message: number;
  readonly chunk: number;
  readonly value: Sum;
}

/** Everything wrong with the program; empty when it keeps the contract. */
export function checkProgram(program: Program, contract: Contract): string[] {
  const run = new SymbolicRun(program, contract);
  run.finish();
  return run.faults;
}

class SymbolicRun {
  readonly faults: string[] = [];
  readonly #program: Program;
  readonly #contract: Contract;
  readonly #states: State[];
  readonly #values: (Sum | null)[][];
  readonly #wire: Message[] = [];
  readonly #inbox = new Map<string, Sum>();
  readonly #names = new Map<string, number>();

  constructor(program: Program, contract: Contract) {
    const { size, chunks } = program;
    this.#program = program;
    this.#contract = contract;
    this.#states = ranksOf(size).map((rank) => begin(compileRank(program, rank)));
    this.#values = ranksOf(size).map((rank) =>
      ranksOf(chunks).map((chunk) => (contract.starts(rank, chunk) ? this.#own(rank) : null)),
    );
  }

  finish(): void {
    for (const rank of ranksOf(this.#program.size)) this.#feed(rank, { kind: "start" });
    for (let message = this.#wire.shift(); message !== undefined; message = this.#wire.shift()) this.#deliver(message);
    for (const [rank, state] of this.#states.entries()) {
      if (state.phase !== "done") this.#fault(`deadlock: rank ${rank} waits for ${missingRanks(state).join(", ")}`);
    }
    if (this.faults.length > 0) return;
    for (const chunk of ranksOf(this.#program.chunks)) this.#checkEnd(chunk);
  }

  #deliver({ from, to, message, chunk, value }: Message): void {
    const taken = present(this.#states[to], "rank").program.chunkOf[from]?.[message];
    if (taken !== chunk) {
      return this.#fault(`message ${message} of rank ${from} to ${to} is chunk ${chunk}, taken for ${taken ?? "none"}`);
    }
    this.#inbox.set(`${from}>${to}#${message}`, value);
    this.#feed(to, { kind: "received", from, message });
  }

  #feed(rank: number, event: Event): void {
    const { state, effects } = step(present(this.#states[rank], "rank"), event);
    this.#states[rank] = state;
    for (const effect of effects) this.#carryOut(rank, effect);
    const isSending = effects.some(({ kind }) => kind === "send");
    if (isSending) for (let left = state.sending; left > 0; left--) this.#feed(rank, { kind: "sent" });
  }

  #carryOut(rank: number, effect: Effect): void {
    if (effect.kind === "done") return;
    const { chunk } = effect;
    const row = present(this.#values[rank], "rank");
    if (effect.kind === "send") {
      const value = row[chunk] ?? null;
      if (value === null) return this.#fault(`rank ${rank} sends chunk ${chunk} before it has it`);
      this.#wire.push({ from: rank, to: effect.to, message: effect.message, chunk, value });
      return;
    }
    const terms = effect.terms.map(({ from, message }) => {
      return (message === null ? row[chunk] : this.#inbox.get(`${from}>${rank}#${message}`)) ?? null;
    });
    if (terms.includes(null)) return this.#fault(`rank ${rank} adds to chunk ${chunk} what is not there`);
    row[chunk] = this.#sum(terms as Sum[]);
  }

  #checkEnd(chunk: number): void {
    const names = new Set<number>();
    for (const [rank, row] of this.#values.entries()) {
      const wanted = this.#contract.ends(rank, chunk);
      if (wanted === null) continue;
      const { counts, name } = row[chunk] ?? this.#sum([]);
      names.add(name);
      const isRight = counts.every((count, from) => {
        const expected = wanted.includes(from) ? 1 : 0;
        return this.#contract.isLoose === true ? count >= expected : count === expected;
      });
      if (!isRight) this.#fault(`chunk ${chunk} of rank ${rank} ends with contributions ${counts.join(" ")}`);
    }
    if (names.size > 1 && this.#contract.isLoose !== true) {
      this.#fault(`chunk ${chunk} was added up in ${names.size} orders: not the same bits everywhere`);
    }
  }

  #own(rank: number): Sum {
    const counts = ranksOf(this.#program.size).map((other) => (other === rank ? 1 : 0));
    return { counts, name: this.#nameOf(`rank ${rank}`) };
  }

  #sum(terms: readonly Sum[]): Sum {
    const [only] = terms;
    if (only !== undefined && terms.length === 1) return only;
    const counts = ranksOf(this.#program.size).map((rank) =>
      terms.reduce((sum, { counts: own }) => sum + (own[rank] ?? 0), 0),
    );
    return { counts, name: this.#nameOf(terms.map(({ name }) => name).join("+")) };
  }

  #nameOf(how: string): number {
    const known = this.#names.get(how);
    if (known !== undefined) return known;
    this.#names.set(how, this.#names.size);
    return this.#names.size - 1;
  }

  #fault(what: string): void {
    this.faults.push(`${this.#program.name} of ${this.#program.size}: ${what}`);
  }
}

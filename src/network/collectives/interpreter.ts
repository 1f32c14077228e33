/**
 * Runs any program, for one rank: a pure `step(state, event) -> {state, effects}`. Messages may arrive in any order;
 * early ones wait for their turn. The driver (`Operation`) holds the chunks and does the sending and adding.
 */
import { assert, present } from "../../base/assert.ts";
import { ranksOf } from "./program.ts";
import type { Instruction, RankProgram } from "./rank-program.ts";

/** How far one rank is. */
export interface State {
  readonly program: RankProgram;
  /** By strand, the instruction that is next. */
  readonly next: readonly number[];
  /** Which messages have come, numbered through. */
  readonly arrived: Uint8Array;
  /** Sends that have not been handed over yet. */
  readonly sending: number;
  readonly phase: "new" | "running" | "done";
}

/** What happens to a rank. */
export type Event =
  | { readonly kind: "start" }
  /** A whole message of a rank. */
  | { readonly kind: "received"; readonly from: number; readonly message: number }
  /** A send was handed over. */
  | { readonly kind: "sent" };

/** To be carried out in this order. */
export type Effect = Instruction | { readonly kind: "done" };

export interface Step {
  readonly state: State;
  readonly effects: readonly Effect[];
}

export function begin(program: RankProgram): State {
  const next = program.strands.map(() => 0);
  return { program, next, arrived: new Uint8Array(program.messages), sending: 0, phase: "new" };
}

export function step(state: State, event: Event): Step {
  const { program } = state;
  switch (event.kind) {
    case "start":
      assert(state.phase === "new", `${program.name}: started twice`);
      return advance({ ...state, phase: "running" }, ranksOf(program.strands.length));
    case "received": {
      const { from, message } = event;
      const strand = present(program.strandOf[from]?.[message], `${program.name}: message ${message} of rank ${from}`);
      const place = placeOf(program, from, message);
      assert(state.arrived[place] === 0, `${program.name}: message ${message} of rank ${from} came twice`);
      const arrived = state.arrived.slice();
      arrived[place] = 1;
      const after = { ...state, arrived };
      return state.phase === "running" ? advance(after, [strand]) : { state: after, effects: [] };
    }
    case "sent":
      assert(state.sending > 0, `${program.name}: sent more than was to be sent`);
      return advance({ ...state, sending: state.sending - 1 }, []);
    default:
      event satisfies never;
      assert(false, "step: unknown event");
  }
}

/** Ranks whose messages hold a strand up. */
export function missingRanks({ program, next, arrived, phase }: State): number[] {
  if (phase === "done") return [];
  const missing = new Set<number>();
  for (const [strand, at] of next.entries()) {
    const instruction = program.instructions[program.strands[strand]?.[at] ?? -1];
    if (instruction?.kind !== "write") continue;
    for (const { from, message } of instruction.terms) {
      if (message !== null && arrived[placeOf(program, from, message)] === 0) missing.add(from);
    }
  }
  return [...missing].sort((a, b) => a - b);
}

/** Lets some strands go on until each waits for a message or has ended. */
function advance(before: State, strands: readonly number[]): Step {
  const { program, arrived } = before;
  const next = [...before.next];
  const effects: Effect[] = [];
  let { sending } = before;
  for (const strand of strands) {
    const own = present(program.strands[strand], "strand");
    let at = present(next[strand], "strand");
    for (; at < own.length; at++) {
      const instruction = present(program.instructions[own[at] ?? -1], "instruction");
      if (!isReady(program, instruction, arrived)) break;
      effects.push(instruction);
      if (instruction.kind === "send") sending += 1;
    }
    next[strand] = at;
  }
  const isDone = sending === 0 && next.every((at, strand) => at === program.strands[strand]?.length);
  if (isDone) effects.push({ kind: "done" });
  return { state: { ...before, next, sending, phase: isDone ? "done" : "running" }, effects };
}

function isReady(program: RankProgram, instruction: Instruction, arrived: Uint8Array): boolean {
  if (instruction.kind === "send") return true;
  return instruction.terms.every(({ from, message }) => {
    return message === null || arrived[placeOf(program, from, message)] === 1;
  });
}

function placeOf({ firstOf }: RankProgram, from: number, message: number): number {
  return (firstOf[from] ?? 0) + message;
}

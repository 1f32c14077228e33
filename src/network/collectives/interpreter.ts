/**
 * Runs any program, for one rank: a pure `step(state, event) -> {state, effects}`. Messages between two ranks arrive
 * in the order in which they were sent; between several ranks in any order, and early ones wait here for their hop.
 * The driver (`Operation`) holds the chunks and does the sending and adding.
 */
import { assert, present } from "../../base/assert.ts";
import type { Hop, Program, Send, Write } from "./program.ts";

export interface State {
  readonly program: Program;
  readonly rank: number;
  /** The hop under way; the number of hops when all are done. */
  readonly hop: number;
  /** Messages that have come from each rank and that no hop has used yet. */
  readonly arrived: readonly number[];
  /** Sends that have not been handed over yet. */
  readonly sending: number;
  readonly phase: "new" | "running" | "done";
}

export type Event =
  | { readonly kind: "start" }
  /** The next whole message of a rank. */
  | { readonly kind: "received"; readonly from: number }
  /** A send was handed over. */
  | { readonly kind: "sent" };

/** To be carried out in this order. A write takes the oldest unused message of each other rank it names. */
export type Effect =
  ({ readonly kind: "send" } & Send) | ({ readonly kind: "write" } & Write) | { readonly kind: "done" };

export interface Step {
  readonly state: State;
  readonly effects: readonly Effect[];
}

export function begin(program: Program, rank: number): State {
  assert(rank >= 0 && rank < program.size, `${program.name}: rank ${rank} of ${program.size}`);
  return { program, rank, hop: 0, arrived: new Array<number>(program.size).fill(0), sending: 0, phase: "new" };
}

export function step(state: State, event: Event): Step {
  switch (event.kind) {
    case "start": {
      assert(state.phase === "new", `${state.program.name}: started twice`);
      const effects: Effect[] = [];
      return advance(enterHop({ ...state, phase: "running" }, effects), effects);
    }
    case "received": {
      const arrived = state.arrived.map((count, rank) => (rank === event.from ? count + 1 : count));
      return advance({ ...state, arrived }, []);
    }
    case "sent":
      assert(state.sending > 0, `${state.program.name}: sent more than was to be sent`);
      return advance({ ...state, sending: state.sending - 1 }, []);
    default:
      event satisfies never;
      assert(false, "step: unknown event");
  }
}

/** How many messages a rank sends to this one in the whole program: more are a violation. */
export function expectedMessages(program: Program, rank: number): number[] {
  const counts = new Array<number>(program.size).fill(0);
  for (const hop of program.hops) {
    for (const from of sources(hop(rank), rank)) counts[from] = present(counts[from], "rank") + 1;
  }
  return counts;
}

/** Ranks whose messages the hop under way still waits for. */
export function missingRanks(state: State): number[] {
  const hop = state.program.hops[state.hop];
  if (hop === undefined || state.phase === "done") return [];
  const needs = new Array<number>(state.program.size).fill(0);
  for (const from of sources(hop(state.rank), state.rank)) needs[from] = present(needs[from], "rank") + 1;
  return needs.flatMap((count, rank) => (count > present(state.arrived[rank], "rank") ? [rank] : []));
}

/** Finishes each hop whose messages are all there. */
function advance(before: State, effects: Effect[]): Step {
  let state = before;
  while (state.phase === "running" && state.hop < state.program.hops.length && missingRanks(state).length === 0) {
    const hop = hopOf(state);
    const arrived = [...state.arrived];
    for (const from of sources(hop, state.rank)) arrived[from] = present(arrived[from], "rank") - 1;
    for (const write of hop.writes) effects.push({ kind: "write", ...write });
    state = enterHop({ ...state, arrived, hop: state.hop + 1 }, effects);
  }
  if (state.phase === "running" && state.hop === state.program.hops.length && state.sending === 0) {
    effects.push({ kind: "done" });
    state = { ...state, phase: "done" };
  }
  return { state, effects };
}

function enterHop(state: State, effects: Effect[]): State {
  if (state.hop === state.program.hops.length) return state;
  const { sends } = hopOf(state);
  for (const send of sends) effects.push({ kind: "send", ...send });
  return { ...state, sending: state.sending + sends.length };
}

function hopOf(state: State): Hop {
  return present(state.program.hops[state.hop], "hop")(state.rank);
}

/** The other ranks that a hop takes messages from, one entry a message, in the order of use. */
function sources(hop: Hop, rank: number): number[] {
  return hop.writes.flatMap((write) => write.from.filter((from) => from !== rank));
}

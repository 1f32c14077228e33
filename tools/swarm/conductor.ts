/** For programs that take a swarm in hand while it runs: what they are told, and what they may do. */
import type { RunLine } from "../../src/network/wire/run-line.ts";
import type { Fleet } from "./fleet.ts";

/** A run under way, as its conductor sees it. */
export interface Stage {
  readonly fleet: Fleet;
  /** A line of the run, of the step at hand: written before the fault strikes. */
  announce(kind: string): void;
  /** SIGKILL; it comes back a second later. */
  killServer(): void;
  /** A sentence for people. */
  note(text: string): void;
  /** Ends the run, whatever step it is at, as one that went well. */
  finish(reason: string): void;
}

export interface Conductor {
  onLine(line: RunLine): void;
  /** About once a second, after all pages were asked how they stand. */
  onPoll(): void;
  /** The run is over, or given up. */
  close(): void;
}

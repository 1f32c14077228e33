/**
 * Which candidate is measured next, and which one wins: pure, so that it can be tried on planted times.
 *
 * Runs of all candidates alternate, in changing order, so that whatever slows the machine down slows all of them. The
 * winner displaces the default only when it is clearly faster: by a margin of the medians, of the least times (what else a
 * machine does adds time, and takes none away), and in most rounds. Noise does not flip choices.
 */
import { assert, present } from "../../../base/assert.ts";
import type { CandidateResult } from "./table.ts";

export interface RaceRules {
  /** Of each candidate, for a verdict. */
  readonly runs: number;
  /** Enough for a verdict where time runs out. */
  readonly runsMin: number;
  /** A candidate whose first run takes so many times the best first run is measured no more. */
  readonly dropFactor: number;
  /** The part of the default's time that a winner has to save. */
  readonly margin: number;
}

export const RACE_RULES: RaceRules = { runs: 7, runsMin: 3, dropFactor: 3, margin: 0.05 };

/** The part of the rounds in which a winner has to be faster than the default. */
const ROUNDS_WON = 0.8;

interface Lane {
  readonly name: string;
  readonly runsMs: number[];
  rejection: string | null;
  isDropped: boolean;
}

export class Race {
  readonly #rules: RaceRules;
  readonly #lanes: readonly Lane[];
  #isClosed = false;

  /** `candidates`, the default first. */
  constructor(candidates: readonly string[], rules: RaceRules = RACE_RULES) {
    assert(candidates.length > 0, "Race: expected candidates, found none");
    this.#rules = rules;
    this.#lanes = candidates.map((name) => ({ name, runsMs: [], rejection: null, isDropped: false }));
  }

  /** Whose run is next; undefined when all are done. Each round begins with another lane. */
  next(): string | undefined {
    const { runs, runsMin } = this.#rules;
    const open = this.#lanes.filter((lane) => {
      const hasRun = lane.runsMs.length >= (this.#isClosed ? runsMin : runs);
      const isOut = lane.rejection !== null || lane.isDropped || (this.#isClosed && lane.runsMs.length === 0);
      return !hasRun && !isOut;
    });
    const round = Math.min(...open.map(({ runsMs }) => runsMs.length));
    const turn = open.filter(({ runsMs }) => runsMs.length === round);
    return turn[round % Math.max(1, turn.length)]?.name;
  }

  /** Time is up: only what has begun is brought to an end, with as few runs as a verdict takes. */
  close(): void {
    this.#isClosed = true;
  }

  noteRun(name: string, ms: number): void {
    const lane = this.#lane(name);
    lane.runsMs.push(ms);
    const firsts = this.#lanes.filter(isMeasured).map(({ runsMs }) => runsMs[0] ?? 0);
    // The default is what the others are compared with.
    const limitMs = this.#rules.dropFactor * Math.min(...firsts);
    for (const other of this.#lanes.slice(1)) {
      if (other.runsMs.length === 1 && (other.runsMs[0] ?? 0) > limitMs) other.isDropped = true;
    }
  }

  /** It is wrong, does not compile, or breaks the device: never to be chosen. */
  noteRejection(name: string, reason: string): void {
    this.#lane(name).rejection = reason;
  }

  /** It cannot be measured here, for no fault of its own. */
  drop(name: string): void {
    this.#lane(name).isDropped = true;
  }

  /** In the order of the candidates. */
  results(): CandidateResult[] {
    return this.#lanes.map(({ name, runsMs, rejection }) => {
      return { name, ms: runsMs.length === 0 ? null : median(runsMs), rejection };
    });
  }

  /** The winner, or null where too little was measured: the default, or nothing to compare it with. */
  winner(): string | null {
    const usual = present(this.#lanes[0], "Race.winner: the default");
    const ready = this.#lanes.filter((lane) => isMeasured(lane) && lane.runsMs.length >= this.#rules.runsMin);
    if (ready.length === 0) return this.#lanes.every(({ rejection }) => rejection !== null) ? usual.name : null;
    const best = ready.reduce((a, b) => (median(b.runsMs) < median(a.runsMs) ? b : a));
    if (usual.rejection !== null) return best.name;
    const isAlone = this.#lanes.every(
      (lane) => lane === usual || (lane.runsMs.length === 0 && lane.rejection === null),
    );
    if (!ready.includes(usual) || isAlone) return null;
    const saves = (of: (runsMs: readonly number[]) => number): boolean =>
      of(best.runsMs) <= (1 - this.#rules.margin) * of(usual.runsMs);
    const isClear = saves(median) && saves(least);
    return isClear && roundsWon(best, usual) >= ROUNDS_WON ? best.name : usual.name;
  }

  #lane(name: string): Lane {
    return present(
      this.#lanes.find((lane) => lane.name === name),
      `Race: a candidate named ${name}`,
    );
  }
}

function isMeasured({ runsMs, rejection }: Lane): boolean {
  return rejection === null && runsMs.length > 0;
}

/** The part of the rounds that both ran in which `lane` was faster. */
function roundsWon(lane: Lane, other: Lane): number {
  const rounds = Math.min(lane.runsMs.length, other.runsMs.length);
  const won = lane.runsMs.slice(0, rounds).filter((ms, i) => ms < (other.runsMs[i] ?? 0));
  return won.length / Math.max(1, rounds);
}

function least(values: readonly number[]): number {
  return Math.min(...values);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const high = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? high : (high + (sorted[middle - 1] ?? high)) / 2;
}

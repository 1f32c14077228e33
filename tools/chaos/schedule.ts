/** Which faults strike a run and when: a function of the seed alone. Pure; `conductor.ts` carries them out. */
import { Random } from "../../src/base/random.ts";
import { DEFAULT_LIMITS } from "../../src/training/coordinator/protocol.ts";

/** What can befall a run, with what is really done. */
export const CHAOS_KINDS = {
  kill: "SIGKILL of a tab's browser; somebody takes its place some seconds later",
  leave: "a tab is closed politely; somebody takes its place some seconds later",
  freeze: "SIGSTOP of a tab's browser, SIGCONT before the coordinator calls it silent",
  "freeze-long": "the same, SIGCONT after it was given up",
  cut: "SIGSTOP of the process that has all sockets of a tab, WebRTC's too: nothing comes or goes for a while",
  "cut-long": "the same, until after the tab was given up",
  "kill-network": "SIGKILL of that process: sockets are reset, WebRTC's links die without a word",
  "cut-link": "the peer connection of one pair of tabs is closed",
  "kill-server": "SIGKILL of the server, which comes back a second later",
  "fill-quota": "a tab's storage refuses to grow for a while",
  "delete-databases": "a tab's databases are deleted under it",
} as const;

export type ChaosKind = keyof typeof CHAOS_KINDS;

/** One fault of the plan. */
export interface ChaosFault {
  readonly kind: ChaosKind;
  /** From the run's first committed step. */
  readonly atMs: number;
  /** In [0, 1): which of the healthy tabs it strikes. */
  readonly victim: number;
  /** How long it lasts: frozen, cut off, without storage, or nobody in the tab's place. 0 for what happens at once. */
  readonly lastsMs: number;
  /** Who comes back brings no storage: a newcomer, and not a member that returns with old bytes. */
  readonly isNewcomer: boolean;
}

export interface ScheduleOptions {
  readonly seed: number;
  readonly kinds: readonly ChaosKind[];
  readonly everyMs: number;
  readonly durationMs: number;
}

/** Of the interval: how far a fault may be from its place. */
const JITTER = 0.2;
const SILENCE_MS = DEFAULT_LIMITS.silenceMsMax;

/** Shortest and longest time that a fault of each kind lasts. */
const LASTS_MS: Readonly<Record<ChaosKind, readonly [number, number]>> = {
  kill: [2_000, 6_000],
  leave: [2_000, 6_000],
  freeze: [0.25 * SILENCE_MS, 0.75 * SILENCE_MS],
  "freeze-long": [1.25 * SILENCE_MS, 2 * SILENCE_MS],
  cut: [0.25 * SILENCE_MS, 0.75 * SILENCE_MS],
  "cut-long": [1.25 * SILENCE_MS, 2 * SILENCE_MS],
  "kill-network": [0, 0],
  "cut-link": [0, 0],
  "kill-server": [0, 0],
  // Chromium remembers for half a minute what room there was.
  "fill-quota": [35_000, 60_000],
  "delete-databases": [0, 0],
};

/**
 * A fault every `everyMs`, give or take a fifth. Kinds come as cards from a shuffled deck, a new one when it is empty, so
 * that a short run meets as many kinds as it can.
 */
export function planChaos({ seed, kinds, everyMs, durationMs }: ScheduleOptions): ChaosFault[] {
  const faults: ChaosFault[] = [];
  let deck: ChaosKind[] = [];
  for (let index = 0; ; index++) {
    const random = new Random(seed, "chaos", index);
    const atMs = everyMs * (index + 1 + JITTER * (2 * random.uniform() - 1));
    if (atMs >= durationMs) return faults;
    if (deck.length === 0) deck = shuffled(kinds, random);
    const kind = deck.pop() as ChaosKind;
    const [shortest, longest] = LASTS_MS[kind];
    const lastsMs = shortest + (longest - shortest) * random.uniform();
    faults.push({ kind, atMs, victim: random.uniform(), lastsMs, isNewcomer: random.uniform() < 0.5 });
  }
}

/** Fisher and Yates. */
function shuffled<T>(values: readonly T[], random: Random): T[] {
  const cards = [...values];
  for (let last = cards.length - 1; last > 0; last--) {
    const other = random.below(last + 1);
    [cards[last], cards[other]] = [cards[other] as T, cards[last] as T];
  }
  return cards;
}

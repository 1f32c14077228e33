/** Members that agree on who is gone, on their own with messages in any order, while they crash and links break. */
import { expect } from "vitest";
import { Random } from "../../../src/base/random.ts";
import { ranksOf } from "../../../src/network/collectives/program.ts";
import { beginVerdict, judge } from "../../../src/network/collectives/verdict/verdict-state.ts";
import type { VerdictEvent, VerdictState, View } from "../../../src/network/collectives/verdict/verdict-state.ts";

export const LIMITS = { silenceMsMax: 1_000, agreementMsMax: 2_000 };
const BEAT_MS = 250;

interface Outcome {
  readonly lost: readonly number[];
  readonly isAgreed: boolean;
}

export interface Course {
  /** Members at least, and how many sizes there are. */
  readonly sizes: readonly [min: number, count: number];
  readonly delayMsMax: number;
  readonly cutsMax: number;
  /** When members crash and links break. */
  readonly fromMs: number;
  readonly forMs: number;
  /** Whether members are told that a link is gone, at some time, or hear nothing more. */
  readonly noticesLoss: boolean;
}

export const CALM: Course = { sizes: [2, 9], delayMsMax: 200, cutsMax: 0, fromMs: 0, forMs: 2_500, noticesLoss: false };
/** Much at once, and slow to be told. */
export const WILD: Course = {
  sizes: [3, 6],
  delayMsMax: 600,
  cutsMax: 8,
  fromMs: 2_000,
  forMs: 300,
  noticesLoss: true,
};

/** Members that crash at some moment, and pairs whose links break. */
export function play(
  seed: number,
  { sizes, delayMsMax, cutsMax, fromMs, forMs, noticesLoss }: Course,
): { size: number; dead: Set<number>; outcomes: Map<number, Outcome> } {
  const random = new Random(seed, "verdict");
  const size = sizes[0] + random.below(sizes[1]);
  const delayMs = 1 + random.below(delayMsMax);
  const crashes = new Map(ranksOf(random.below(3)).map(() => [random.below(size), fromMs + random.below(forMs)]));
  const cuts = ranksOf(random.below(1 + cutsMax)).map(
    () => [random.below(size), random.below(size), fromMs + random.below(forMs)] as const,
  );
  const states: VerdictState[] = ranksOf(size).map((rank) => beginVerdict(rank, size, 0));
  const outcomes = new Map<number, Outcome>();
  let wire: { readonly atMs: number; readonly to: number; readonly from: number; readonly view: View }[] = [];
  let nowMs = 0;
  const isDead = (rank: number): boolean => (crashes.get(rank) ?? Infinity) <= nowMs;
  const isCut = (a: number, b: number): boolean =>
    cuts.some(([x, y, atMs]) => atMs <= nowMs && ((x === a && y === b) || (x === b && y === a)));
  const feed = (rank: number, event: VerdictEvent): void => {
    if (isDead(rank)) return;
    const { state, effects } = judge(states[rank] as VerdictState, event, nowMs, LIMITS);
    states[rank] = state;
    for (const effect of effects) {
      if (effect.kind === "decide") {
        expect(outcomes.has(rank), `seed ${seed}: rank ${rank} decides twice`).toBe(false);
        outcomes.set(rank, effect);
        continue;
      }
      for (const to of ranksOf(size)) {
        if (to === rank || (effect.to !== undefined && effect.to !== to)) continue;
        wire.push({ atMs: nowMs + random.below(delayMs), to, from: rank, view: effect.view });
      }
    }
  };
  const unnoticed = new Set(noticesLoss ? ranksOf(size * size) : []);
  const notice = (): void => {
    for (const pair of unnoticed) {
      const [rank, other] = [Math.floor(pair / size), pair % size];
      if (rank === other || !(isCut(rank, other) || isDead(other)) || random.below(8) > 0) continue;
      unnoticed.delete(pair);
      feed(rank, { kind: "lost", rank: other });
    }
  };
  for (; nowMs < 14_000; nowMs += 10) {
    const due = wire.filter(({ atMs }) => atMs <= nowMs);
    wire = wire.filter(({ atMs }) => atMs > nowMs);
    for (const { to, from, view } of random.shuffle(due)) if (!isCut(from, to)) feed(to, { kind: "told", from, view });
    notice();
    for (const rank of ranksOf(size)) if ((nowMs + 30 * rank) % BEAT_MS < 10) feed(rank, { kind: "tick" });
  }
  return { size, dead: new Set(ranksOf(size).filter(isDead)), outcomes };
}

/** Verdicts of the living in runs of one kind: how many are agreed, and what is wrong with them. */
export function judgeRuns(
  seeds: number,
  course: Course,
): { readonly agreed: number; readonly missing: number; readonly splits: readonly string[] } {
  let [agreed, missing] = [0, 0];
  const splits: string[] = [];
  for (let seed = 0; seed < seeds; seed++) {
    const { size, dead, outcomes } = play(seed, course);
    const living = ranksOf(size).filter((rank) => !dead.has(rank));
    if (outcomes.size > 0)
      expect([...outcomes.keys()].filter((rank) => !dead.has(rank)).length, `seed ${seed}`).toBe(living.length);
    for (const rank of living) {
      const own = outcomes.get(rank);
      if (own?.isAgreed !== true) continue;
      expect(own.lost, `seed ${seed}: an agreed verdict leaves its own member out`).not.toContain(rank);
      agreed += 1;
      for (const other of living.filter((one) => !own.lost.includes(one))) {
        const theirs = outcomes.get(other);
        if (theirs?.isAgreed !== true) missing += 1;
        else if (!theirs.lost.includes(rank) && theirs.lost.join() !== own.lost.join())
          splits.push(`seed ${seed}: rank ${rank} lost ${own.lost.join()}, rank ${other} ${theirs.lost.join()}`);
      }
    }
  }
  return { agreed, missing, splits };
}

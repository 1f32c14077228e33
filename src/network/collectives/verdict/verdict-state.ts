/**
 * How the members of a group agree on who is gone: a pure `judge(state, event, nowMs) -> {state, effects}`.
 *
 * Whoever loses a link or hears nothing from a member for long accuses it. Accusations only grow in number and are
 * told to all. A member decides when everyone who is left, by its accusations, has told it the same ones (flooding, as in
 * Chandra & Toueg, 1996, section 5). Whoever has decided tells by what accusations, and others adopt it: unless they have
 * told more since then by which others are left, as somebody may have decided by those. A member that is left out, or
 * hears no agreement in time, gives up: its verdict is its own.
 *
 * No two members hold different agreed verdicts that count on both. Say P holds one by the accusations A, and Q one by B.
 * Before anybody decides by A all who are left by A have told it, and so with B: P and Q have told both, and as what a
 * member tells only grows, A is a part of B, or the other way round. Say A is a part of B. P did not decide by A itself,
 * since it would have told no more; it adopted it when it had told B. So the same are left by B, and all is well, or P had
 * it from a member that is left by B, of which the same can be said, unless it never told B; that is so at the latest of
 * the one that did decide by A itself. But then nobody can have decided by B.
 *
 * When members crash, all who live have the same verdict. When links between the living break while they agree, one that
 * an agreed verdict counts on may have been left out by another, or may have given up: it knows, and is missing in the
 * next epoch as if it had died at the end of this one. More cannot be had: the last message of an agreement can be lost.
 */
import { assert } from "../../../base/assert.ts";
import { excludedRanks } from "./exclusion.ts";
import type { Accusation } from "./exclusion.ts";

/** What a member tells of its knowledge. */
export type View =
  | { readonly kind: "accusing"; readonly accusations: readonly Accusation[] }
  /** Who is lost follows from them. */
  | { readonly kind: "decided"; readonly accusations: readonly Accusation[] };

/** When a member is silent, and when waiting for agreement ends. */
export interface VerdictLimits {
  /** A member that was not heard of for so long is accused. */
  readonly silenceMsMax: number;
  /** From the last new accusation on. */
  readonly agreementMsMax: number;
}

export interface VerdictState {
  readonly rank: number;
  readonly size: number;
  readonly view: View;
  /** How many accusations it told each time, the first ones that it has. */
  readonly tellings: readonly number[];
  /** Gave up: its verdict is its own, and nobody else is to hear of it. */
  readonly isAlone: boolean;
  /** By rank, the view it told last, in one canonical form. */
  readonly told: readonly string[];
  readonly heardAtMs: readonly number[];
  readonly tickedAtMs: number;
  /** When the last new accusation came; null while nobody is accused. */
  readonly accusedAtMs: number | null;
}

export type VerdictEvent =
  | { readonly kind: "tick" }
  /** Any frame of a member. */
  | { readonly kind: "heard"; readonly from: number }
  | { readonly kind: "told"; readonly from: number; readonly view: View }
  /** The link to a member is gone. */
  | { readonly kind: "lost"; readonly rank: number };

export type VerdictEffect =
  /** To all others, or to one who does not know it yet. */
  | { readonly kind: "tell"; readonly view: View; readonly to?: number }
  /** Once. `isAgreed`: by all who are left. */
  | { readonly kind: "decide"; readonly lost: readonly number[]; readonly isAgreed: boolean };

export interface VerdictStep {
  readonly state: VerdictState;
  readonly effects: readonly VerdictEffect[];
}

export function beginVerdict(rank: number, size: number, nowMs: number): VerdictState {
  return {
    rank,
    size,
    view: { kind: "accusing", accusations: [] },
    tellings: [],
    isAlone: false,
    told: new Array<string>(size).fill(""),
    heardAtMs: new Array<number>(size).fill(nowMs),
    tickedAtMs: nowMs,
    accusedAtMs: null,
  };
}

export function judge(state: VerdictState, event: VerdictEvent, nowMs: number, limits: VerdictLimits): VerdictStep {
  switch (event.kind) {
    case "heard":
      return { state: heard(state, event.from, nowMs), effects: [] };
    case "lost":
      return accuse(state, [{ accuser: state.rank, accused: event.rank }], nowMs, limits);
    case "told": {
      const { from, view } = event;
      const after = heard(state, from, nowMs);
      if (after.isAlone) return { state: after, effects: [] };
      if (view.kind === "decided") return adopt(after, from, view.accusations);
      if (after.view.kind === "decided") {
        return { state: after, effects: [{ kind: "tell", view: after.view, to: from }] };
      }
      const told = after.told.map((one, rank) => (rank === from ? nameOf(view.accusations) : one));
      return accuse({ ...after, told }, view.accusations, nowMs, limits);
    }
    case "tick":
      return tick(state, nowMs, limits);
    default:
      event satisfies never;
      assert(false, "judge: unknown event");
  }
}

/** Accusations in one order, so that equal sets have equal names. */
function nameOf(accusations: readonly Accusation[]): string {
  return accusations
    .map(({ accuser, accused }) => `${accuser}:${accused}`)
    .sort()
    .join(" ");
}

function heard(state: VerdictState, from: number, nowMs: number): VerdictState {
  return { ...state, heardAtMs: state.heardAtMs.map((ms, rank) => (rank === from ? nowMs : ms)) };
}

/** Tells the own view again, lost as the last one may be, and accuses the silent. */
function tick(before: VerdictState, nowMs: number, limits: VerdictLimits): VerdictStep {
  const { silenceMsMax } = limits;
  const { rank: self } = before;
  // Whoever was frozen heard nobody: that is no fault of theirs.
  const wasAway = nowMs - before.tickedAtMs > silenceMsMax / 2;
  const heardAtMs = wasAway ? before.heardAtMs.map(() => nowMs) : before.heardAtMs;
  const state = { ...before, heardAtMs, tickedAtMs: nowMs };
  if (state.isAlone) return { state, effects: [] };
  const silent = heardAtMs.flatMap((ms, rank) => (rank !== self && nowMs - ms >= silenceMsMax ? [rank] : []));
  const { state: after, effects } = accuse(
    state,
    silent.map((accused) => ({ accuser: self, accused })),
    nowMs,
    limits,
  );
  const hasTold = effects.some(({ kind }) => kind === "tell");
  if (hasTold || after.isAlone) return { state: after, effects };
  return { state: after, effects: [{ kind: "tell", view: after.view }, ...effects] };
}

function accuse(before: VerdictState, more: readonly Accusation[], nowMs: number, limits: VerdictLimits): VerdictStep {
  // Whoever has decided says so; it changes its mind no more.
  if (before.view.kind === "decided") return { state: before, effects: [] };
  const known = new Set(nameOf(before.view.accusations).split(" "));
  const news = more.filter((one) => !known.has(nameOf([one])));
  const accusations = [...before.view.accusations, ...unique(news)];
  const accusedAtMs = news.length > 0 ? nowMs : before.accusedAtMs;
  const tellings = news.length > 0 ? [...before.tellings, accusations.length] : before.tellings;
  const state: VerdictState = { ...before, view: { kind: "accusing", accusations }, tellings, accusedAtMs };
  const effects: VerdictEffect[] = news.length > 0 ? [{ kind: "tell", view: state.view }] : [];
  return decide(state, accusations, nowMs, limits, effects);
}

function decide(
  state: VerdictState,
  accusations: readonly Accusation[],
  nowMs: number,
  { agreementMsMax }: VerdictLimits,
  effects: VerdictEffect[],
): VerdictStep {
  const { rank: self, told, accusedAtMs } = state;
  if (accusedAtMs === null) return { state, effects };
  const lost = excludedRanks(accusations);
  const name = nameOf(accusations);
  const isAgreed =
    !lost.includes(self) && told.every((one, rank) => rank === self || lost.includes(rank) || one === name);
  if (!isAgreed && nowMs - accusedAtMs < agreementMsMax) return { state, effects };
  // Alone with its verdict, a member holds to those that it still hears.
  const own = accusations.flatMap(({ accuser, accused }) => (accuser === self ? [accused] : []));
  const verdict = isAgreed ? lost : [...new Set(own)].sort((a, b) => a - b);
  const view: View = { kind: "decided", accusations };
  effects.push({ kind: "decide", lost: verdict, isAgreed });
  if (isAgreed) effects.push({ kind: "tell", view });
  return { state: { ...state, view, isAlone: !isAgreed }, effects };
}

/** What `from` decided or adopted. */
function adopt(state: VerdictState, from: number, accusations: readonly Accusation[]): VerdictStep {
  if (state.view.kind === "decided") return { state, effects: [] };
  const lost = excludedRanks(accusations);
  if (lost.includes(state.rank)) return leave(state, from, lost);
  if (mayBeDecidedOtherwise(state, from, accusations.length, lost)) return { state, effects: [] };
  const view: View = { kind: "decided", accusations };
  const effects: VerdictEffect[] = [
    { kind: "decide", lost, isAgreed: true },
    { kind: "tell", view },
  ];
  return { state: { ...state, view }, effects };
}

/** Left out by others; not by one whom the own view leaves out: who is left by that may still agree. */
function leave(state: VerdictState, from: number, lost: readonly number[]): VerdictStep {
  const excluded = excludedRanks(state.view.accusations);
  if (excluded.includes(from) && !excluded.includes(state.rank)) return { state, effects: [] };
  const view: View = { kind: "decided", accusations: state.view.accusations };
  return { state: { ...state, view, isAlone: true }, effects: [{ kind: "decide", lost, isAgreed: false }] };
}

/**
 * Whether somebody may have decided otherwise, by no fewer than `count` accusations that this member told. Nobody can have
 * by those that leave `from` in: see above.
 */
function mayBeDecidedOtherwise(
  { view, tellings }: VerdictState,
  from: number,
  count: number,
  lost: readonly number[],
): boolean {
  return tellings
    .filter((told) => told >= count)
    .map((told) => excludedRanks(view.accusations.slice(0, told)))
    .some((otherwise) => otherwise.includes(from) && otherwise.join() !== lost.join());
}

function unique(accusations: readonly Accusation[]): Accusation[] {
  return [...new Map(accusations.map((one) => [nameOf([one]), one])).values()];
}

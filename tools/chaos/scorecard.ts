/** What a run under faults came to, beside the same run without: pure, from lines and the times at which they came. */
import type { RunLine } from "../../src/network/wire/run-line.ts";
import { DEFAULT_LIMITS, type Limits } from "../../src/training/coordinator/protocol.ts";
import { compareLosses, lossesOf } from "../swarm/compare.ts";
import { areEqual } from "../swarm/summary.ts";
import type { Casualty, Chronicle, Commit, Struck } from "./chronicle.ts";

/** A run, its lines in order. */
export interface PlayedRun {
  readonly tabs: number;
  readonly lines: readonly RunLine[];
  readonly chronicle: Chronicle;
  /** Null where it went well. */
  readonly failure: string | null;
}

export interface ScorecardInput {
  readonly undisturbed: PlayedRun;
  readonly chaos: PlayedRun;
  /** The same run by fewer tabs, for the steps that the undisturbed one did not reach. */
  readonly reference: PlayedRun | null;
  /** Steps before this count for no speed of the undisturbed run: its tabs still compile. */
  readonly warmUpMs: number;
  /** The time of faults: what comes after it counts for no speed. */
  readonly durationMs: number;
  readonly everyMs: number;
}

/** Times in milliseconds. */
export interface KindScore {
  readonly count: number;
  /** From a fault to the next committed step. */
  readonly nextCommitMsMedian: number;
  readonly nextCommitMsMax: number;
  /** The longest time between two steps (the first of them maybe before the fault) until the next fault. */
  readonly gapMsMax: number;
  /** Time until the next fault, less what its steps take without faults: who costs what. Negative where they were faster. */
  readonly lostMs: number;
  /** From its end (or the opening of who came instead) to the first step with the tab; null where none came back. */
  readonly returnMsMedian: number | null;
  readonly returnMsMax: number | null;
}

export interface Scorecard {
  /** Steps further than any before, within the time of faults. */
  readonly steps: number;
  readonly stepsPerSecond: number;
  readonly undisturbedStepsPerSecond: number;
  /** The one through the other. */
  readonly throughput: number;
  readonly throughputGoal: number;
  readonly losses: {
    readonly compared: number;
    /** Steps of the chaos run that no other run reached. */
    readonly uncompared: number;
    readonly relativeMax: number;
    readonly atStep: number;
    /** How many steps came from a run of how many tabs. */
    readonly references: readonly { readonly tabs: number; readonly steps: number }[];
  };
  readonly hangMsMax: number;
  readonly hangs: readonly { readonly afterStep: number; readonly ms: number }[];
  readonly longestGapMs: number;
  /** In order; times from the first committed step. */
  readonly faults: readonly Struck[];
  readonly missed: number;
  readonly kinds: Readonly<Record<string, KindScore>>;
  readonly rollbacks: number;
  readonly stepsLost: number;
  readonly aborts: number;
  readonly abortReasons: Readonly<Record<string, number>>;
  readonly recoveries: Readonly<
    Record<string, { readonly count: number; readonly shards: number; readonly bytes: number }>
  >;
  /** Sent to members that joined, beside what `recoveries` count. */
  readonly joinBytes: number;
  readonly casualties: readonly Casualty[];
  readonly digests: {
    readonly checkpoints: number;
    /** Whose digests differ. */
    readonly unequal: readonly (number | "end")[];
    /** The last one, or the end. */
    readonly lastStep: number;
    readonly lastTabs: number;
  };
  /** What was expected and is not so, for people. */
  readonly failures: readonly string[];
}

/** Of losses. */
export const DIFFERENCE_MAX = 1e-3;
/** Faults this far apart are expected to cost less. */
const SELDOM_MS = 45_000;
const [GOAL_OFTEN, GOAL_SELDOM] = [0.6, 0.8];
/** From the coordinator's word to the members' (`stepping.ts`), and the longest pause between epochs (`forming.ts`). */
const [VERDICT_MS, BACKOFF_MS_MAX] = [5_000, 4_000];

/**
 * The longest time without a committed step that the protocol's own deadlines explain: a step that runs into its
 * deadline, a member found silent, a pause, an epoch that runs into its deadline, and the wait for holders of shards.
 */
export function hangMsMax(usualStepMs: number, limits: Limits = DEFAULT_LIMITS): number {
  const stepMs = Math.max(limits.stepMsMin, limits.stepFactor * usualStepMs) + VERDICT_MS;
  return stepMs + limits.silenceMsMax + BACKOFF_MS_MAX + limits.formMsMax + limits.graceMs;
}

/** Steps further than any before, each second, of those committed from `fromMs` to `toMs`. */
export function paceOf(commits: readonly Commit[], fromMs: number, toMs: number): { steps: number; perSecond: number } {
  let [furthest, steps] = [0, 0];
  for (const { step, atMs } of commits) {
    if (step > furthest && atMs > fromMs && atMs <= toMs) steps += 1;
    furthest = Math.max(furthest, step);
  }
  return { steps, perSecond: toMs > fromMs ? (steps * 1000) / (toMs - fromMs) : 0 };
}

export function scoreChaos(input: ScorecardInput): Scorecard {
  const { undisturbed, chaos, durationMs, everyMs, warmUpMs } = input;
  const { commits, struck, missed, casualties } = chaos.chronicle;
  const usual = paceOf(undisturbed.chronicle.commits, warmUpMs, undisturbed.chronicle.endMs);
  const pace = paceOf(commits, 0, Math.min(durationMs, chaos.chronicle.endMs));
  const limitMs = hangMsMax(usual.perSecond > 0 ? 1000 / usual.perSecond : 0);
  const gaps = gapsOf(chaos.chronicle);
  const throughput = usual.perSecond > 0 ? pace.perSecond / usual.perSecond : 0;
  const throughputGoal = everyMs >= SELDOM_MS ? GOAL_SELDOM : GOAL_OFTEN;
  const card: Omit<Scorecard, "failures"> = {
    steps: pace.steps,
    stepsPerSecond: pace.perSecond,
    undisturbedStepsPerSecond: usual.perSecond,
    throughput,
    throughputGoal,
    losses: scoreLosses(input),
    hangMsMax: limitMs,
    hangs: gaps.filter(({ ms }) => ms > limitMs),
    longestGapMs: Math.max(0, ...gaps.map(({ ms }) => ms)),
    faults: struck,
    missed: missed.length,
    kinds: scoreKinds(chaos.chronicle, usual.perSecond, durationMs),
    ...scoreRepairs(chaos.lines),
    casualties,
    digests: scoreDigests(chaos.lines),
  };
  return { ...card, failures: failuresOf(card, input) };
}

function failuresOf(card: Omit<Scorecard, "failures">, { chaos, undisturbed, reference }: ScorecardInput): string[] {
  const failures: string[] = [];
  for (const [name, run] of Object.entries({ undisturbed, chaos, reference }))
    if (run && run.failure !== null) failures.push(`the ${name} run failed: ${run.failure}`);
  for (const { afterStep, ms } of card.hangs)
    failures.push(
      `a hang: no step for ${seconds(ms)} after step ${afterStep}, expected at most ${seconds(card.hangMsMax)}`,
    );
  const { compared, relativeMax, atStep } = card.losses;
  if (compared === 0) failures.push("no loss could be compared");
  // A NaN is no small difference either.
  else if (!(relativeMax < DIFFERENCE_MAX))
    failures.push(
      `losses differ by ${relativeMax.toExponential(1)} at step ${atStep}, expected less than ${DIFFERENCE_MAX}`,
    );
  const { unequal, lastTabs } = card.digests;
  if (unequal.length > 0) failures.push(`tabs hold different parameters at ${unequal.join(", ")}`);
  if (lastTabs < chaos.tabs)
    failures.push(`the last checkpoint has the digests of ${lastTabs} tabs, expected ${chaos.tabs}`);
  if (card.faults.length === 0) failures.push("no fault struck");
  return failures;
}

/** Times without a committed step. */
function gapsOf({ commits, endMs }: Chronicle): { afterStep: number; ms: number }[] {
  return commits.map(({ step, atMs }, at) => ({ afterStep: step, ms: (commits[at + 1]?.atMs ?? endMs) - atMs }));
}

function scoreLosses({ undisturbed, chaos, reference }: ScorecardInput): Scorecard["losses"] {
  const own = lossesOf(undisturbed.lines);
  // Where both have a step, the undisturbed run's counts.
  const further = (reference?.lines ?? []).filter((line) => line.type === "step" && !own.has(line.step));
  const { steps, relativeMax, atStep, unmatched } = compareLosses(chaos.lines, [...undisturbed.lines, ...further]);
  const chaotic = lossesOf(chaos.lines);
  const shared = [...own.keys()].filter((step) => chaotic.has(step)).length;
  const references = [{ tabs: undisturbed.tabs, steps: shared }];
  if (reference) references.push({ tabs: reference.tabs, steps: steps - shared });
  const uncompared = unmatched.filter((step) => chaotic.has(step)).length;
  return { compared: steps, uncompared, relativeMax, atStep, references };
}

function scoreKinds(chronicle: Chronicle, usualPerSecond: number, durationMs: number): Record<string, KindScore> {
  const { struck, commits, returns, endMs } = chronicle;
  const kinds = [...new Set(struck.map(({ kind }) => kind))];
  const inOrder = [...struck].sort((a, b) => a.atMs - b.atMs);
  return Object.fromEntries(
    kinds.sort().map((kind) => {
      const scores = inOrder.flatMap((fault, at) => {
        if (fault.kind !== kind) return [];
        return [
          scoreFault(commits, fault.atMs, inOrder[at + 1]?.atMs ?? Math.min(durationMs, endMs), usualPerSecond, endMs),
        ];
      });
      const next = scores.map(({ nextCommitMs }) => nextCommitMs);
      const back = returns.filter((each) => each.kind === kind).map(({ afterMs }) => afterMs);
      const score: KindScore = {
        count: scores.length,
        nextCommitMsMedian: median(next) ?? 0,
        nextCommitMsMax: Math.max(...next),
        gapMsMax: Math.max(...scores.map(({ gapMs }) => gapMs)),
        lostMs: scores.reduce((sum, { lostMs }) => sum + lostMs, 0),
        returnMsMedian: median(back),
        returnMsMax: back.length > 0 ? Math.max(...back) : null,
      };
      return [kind, score];
    }),
  );
}

/** Of a fault at `atMs`, whose consequences are followed until `untilMs`. */
function scoreFault(commits: readonly Commit[], atMs: number, untilMs: number, usualPerSecond: number, endMs: number) {
  const next = commits.find((commit) => commit.atMs > atMs)?.atMs ?? endMs;
  const before = commits.findLast((commit) => commit.atMs <= atMs)?.atMs ?? 0;
  const within = commits.filter((commit) => commit.atMs > atMs && commit.atMs <= untilMs).map((commit) => commit.atMs);
  const marks = [before, ...within, ...(within.length === 0 ? [next] : [])];
  const gapMs = Math.max(...marks.map((mark, at) => mark - (marks[at - 1] ?? mark)));
  const { steps } = paceOf(commits, atMs, untilMs);
  const usualMs = usualPerSecond > 0 ? (steps * 1000) / usualPerSecond : 0;
  return { nextCommitMs: next - atMs, gapMs, lostMs: untilMs - atMs - usualMs };
}

function scoreRepairs(lines: readonly RunLine[]) {
  let [last, stepsLost, rollbacks, aborts, joinBytes] = [0, 0, 0, 0, 0];
  const abortReasons: Record<string, number> = {};
  const recoveries: Record<string, { count: number; shards: number; bytes: number }> = {};
  for (const line of lines) {
    if (line.type === "step") {
      last = line.step;
      joinBytes += Object.values(line.bytesSent).reduce((sum, bytes) => sum + bytes.join, 0);
    } else if (line.type === "rollback") {
      rollbacks += 1;
      stepsLost += Math.max(0, last - line.to);
      last = line.to;
    } else if (line.type === "abort") {
      aborts += 1;
      const reason = withoutNames(line.reason);
      abortReasons[reason] = (abortReasons[reason] ?? 0) + 1;
    } else if (line.type === "recovery") {
      for (const { source, shards, bytes } of line.sources) {
        const sum = (recoveries[source] ??= { count: 0, shards: 0, bytes: 0 });
        sum.count += 1;
        sum.shards += shards;
        sum.bytes += bytes;
      }
    }
  }
  return { rollbacks, stepsLost, aborts, abortReasons, recoveries, joinBytes };
}

/** So that reasons of different tabs add up. */
function withoutNames(reason: string): string {
  return reason.replaceAll(/tab-[0-9a-f-]+/g, "a tab").replaceAll(/\d+/g, "N");
}

function scoreDigests(lines: readonly RunLine[]): Scorecard["digests"] {
  const all = lines.flatMap(
    (line): { at: number | "end"; step: number; digests: Readonly<Record<string, string>> }[] => {
      if (line.type === "checkpoint") return [{ at: line.step, step: line.step, digests: line.digests }];
      return line.type === "end" ? [{ at: "end", step: line.steps, digests: line.digests }] : [];
    },
  );
  const last = all.at(-1);
  return {
    checkpoints: all.length,
    unequal: all.filter(({ digests }) => !areEqual(digests)).map(({ at }) => at),
    lastStep: last?.step ?? 0,
    lastTabs: Object.keys(last?.digests ?? {}).length,
  };
}

function median(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? null;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

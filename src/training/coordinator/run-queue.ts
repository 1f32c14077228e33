/**
 * Several runs in one server: which of them train, and who works for which. One pure step.
 *
 * A run waits until its minimum of members can be had at once (gang admission), and takes no more than its maximum.
 * Waiting makes a run more urgent, so that none starves. A running one is made to pause, by a checkpoint, only for one
 * that is clearly more urgent. Whoever has used more than a fair share comes later. A member works for one run at a time.
 */
import type { PeerId } from "../../network/transport/transport.ts";

/** A run as the queue sees it. */
export interface QueuedRun {
  readonly run: string;
  /** Who asked for it: shares are fair among these. */
  readonly owner: string;
  /** Higher goes first. */
  readonly priority: number;
  readonly waitingSinceMs: number;
  readonly membersMin: number;
  readonly membersMax: number;
  /** Those that it has now; none while it waits. */
  readonly members: readonly PeerId[];
  /** True from the order to pause until its checkpoint is logged: its members are not free yet. */
  readonly isPausing: boolean;
}

/** A member that the queue may give to a run. */
export interface FreeMember {
  readonly peer: PeerId;
  /** Runs that it would work for; null for any. */
  readonly runs: readonly string[] | null;
}

export interface QueueInput {
  readonly runs: readonly QueuedRun[];
  readonly members: readonly FreeMember[];
  /** Member-milliseconds that each owner has used lately. */
  readonly used: Readonly<Record<string, number>>;
  readonly nowMs: number;
}

/** What becomes of a run now, and why: the page shows it. */
export interface QueueDecision {
  readonly run: string;
  readonly action: "wait" | "start" | "go on" | "pause";
  readonly members: readonly PeerId[];
  readonly reason: string;
}

/** Waiting so long is worth one step of priority. */
const AGEING_MS = 10 * 60_000;
/** So much more urgent must a run be to make another pause. */
const PREEMPTION_GAP = 1;
/** An owner's whole share of what was used is worth so many steps of priority. */
const SHARE_WEIGHT = 2;

/** Decides about every run, the most urgent first. */
export function scheduleRuns(input: QueueInput): QueueDecision[] {
  const urgency = new Map(input.runs.map((run) => [run.run, urgencyOf(run, input)]));
  const of = (run: QueuedRun): number => urgency.get(run.run) ?? 0;
  const ordered = input.runs.toSorted((a, b) => of(b) - of(a) || a.waitingSinceMs - b.waitingSinceMs);
  const taken = new Set(input.runs.flatMap(({ members }) => members));
  const decisions = new Map<string, QueueDecision>();
  for (const run of ordered.filter(({ members }) => members.length > 0)) decisions.set(run.run, goOn(run));
  for (const run of ordered.filter(({ members }) => members.length === 0)) {
    const fitting = input.members.filter((member) => !taken.has(member.peer) && fits(member, run));
    if (fitting.length >= run.membersMin) decisions.set(run.run, start(run, fitting, taken));
    else decisions.set(run.run, preempt(run, fitting.length, ordered, of, decisions));
  }
  grow(ordered, input.members, taken, decisions);
  return ordered.map(({ run }) => decisions.get(run) as QueueDecision);
}

/** Priority, age and share in one number. */
function urgencyOf(run: QueuedRun, { used, nowMs }: QueueInput): number {
  const total = Object.values(used).reduce((sum, ms) => sum + ms, 0);
  const share = total > 0 ? (used[run.owner] ?? 0) / total : 0;
  const age = run.members.length > 0 ? 0 : (nowMs - run.waitingSinceMs) / AGEING_MS;
  return run.priority + age - SHARE_WEIGHT * share;
}

function fits({ runs }: FreeMember, { run }: QueuedRun): boolean {
  return runs === null || runs.includes(run);
}

function goOn(run: QueuedRun): QueueDecision {
  const reason = run.isPausing ? "it pauses as soon as its checkpoint is stored" : "it has its members";
  return { run: run.run, action: run.isPausing ? "pause" : "go on", members: run.members, reason };
}

function start(run: QueuedRun, fitting: readonly FreeMember[], taken: Set<PeerId>): QueueDecision {
  const members = fitting.slice(0, run.membersMax).map(({ peer }) => peer);
  for (const peer of members) taken.add(peer);
  return { run: run.run, action: "start", members, reason: `${members.length} members are free` };
}

/** The least urgent run that would free enough members is asked to pause; `run` waits for it. */
function preempt(
  run: QueuedRun,
  free: number,
  ordered: readonly QueuedRun[],
  urgencyOf: (run: QueuedRun) => number,
  decisions: Map<string, QueueDecision>,
): QueueDecision {
  const wait = (reason: string): QueueDecision => ({ run: run.run, action: "wait", members: [], reason });
  const isFreeing = ordered.some(({ run: other, isPausing }) => isPausing || decisions.get(other)?.action === "pause");
  if (isFreeing) return wait("it waits for another run to pause");
  const victim = ordered
    .filter((other) => other.members.length > 0 && other.members.length + free >= run.membersMin)
    .filter((other) => urgencyOf(run) - urgencyOf(other) > PREEMPTION_GAP)
    .at(-1);
  if (!victim) return wait(`it needs ${run.membersMin} members at once, and ${free} are free`);
  const reason = `"${run.run}" is more urgent: it pauses as soon as its checkpoint is stored`;
  decisions.set(victim.run, { run: victim.run, action: "pause", members: victim.members, reason });
  return wait(`it waits for "${victim.run}" to pause`);
}

/** Members that are left go to running runs that have room, the most urgent first. */
function grow(
  ordered: readonly QueuedRun[],
  members: readonly FreeMember[],
  taken: Set<PeerId>,
  decisions: Map<string, QueueDecision>,
): void {
  for (const run of ordered) {
    const decision = decisions.get(run.run);
    if (decision?.action !== "go on") continue;
    const added = members
      .filter((member) => !taken.has(member.peer) && fits(member, run))
      .slice(0, Math.max(0, run.membersMax - decision.members.length))
      .map(({ peer }) => peer);
    for (const peer of added) taken.add(peer);
    if (added.length === 0) continue;
    const reason = `${added.length} more members were free`;
    decisions.set(run.run, { ...decision, members: [...decision.members, ...added], reason });
  }
}

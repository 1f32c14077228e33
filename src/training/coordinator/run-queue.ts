/**
 * Several runs in one server: which of them train, and who works for which. One pure step.
 *
 * A run waits until its minimum of members can be had at once (gang admission), and takes no more than its maximum.
 * Waiting makes a run more urgent, so that none starves. A running one is made to pause, by a checkpoint, only for one
 * that is clearly more urgent, and not before it has had its members for a while. Whoever has used more than a fair share
 * comes later. A member works for one run at a time.
 */
import { missingDevices, type StoredUnits } from "./stored-units.ts";

/** A run as the queue sees it. */
export interface QueuedRun {
  readonly run: string;
  /** How reasons name it. */
  readonly label: string;
  /** What it computes: not every member can. */
  readonly program: string;
  /** From 0; higher goes first, and one more is a larger share. */
  readonly priority: number;
  readonly waitingSinceMs: number;
  readonly startedAtMs: number;
  readonly membersMin: number;
  readonly membersMax: number;
  /** Those that it has now; none while it waits. */
  readonly members: readonly string[];
  /** True from the order to pause until its members have left: they are not free yet. */
  readonly isPausing: boolean;
  /** Member-milliseconds that it has used. */
  readonly usedMs: number;
  /** What it goes on from, where it has to be put together from devices; null at its start. */
  readonly checkpoint: StoredUnits | null;
}

/** A member of the pool, free or not. */
export interface PooledMember {
  readonly peer: string;
  readonly device: string;
  /** Programs that it can compute; null for any. */
  readonly programs: readonly string[] | null;
  /** Runs that it could not join lately. */
  readonly avoids: readonly string[];
  /** On its way out of a run. */
  readonly isLeaving: boolean;
}

/** How runs are weighed. */
export interface QueueLimits {
  /** Waiting so long is worth one step of priority. */
  readonly ageingMs: number;
  /** So much more urgent must a run be to make another pause, or to keep free members from it. */
  readonly preemptionGap: number;
  /** The whole of what was used is worth so many steps of priority. */
  readonly shareWeight: number;
  /** A run keeps its members for so long at least. */
  readonly holdMs: number;
}

export const QUEUE_LIMITS: QueueLimits = {
  ageingMs: 10 * 60_000,
  preemptionGap: 1,
  shareWeight: 2,
  holdMs: 60_000,
};

export interface QueueInput {
  readonly runs: readonly QueuedRun[];
  readonly members: readonly PooledMember[];
  readonly nowMs: number;
  readonly limits: QueueLimits;
}

/** What becomes of a run now, and why: the page shows it. */
export interface QueueDecision {
  readonly run: string;
  readonly action: "wait" | "start" | "go on" | "pause";
  /** Those that it has from now on. */
  readonly members: readonly string[];
  readonly reason: string;
}

/** Decides about every run, the most urgent first. */
export function scheduleRuns(input: QueueInput): QueueDecision[] {
  return new Schedule(input).decide();
}

/** One decision in the making. */
class Schedule {
  readonly #input: QueueInput;
  readonly #urgency: ReadonlyMap<string, number>;
  readonly #ordered: readonly QueuedRun[];
  readonly #taken: Set<string>;
  readonly #decisions = new Map<string, QueueDecision>();
  /** The most urgent run that waits for members that there are: free ones are kept for it. */
  #keptFor: QueuedRun | null = null;

  constructor(input: QueueInput) {
    this.#input = input;
    const shares = input.runs.map((run) => run.usedMs / weightOf(run));
    const total = shares.reduce((sum, ms) => sum + ms, 0);
    this.#urgency = new Map(
      input.runs.map((run, at) => [run.run, this.#urgencyOf(run, (shares[at] ?? 0) / (total || 1))]),
    );
    this.#ordered = input.runs.toSorted((a, b) => this.#of(b) - this.#of(a) || a.waitingSinceMs - b.waitingSinceMs);
    this.#taken = new Set(input.runs.flatMap(({ members }) => members));
  }

  decide(): QueueDecision[] {
    for (const run of this.#ordered) if (run.members.length > 0) this.#goOn(run);
    for (const run of this.#ordered) if (run.members.length === 0) this.#admit(run);
    for (const run of this.#ordered) this.#grow(run);
    return this.#ordered.map(({ run }) => this.#decisions.get(run) as QueueDecision);
  }

  /** Priority, age and share in one number. */
  #urgencyOf(run: QueuedRun, share: number): number {
    const { nowMs, limits } = this.#input;
    const age = run.members.length > 0 ? 0 : Math.max(0, nowMs - run.waitingSinceMs) / limits.ageingMs;
    return run.priority + age - limits.shareWeight * share;
  }

  #of({ run }: QueuedRun): number {
    return this.#urgency.get(run) ?? 0;
  }

  #isClearlyMoreUrgent(a: QueuedRun, b: QueuedRun): boolean {
    return this.#of(a) - this.#of(b) > this.#input.limits.preemptionGap;
  }

  #say(run: QueuedRun, action: QueueDecision["action"], members: readonly string[], reason: string): void {
    this.#decisions.set(run.run, { run: run.run, action, members, reason });
  }

  #goOn(run: QueuedRun): void {
    if (run.isPausing)
      this.#say(run, "pause", run.members, "It pauses: its members leave once its checkpoint is stored.");
    else this.#say(run, "go on", run.members, `It trains with ${counted(run.members.length)}.`);
  }

  #admit(run: QueuedRun): void {
    const wait = (reason: string): void => this.#say(run, "wait", [], reason);
    const kept = this.#keptFor;
    const free = this.#freeFor(run);
    const able = this.#input.members.filter((member) => canServe(member, run));
    const missing = missingDevices(
      run.checkpoint,
      able.map(({ device }) => device),
    );
    if (able.length < run.membersMin) {
      return wait(`It needs ${counted(run.membersMin)}, and the pool has ${able.length} for it.`);
    }
    if (missing.length > 0) {
      return wait(`Its checkpoint is not whole in the pool: it waits for ${missing.join(", ")}.`);
    }
    if (kept && this.#isClearlyMoreUrgent(kept, run)) {
      return wait(`Free members are kept for “${kept.label}”, which is more urgent.`);
    }
    const chosen = chooseMembers(run, free);
    if (
      chosen.length >= run.membersMin &&
      missingDevices(
        run.checkpoint,
        chosen.map(({ device }) => device),
      ).length === 0
    ) {
      for (const { peer } of chosen) this.#taken.add(peer);
      const names = chosen.map(({ peer }) => peer);
      return this.#say(run, "start", names, `It starts: ${counted(chosen.length)} were free.`);
    }
    this.#keptFor ??= run;
    this.#preempt(run, free.length);
  }

  /** The least urgent runs that free enough members together are asked to pause; `run` waits for them. */
  #preempt(run: QueuedRun, free: number): void {
    const wait = (reason: string): void => this.#say(run, "wait", [], reason);
    const short = `It needs ${counted(run.membersMin)} at once, and ${free} ${free === 1 ? "is" : "are"} free.`;
    const pausing = this.#ordered.filter((other) => this.#decisions.get(other.run)?.action === "pause");
    if (pausing.length > 0) return wait(`${short} It waits for “${pausing[0]?.label}” to pause.`);
    const { nowMs, limits } = this.#input;
    const victims: QueuedRun[] = [];
    let count = free;
    for (const other of this.#ordered.toReversed()) {
      if (count >= run.membersMin && victims.length > 0) break;
      const isFair = other.members.length > 0 && this.#isClearlyMoreUrgent(run, other);
      const gain = this.#ableAmong(run, other.members);
      if (!isFair || gain === 0 || nowMs - other.startedAtMs < limits.holdMs) continue;
      victims.push(other);
      count += gain;
    }
    if (victims.length === 0 || count < run.membersMin) return wait(short);
    for (const victim of victims) {
      const reason = `“${run.label}” is more urgent: it pauses as soon as its checkpoint is stored.`;
      this.#say(victim, "pause", victim.members, reason);
    }
    wait(`${short} It waits for “${victims.map(({ label }) => label).join("”, “")}” to pause.`);
  }

  #ableAmong(run: QueuedRun, peers: readonly string[]): number {
    return this.#input.members.filter((member) => peers.includes(member.peer) && canServe(member, run)).length;
  }

  #freeFor(run: QueuedRun): PooledMember[] {
    return this.#input.members.filter(
      (member) => !member.isLeaving && !this.#taken.has(member.peer) && canServe(member, run),
    );
  }

  /** Members that are left go to running runs that have room, the most urgent first. */
  #grow(run: QueuedRun): void {
    const decision = this.#decisions.get(run.run);
    if (decision?.action !== "go on") return;
    if (this.#keptFor && this.#isClearlyMoreUrgent(this.#keptFor, run)) return;
    const room = Math.max(0, run.membersMax - decision.members.length);
    const added = this.#freeFor(run)
      .slice(0, room)
      .map(({ peer }) => peer);
    for (const peer of added) this.#taken.add(peer);
    if (added.length === 0) return;
    const members = [...decision.members, ...added];
    this.#say(run, "go on", members, `It trains with ${counted(members.length)}: ${added.length} more were free.`);
  }
}

/** A run of higher priority may use more before it counts as much. */
function weightOf({ priority }: QueuedRun): number {
  return 1 + Math.max(0, priority);
}

function canServe({ programs, avoids }: PooledMember, { run, program }: QueuedRun): boolean {
  return (programs === null || programs.includes(program)) && !avoids.includes(run);
}

/** Up to the maximum, those first whose devices hold a part of the checkpoint. */
function chooseMembers(run: QueuedRun, free: readonly PooledMember[]): readonly PooledMember[] {
  const holders = new Set(run.checkpoint?.holders.flat() ?? []);
  const rank = ({ device }: PooledMember): number => (holders.has(device) ? 0 : 1);
  return free.toSorted((a, b) => rank(a) - rank(b)).slice(0, run.membersMax);
}

function counted(members: number): string {
  return `${members} ${members === 1 ? "member" : "members"}`;
}

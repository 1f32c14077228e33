/**
 * The pool of a server: volunteers who help any run, and the runs that wait for them. One pure step.
 *
 * `run-queue.ts` decides; here it is carried out: a run that has to pause is held at its next commit, which is a
 * checkpoint; once that is stored its members are released, and only when they have left they are free. Members who came
 * by a room's own link are not of the pool, and nothing here touches them.
 */
import { QUEUE_LIMITS, scheduleRuns, type QueueDecision, type QueuedRun, type QueueLimits } from "./run-queue.ts";
import type { StoredUnits } from "./stored-units.ts";

/** A run that asks for members of the pool. */
export interface PoolRun {
  readonly run: string;
  readonly label: string;
  readonly program: string;
  readonly priority: number;
  readonly membersMin: number;
  readonly membersMax: number;
  readonly steps: number;
  /** The step last committed. */
  readonly step: number;
  readonly checkpoint: StoredUnits | null;
}

interface RunState extends PoolRun {
  readonly waitingSinceMs: number;
  readonly startedAtMs: number;
  readonly usedMs: number;
  /** Set from the order to pause until its members have left. */
  readonly pause: { readonly afterStep: number; readonly sinceMs: number; readonly isStored: boolean } | null;
  readonly reason: string;
}

interface MemberState {
  readonly member: string;
  readonly device: string;
  readonly programs: readonly string[] | null;
  readonly run: string | null;
  /** Since when it has been told to leave its run; null while it has not. */
  readonly leavingSinceMs: number | null;
  /** Runs that it could not join, until when. */
  readonly avoids: ReadonlyMap<string, number>;
  /** What it was told last. */
  readonly reason: string;
}

export interface PoolState {
  readonly runs: ReadonlyMap<string, RunState>;
  readonly members: ReadonlyMap<string, MemberState>;
  /** Up to when use is accounted for. */
  readonly accountedMs: number;
}

export type PoolEvent =
  | { readonly kind: "run"; readonly run: PoolRun }
  | { readonly kind: "step"; readonly run: string; readonly step: number }
  | { readonly kind: "checkpoint"; readonly run: string; readonly step: number; readonly checkpoint: StoredUnits }
  | { readonly kind: "end"; readonly run: string }
  /** A tab of the pool, which may be in a run already: its server, or only its socket, was away. */
  | {
      readonly kind: "hello";
      readonly member: string;
      readonly device: string;
      readonly programs: readonly string[] | null;
      readonly run: string | null;
    }
  /** It has left its run; `problem` where it could not take part in it. */
  | { readonly kind: "idle"; readonly member: string; readonly problem: string | null }
  | { readonly kind: "gone"; readonly member: string }
  /** About once a second. */
  | { readonly kind: "tick" };

export type PoolEffect =
  | { readonly kind: "assign"; readonly member: string; readonly run: string; readonly reason: string }
  | { readonly kind: "release"; readonly member: string; readonly reason: string }
  | { readonly kind: "wait"; readonly member: string; readonly reason: string }
  /** It did not leave in time. */
  | { readonly kind: "drop"; readonly member: string; readonly reason: string }
  /** The run's next commit is a checkpoint, and then it stands still; or it may go on. */
  | { readonly kind: "hold"; readonly run: string; readonly isHeld: boolean };

export interface PoolLimits extends QueueLimits {
  /** A run that is to pause and stores no checkpoint goes without: it comes back to the one before. */
  readonly pauseMsMax: number;
  readonly leaveMsMax: number;
  /** A member that could not join a run is not sent there again for so long. */
  readonly avoidMs: number;
}

export const POOL_LIMITS: PoolLimits = {
  ...QUEUE_LIMITS,
  pauseMsMax: 90_000,
  leaveMsMax: 20_000,
  avoidMs: 60_000,
};

export interface PoolStep {
  readonly state: PoolState;
  readonly effects: readonly PoolEffect[];
}

/** A run as anybody may see it: its id is its key, and is not told. */
export interface RunView {
  readonly label: string;
  readonly program: string;
  readonly state: "waiting" | "running" | "pausing" | "paused";
  readonly priority: number;
  readonly step: number;
  readonly steps: number;
  readonly members: number;
  readonly membersMin: number;
  readonly membersMax: number;
  readonly memberSeconds: number;
  readonly waitedSeconds: number;
  readonly reason: string;
}

export interface QueueView {
  readonly members: number;
  readonly free: number;
  readonly runs: readonly RunView[];
}

const NO_RUN = "No run asks for members now: this tab waits for the next one.";

export function emptyPool(nowMs: number): PoolState {
  return { runs: new Map(), members: new Map(), accountedMs: nowMs };
}

/** One event into the pool; effects are to be carried out in order. */
export function poolTransition(state: PoolState, event: PoolEvent, nowMs: number, limits: PoolLimits): PoolStep {
  const draft = new PoolDraft(state, nowMs, limits);
  draft.account();
  draft.note(event);
  // Steps come often, and decide nothing.
  if (event.kind === "step") return draft.step();
  draft.finishPauses();
  draft.dropLate();
  draft.decide();
  draft.tellWaiting();
  return draft.step();
}

/** The queue for people, running runs first. */
export function queueView({ runs, members }: PoolState, nowMs: number): QueueView {
  const all = [...members.values()];
  const views = [...runs.values()].map((run): RunView => {
    const count = all.filter((member) => member.run === run.run).length;
    const idle = run.step > 0 ? "paused" : "waiting";
    const { label, program, priority, step, steps, membersMin, membersMax, reason } = run;
    return {
      ...{ label, program, priority, step, steps, membersMin, membersMax, reason, members: count },
      state: count === 0 ? idle : run.pause ? "pausing" : "running",
      memberSeconds: Math.round(run.usedMs / 1_000),
      waitedSeconds: count === 0 ? Math.round((nowMs - run.waitingSinceMs) / 1_000) : 0,
    };
  });
  const order = ["running", "pausing", "paused", "waiting"];
  views.sort((a, b) => order.indexOf(a.state) - order.indexOf(b.state) || b.priority - a.priority);
  return { members: all.length, free: all.filter(({ run }) => run === null).length, runs: views };
}

/** What one event changes. */
class PoolDraft {
  readonly runs: Map<string, RunState>;
  readonly members: Map<string, MemberState>;
  readonly effects: PoolEffect[] = [];
  readonly #nowMs: number;
  readonly #limits: PoolLimits;
  readonly #accountedMs: number;

  constructor(state: PoolState, nowMs: number, limits: PoolLimits) {
    this.runs = new Map(state.runs);
    this.members = new Map(state.members);
    this.#accountedMs = state.accountedMs;
    this.#nowMs = nowMs;
    this.#limits = limits;
  }

  step(): PoolStep {
    return {
      state: { runs: this.runs, members: this.members, accountedMs: this.#nowMs },
      effects: this.effects,
    };
  }

  /** Time in a run counts for its share. */
  account(): void {
    const ms = Math.max(0, this.#nowMs - this.#accountedMs);
    for (const { run: name } of this.members.values()) {
      const run = this.runs.get(name ?? "");
      if (run) this.runs.set(run.run, { ...run, usedMs: run.usedMs + ms });
    }
  }

  note(event: PoolEvent): void {
    switch (event.kind) {
      case "run":
        return this.#addRun(event.run);
      case "step":
        return this.#patchRun(event.run, { step: event.step });
      case "checkpoint":
        return this.#stored(event);
      case "end":
        return this.#end(event.run);
      case "hello":
        return this.#hello(event);
      case "idle":
        return this.#idle(event);
      case "gone":
        return this.#forget(event.member);
      case "tick":
        return;
      default:
        event satisfies never;
    }
  }

  #addRun(run: PoolRun): void {
    if (this.runs.has(run.run)) return;
    const times = { waitingSinceMs: this.#nowMs, startedAtMs: this.#nowMs, usedMs: 0 };
    this.runs.set(run.run, { ...run, ...times, pause: null, reason: "" });
  }

  #stored({ run: name, step, checkpoint }: Extract<PoolEvent, { kind: "checkpoint" }>): void {
    const run = this.runs.get(name);
    if (!run) return;
    const isAfter = run.pause !== null && step > run.pause.afterStep;
    this.#patchRun(name, { checkpoint, pause: run.pause && { ...run.pause, isStored: run.pause.isStored || isAfter } });
  }

  #end(run: string): void {
    for (const member of this.#membersOf(run)) this.#release(member, "The run has ended.");
    this.runs.delete(run);
  }

  #hello({ member, device, programs, run }: Extract<PoolEvent, { kind: "hello" }>): void {
    const state: MemberState = { member, device, programs, run, leavingSinceMs: null, avoids: new Map(), reason: "" };
    this.members.set(member, state);
    const found = this.runs.get(run ?? "");
    if (run === null) return;
    const others = this.#membersOf(run).length - 1;
    if (!found) return this.#release(state, "This run asks for no members any more.");
    if (found.pause || others >= found.membersMax) return this.#release(state, "The run has enough members.");
    if (others === 0) this.#patchRun(run, { startedAtMs: this.#nowMs });
  }

  #idle({ member: name, problem }: Extract<PoolEvent, { kind: "idle" }>): void {
    const member = this.members.get(name);
    if (!member) return;
    const avoids = new Map([...member.avoids].filter(([, untilMs]) => untilMs > this.#nowMs));
    if (problem !== null && member.run !== null) avoids.set(member.run, this.#nowMs + this.#limits.avoidMs);
    this.#leave(member);
    this.members.set(name, { ...member, run: null, leavingSinceMs: null, avoids, reason: "" });
  }

  #forget(name: string): void {
    const member = this.members.get(name);
    if (member) this.#leave(member);
    this.members.delete(name);
  }

  /** The last one out makes it a waiting run again. */
  #leave({ member, run }: MemberState): void {
    if (run === null || !this.runs.has(run)) return;
    if (this.#membersOf(run).some((other) => other.member !== member)) return;
    if (this.runs.get(run)?.pause) this.effects.push({ kind: "hold", run, isHeld: false });
    this.#patchRun(run, { waitingSinceMs: this.#nowMs, pause: null });
  }

  finishPauses(): void {
    for (const { run, label, step, pause } of this.runs.values()) {
      const isLate = pause !== null && this.#nowMs - pause.sinceMs >= this.#limits.pauseMsMax;
      if (!pause || !(pause.isStored || isLate || step === 0)) continue;
      const how = pause.isStored ? "its checkpoint is stored" : "it goes on from its checkpoint of before";
      for (const member of this.#membersOf(run)) this.#release(member, `“${label}” pauses: ${how}.`);
    }
  }

  dropLate(): void {
    for (const { member, leavingSinceMs } of this.members.values()) {
      if (leavingSinceMs === null || this.#nowMs - leavingSinceMs < this.#limits.leaveMsMax) continue;
      const reason = "This tab did not leave its run in time.";
      this.effects.push({ kind: "drop", member, reason });
      this.#forget(member);
    }
  }

  decide(): void {
    const runs = [...this.runs.values()].map((run) => this.#queued(run));
    const members = [...this.members.values()].map((member) => ({
      peer: member.member,
      device: member.device,
      programs: member.programs,
      avoids: [...member.avoids].flatMap(([run, untilMs]) => (untilMs > this.#nowMs ? [run] : [])),
      isLeaving: member.leavingSinceMs !== null,
    }));
    const decisions = scheduleRuns({ runs, members, nowMs: this.#nowMs, limits: this.#limits });
    for (const decision of decisions) this.#carryOut(decision);
    this.#releaseAtOnce();
  }

  #queued(run: RunState): QueuedRun {
    const { label, program, priority, waitingSinceMs, startedAtMs, membersMin, membersMax, usedMs, checkpoint } = run;
    const members = this.#membersOf(run.run).map(({ member }) => member);
    const times = { waitingSinceMs, startedAtMs, usedMs };
    const wants = { label, program, priority, membersMin, membersMax, checkpoint };
    return { run: run.run, ...wants, ...times, members, isPausing: run.pause !== null };
  }

  #carryOut({ run: name, action, members, reason }: QueueDecision): void {
    const run = this.runs.get(name);
    if (!run) return;
    if (action === "start") this.#patchRun(name, { startedAtMs: this.#nowMs });
    if (action === "pause" && !run.pause) {
      this.effects.push({ kind: "hold", run: name, isHeld: true });
      this.#patchRun(name, { pause: { afterStep: run.step, sinceMs: this.#nowMs, isStored: false } });
    }
    // What was said when it began to pause says more.
    if (action !== "pause" || !run.pause) this.#patchRun(name, { reason });
    for (const peer of members) {
      const member = this.members.get(peer);
      if (!member || member.run === name) continue;
      const told = `“${run.label}” needs this tab. ${reason}`;
      this.members.set(peer, { ...member, run: name, reason: told });
      this.effects.push({ kind: "assign", member: peer, run: name, reason: told });
    }
  }

  /** A run that has committed nothing has nothing to store. */
  #releaseAtOnce(): void {
    for (const { pause, step } of this.runs.values()) if (pause && step === 0) return this.finishPauses();
  }

  tellWaiting(): void {
    const next = [...this.runs.values()].find(({ run }) => this.#membersOf(run).length === 0);
    const reason = next ? `“${next.label}” waits. ${next.reason}` : this.runs.size > 0 ? ENOUGH : NO_RUN;
    for (const member of this.members.values()) {
      if (member.run !== null || member.reason === reason) continue;
      this.members.set(member.member, { ...member, reason });
      this.effects.push({ kind: "wait", member: member.member, reason });
    }
  }

  #release(member: MemberState, reason: string): void {
    if (member.leavingSinceMs !== null) return;
    this.members.set(member.member, { ...member, leavingSinceMs: this.#nowMs, reason });
    this.effects.push({ kind: "release", member: member.member, reason });
  }

  #membersOf(run: string): MemberState[] {
    return [...this.members.values()].filter((member) => member.run === run);
  }

  #patchRun(name: string, change: Partial<RunState>): void {
    const run = this.runs.get(name);
    if (run) this.runs.set(name, { ...run, ...change });
  }
}

const ENOUGH = "All runs have the members that they may have: this tab waits until one needs more.";

/** The pool in virtual time: whatever happens, minimum and maximum are kept, nobody works twice, and nobody starves. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { SHARDS } from "../../../src/network/wire/state-record.ts";
import {
  emptyPool,
  POOL_LIMITS,
  poolTransition,
  queueView,
  type PoolEffect,
  type PoolEvent,
  type PoolRun,
  type PoolState,
} from "../../../src/training/coordinator/pool.ts";

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;

function asked(run: string, change: Partial<PoolRun> = {}): PoolRun {
  const basis = { run, label: run, program: "p", priority: 0, membersMin: 1, membersMax: 4, steps: 1_000, step: 0 };
  return { ...basis, checkpoint: null, ...change };
}

/** A pool whose tabs and rooms do what they are told, some seconds later. */
class World {
  nowMs = 0;
  state: PoolState = emptyPool(0);
  readonly effects: PoolEffect[] = [];
  /** When each run got its members: [started, paused]. */
  readonly spans = new Map<string, number[]>();
  /** Tab -> run as the tab knows it. */
  readonly where = new Map<string, string | null>();
  #due: { readonly atMs: number; readonly event: () => PoolEvent | null }[] = [];
  readonly #steps = new Map<string, number>();

  happen(event: PoolEvent): void {
    const { state, effects } = poolTransition(this.state, event, this.nowMs, POOL_LIMITS);
    this.state = state;
    this.effects.push(...effects);
    for (const effect of effects) this.#react(effect);
    this.check(effects);
  }

  add(run: PoolRun): void {
    this.happen({ kind: "run", run });
  }

  come(...members: string[]): void {
    for (const member of members) {
      this.where.set(member, null);
      this.happen({ kind: "hello", member, device: member, programs: null, run: null });
    }
  }

  pass(ms: number): void {
    const endMs = this.nowMs + ms;
    while (this.nowMs < endMs) {
      this.nowMs += SECOND_MS;
      const due = this.#due.filter(({ atMs }) => atMs <= this.nowMs);
      this.#due = this.#due.filter((each) => !due.includes(each));
      for (const { event } of due) {
        const happened = event();
        if (happened) this.happen(happened);
      }
      for (const { run, pause } of this.state.runs.values()) {
        if (pause || !this.membersOf(run).length) continue;
        this.#steps.set(run, (this.#steps.get(run) ?? 0) + 1);
        this.happen({ kind: "step", run, step: this.#steps.get(run) ?? 0 });
      }
      this.happen({ kind: "tick" });
    }
  }

  membersOf(run: string): string[] {
    return [...this.state.members.values()].filter((member) => member.run === run).map(({ member }) => member);
  }

  /** Minimum at the start, maximum always, nobody in two runs, a reason for everything. */
  check(effects: readonly PoolEffect[]): void {
    const started = new Map<string, number>();
    for (const effect of effects) {
      if (effect.kind !== "hold") expect(effect.reason).toMatch(/^.{10,}\.$/u);
      if (effect.kind === "assign") started.set(effect.run, (started.get(effect.run) ?? 0) + 1);
    }
    for (const run of this.state.runs.values()) {
      const count = this.membersOf(run.run).filter((member) => !this.#isLeaving(member)).length;
      expect(count).toBeLessThanOrEqual(run.membersMax);
      const added = started.get(run.run) ?? 0;
      if (added > 0 && added === count) expect(count).toBeGreaterThanOrEqual(run.membersMin);
    }
  }

  #isLeaving(member: string): boolean {
    return this.state.members.get(member)?.leavingSinceMs !== null;
  }

  #react(effect: PoolEffect): void {
    if (effect.kind === "assign") {
      expect(this.where.get(effect.member)).toBe(null); // A member never works for two runs.
      this.where.set(effect.member, effect.run);
      const spans = this.spans.get(effect.run) ?? [];
      if (spans.length % 2 === 0) this.spans.set(effect.run, [...spans, this.nowMs]);
    }
    if (effect.kind === "release") {
      this.#later(1, () => {
        this.where.set(effect.member, null);
        return this.state.members.has(effect.member) ? { kind: "idle", member: effect.member, problem: null } : null;
      });
    }
    if (effect.kind === "hold" && effect.isHeld) {
      const { run } = effect;
      this.spans.set(run, [...(this.spans.get(run) ?? []), this.nowMs]);
      this.#later(2, () => {
        const step = (this.#steps.get(run) ?? 0) + 1;
        this.#steps.set(run, step);
        const devices = this.membersOf(run);
        this.happen({ kind: "step", run, step });
        const holders = Array.from({ length: SHARDS }, () => devices);
        return { kind: "checkpoint", run, step, checkpoint: { holders } };
      });
    }
  }

  #later(seconds: number, event: () => PoolEvent | null): void {
    this.#due.push({ atMs: this.nowMs + seconds * SECOND_MS, event });
  }
}

test("a more urgent run makes another one pause by a checkpoint, and that one is resumed where it was", () => {
  const world = new World();
  world.come("a", "b", "c");
  world.add(asked("low", { membersMin: 2 }));
  expect(world.membersOf("low")).toEqual(["a", "b", "c"]);
  world.pass(2 * MINUTE_MS);
  world.add(asked("high", { priority: 4, membersMin: 3 }));
  expect(world.effects.findLast(({ kind }) => kind === "hold")).toEqual({ kind: "hold", run: "low", isHeld: true });
  expect(world.membersOf("low").length).toBe(3); // Nobody leaves before the checkpoint is stored.
  world.pass(5 * SECOND_MS);
  expect(world.membersOf("high")).toEqual(["a", "b", "c"]);
  expect(world.effects).toContainEqual({
    kind: "release",
    member: "a",
    reason: "“low” pauses: its checkpoint is stored.",
  });
  expect(world.effects.findLast(({ kind }) => kind === "hold")).toEqual({ kind: "hold", run: "low", isHeld: false });
  expect(queueView(world.state, world.nowMs).runs.map(({ label, state }) => [label, state])).toEqual([
    ["high", "running"],
    ["low", "paused"],
  ]);
  world.happen({ kind: "end", run: "high" });
  world.pass(3 * SECOND_MS);
  expect(world.membersOf("low")).toEqual(["a", "b", "c"]);
});

test("a paused run waits for the devices that hold its checkpoint, and says for which", () => {
  const world = new World();
  const holders = Array.from({ length: SHARDS }, () => ["a"]);
  world.come("b", "c");
  world.add(asked("paused", { step: 7, checkpoint: { holders } }));
  expect(queueView(world.state, 0).runs[0]).toMatchObject({
    state: "paused",
    reason: "Its checkpoint is not whole in the pool: it waits for a.",
  });
  world.come("a");
  expect(world.membersOf("paused")).toEqual(["b", "c", "a"]);
});

test("a tab that was in a run when the server restarted stays there, and one too many is sent away", () => {
  const world = new World();
  world.add(asked("run", { membersMin: 2, membersMax: 2, step: 5 }));
  for (const member of ["a", "b", "c"]) {
    world.happen({ kind: "hello", member, device: member, programs: null, run: "run" });
  }
  const told = world.effects.filter(({ kind }) => kind === "release" || kind === "assign");
  expect(told).toEqual([{ kind: "release", member: "c", reason: "The run has enough members." }]);
});

test("a tab that cannot join a run waits, and is not sent there again at once", () => {
  const world = new World();
  world.come("a");
  world.add(asked("run"));
  world.happen({ kind: "idle", member: "a", problem: "This site has no such run." });
  world.where.set("a", null);
  expect(world.membersOf("run")).toEqual([]);
  world.pass(2 * MINUTE_MS);
  expect(world.membersOf("run")).toEqual(["a"]);
});

test("whatever comes and goes, every run that the pool suffices for is admitted in time, and none changes hands often", () => {
  const anyRun = fc.record({
    priority: fc.integer({ min: 1, max: 3 }),
    membersMin: fc.integer({ min: 1, max: 4 }),
    more: fc.integer({ min: 0, max: 3 }),
    atMinute: fc.integer({ min: 0, max: 5 }),
  });
  // Gap, priorities and shares are worth 1 + 2 + 2 steps of 10 minutes; with five runs each may have to wait for four.
  const boundMs = 5 * 10 * MINUTE_MS;
  fc.assert(
    fc.property(fc.array(anyRun, { minLength: 1, maxLength: 5 }), fc.integer({ min: 4, max: 6 }), (runs, tabs) => {
      const world = new World();
      world.come(...Array.from({ length: tabs }, (_, at) => `tab-${at}`));
      for (let minute = 0; minute < 6; minute++) {
        runs.forEach(({ priority, membersMin, more, atMinute }, at) => {
          if (atMinute === minute) {
            world.add(asked(`run-${at}`, { priority, membersMin, membersMax: membersMin + more }));
          }
        });
        world.pass(MINUTE_MS);
      }
      world.pass(boundMs);
      for (const [at] of runs.entries()) {
        const spans = world.spans.get(`run-${at}`) ?? [];
        expect(spans.length, `run-${at} was admitted`).toBeGreaterThan(0);
        for (let i = 0; i + 1 < spans.length; i += 2) {
          expect((spans[i + 1] ?? 0) - (spans[i] ?? 0)).toBeGreaterThanOrEqual(POOL_LIMITS.holdMs);
        }
      }
    }),
    { seed: 5, numRuns: 6 },
  );
}, 60_000);

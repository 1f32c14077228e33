import fc from "fast-check";
import { expect, test } from "vitest";
import {
  scheduleRuns,
  type FreeMember,
  type QueueDecision,
  type QueuedRun,
} from "../../../src/training/coordinator/run-queue.ts";

const MINUTE_MS = 60_000;

function run(name: string, change: Partial<QueuedRun> = {}): QueuedRun {
  const basis = { run: name, owner: name, priority: 0, waitingSinceMs: 0, membersMin: 1, membersMax: 8 };
  return { ...basis, members: [], isPausing: false, ...change };
}

function people(count: number): FreeMember[] {
  return Array.from({ length: count }, (_, at) => ({ peer: `peer-${at}`, runs: null }));
}

function decide(
  runs: readonly QueuedRun[],
  members: readonly FreeMember[],
  nowMs = 0,
  used: Record<string, number> = {},
): Record<string, QueueDecision> {
  return Object.fromEntries(scheduleRuns({ runs, members, used, nowMs }).map((decision) => [decision.run, decision]));
}

test("a run starts when its minimum is there at once, and takes no more than its maximum", () => {
  const waiting = decide([run("a", { membersMin: 3 })], people(2))["a"];
  expect(waiting).toMatchObject({ action: "wait", reason: "it needs 3 members at once, and 2 are free" });
  expect(decide([run("a", { membersMin: 3, membersMax: 4 })], people(6))["a"]?.members.length).toBe(4);
});

test("the higher priority starts first, and waiting makes up for priority", () => {
  const runs = (highSinceMs: number): QueuedRun[] => [
    run("low", { membersMin: 2 }),
    run("high", { membersMin: 2, priority: 2, waitingSinceMs: highSinceMs }),
  ];
  expect(decide(runs(5 * MINUTE_MS), people(2), 6 * MINUTE_MS)).toMatchObject({
    high: { action: "start" },
    low: { action: "wait" },
  });
  expect(decide(runs(30 * MINUTE_MS), people(2), 30 * MINUTE_MS)).toMatchObject({
    low: { action: "start" },
    high: { action: "wait" },
  });
});

test("a clearly more urgent run makes one pause, by its checkpoint, and starts when that has happened", () => {
  const [one, two] = ["peer-0", "peer-1"];
  const running = run("running", { members: [one, two] as string[] });
  const urgent = run("urgent", { priority: 3, membersMin: 2 });
  expect(decide([running, urgent], people(2))).toMatchObject({
    running: { action: "pause", members: [one, two] },
    urgent: { action: "wait", reason: 'it waits for "running" to pause' },
  });
  const pausing = { ...running, isPausing: true };
  expect(decide([pausing, urgent], people(2))["urgent"]?.action).toBe("wait");
  const paused = { ...running, members: [] };
  expect(decide([paused, urgent], people(2))).toMatchObject({
    urgent: { action: "start" },
    running: { action: "wait" },
  });
});

test("a slightly more urgent run waits: runs do not take turns for nothing", () => {
  const running = run("running", { members: ["peer-0"] });
  expect(decide([running, run("other", { priority: 1 })], people(1))).toMatchObject({
    running: { action: "go on" },
    other: { action: "wait" },
  });
});

test("who has used most comes last", () => {
  const runs = [run("greedy"), run("modest", { waitingSinceMs: 5 * MINUTE_MS })];
  const used = { greedy: 900, modest: 100 };
  expect(decide(runs, people(1), 6 * MINUTE_MS, used)).toMatchObject({
    modest: { action: "start" },
    greedy: { action: "wait" },
  });
});

test("a member works for one run at a time, only for runs that it wants, and every minimum is kept", () => {
  const anyRun = fc.record({
    priority: fc.integer({ min: 0, max: 3 }),
    waitingSinceMs: fc.integer({ min: 0, max: 60 * MINUTE_MS }),
    membersMin: fc.integer({ min: 1, max: 4 }),
    more: fc.integer({ min: 0, max: 4 }),
  });
  const input = fc.record({ runs: fc.array(anyRun, { maxLength: 5 }), wants: fc.array(fc.nat(5), { maxLength: 10 }) });
  fc.assert(
    fc.property(input, ({ runs, wants }) => {
      const queued = runs.map((each, at) => run(`run-${at}`, { ...each, membersMax: each.membersMin + each.more }));
      const members = wants.map((want, at) => ({ peer: `peer-${at}`, runs: want === 5 ? null : [`run-${want}`] }));
      const decisions = scheduleRuns({ runs: queued, members, used: {}, nowMs: 60 * MINUTE_MS });
      const given = decisions.flatMap(({ members: list }) => list);
      expect(new Set(given).size).toBe(given.length);
      for (const { run: name, action, members: list, reason } of decisions) {
        expect(reason).not.toBe("");
        const asked = queued.find((each) => each.run === name);
        if (action === "start") expect(list.length).toBeGreaterThanOrEqual(asked?.membersMin ?? 0);
        for (const peer of list) {
          const wanted = members.find((member) => member.peer === peer)?.runs;
          expect(wanted === null || wanted?.includes(name)).toBe(true);
        }
      }
    }),
    { seed: 3, numRuns: 300 },
  );
});

test("no run starves: with one place and newcomers of higher priority all the time, it gets its turn", () => {
  const old = run("old");
  for (let minute = 1; ; minute++) {
    expect(minute).toBeLessThan(60);
    const newcomer = run("new", { priority: 3, waitingSinceMs: minute * MINUTE_MS });
    if (decide([old, newcomer], people(1), minute * MINUTE_MS)["old"]?.action === "start") return;
  }
});

import { expect, test } from "vitest";
import {
  QUEUE_LIMITS,
  scheduleRuns,
  type PooledMember,
  type QueueDecision,
  type QueuedRun,
} from "../../../src/training/coordinator/run-queue.ts";
import { SHARDS } from "../../../src/network/wire/state-record.ts";

const MINUTE_MS = 60_000;
/** By then whoever started at 0 has had its members for long enough. */
const LATER_MS = 2 * MINUTE_MS;

function run(name: string, change: Partial<QueuedRun> = {}): QueuedRun {
  const basis = { run: name, label: name, program: "p", priority: 0, waitingSinceMs: 0, startedAtMs: 0, usedMs: 0 };
  return { ...basis, membersMin: 1, membersMax: 8, members: [], isPausing: false, checkpoint: null, ...change };
}

function people(count: number, change: Partial<PooledMember> = {}): PooledMember[] {
  const basis = { programs: null, avoids: [], isLeaving: false };
  return Array.from({ length: count }, (_, at) => ({
    peer: `peer-${at}`,
    device: `device-${at}`,
    ...basis,
    ...change,
  }));
}

function decide(
  runs: readonly QueuedRun[],
  members: readonly PooledMember[],
  nowMs = LATER_MS,
): Record<string, QueueDecision> {
  const decisions = scheduleRuns({ runs, members, nowMs, limits: QUEUE_LIMITS });
  return Object.fromEntries(decisions.map((decision) => [decision.run, decision]));
}

test("a run starts when its minimum is there at once, and takes no more than its maximum", () => {
  const waiting = decide([run("a", { membersMin: 3 })], people(2))["a"];
  expect(waiting).toMatchObject({ action: "wait", reason: "It needs 3 members, and the pool has 2 for it." });
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
  const members = ["peer-0", "peer-1"];
  const running = run("running", { members });
  const urgent = run("urgent", { priority: 3, membersMin: 2 });
  expect(decide([running, urgent], people(2))).toMatchObject({
    running: {
      action: "pause",
      members,
      reason: "“urgent” is more urgent: it pauses as soon as its checkpoint is stored.",
    },
    urgent: { action: "wait", reason: "It needs 2 members at once, and 0 are free. It waits for “running” to pause." },
  });
  expect(decide([{ ...running, isPausing: true }, urgent], people(2))["urgent"]?.action).toBe("wait");
  expect(decide([{ ...running, members: [] }, urgent], people(2))).toMatchObject({
    urgent: { action: "start" },
    running: { action: "wait" },
  });
});

test("a run that has just started is left alone, and so is one that is hardly less urgent", () => {
  const running = run("running", { members: ["peer-0"], startedAtMs: LATER_MS - 1_000 });
  expect(decide([running, run("urgent", { priority: 5 })], people(1))["running"]?.action).toBe("go on");
  const old = run("running", { members: ["peer-0"] });
  const other = run("other", { priority: 1, waitingSinceMs: LATER_MS });
  expect(decide([old, other], people(1))["running"]?.action).toBe("go on");
});

test("several runs pause together where one alone frees too few, and no run pauses in vain", () => {
  const small = ["peer-0", "peer-1", "peer-2"].map((peer) => run(`small-${peer}`, { members: [peer] }));
  const big = run("big", { priority: 4, membersMin: 2 });
  const decisions = Object.values(decide([...small, big], people(3)));
  expect(decisions.filter(({ action }) => action === "pause").length).toBe(2);
  const young = small.map((each, at) => ({ ...each, startedAtMs: at < 2 ? LATER_MS : 0 }));
  const others = Object.values(decide([...young, big], people(3)));
  expect(others.filter(({ action }) => action === "pause")).toEqual([]);
});

test("free members are kept for a clearly more urgent run that waits for more", () => {
  const big = run("big", { priority: 4, membersMin: 2 });
  const young = run("young", { members: ["peer-0"], startedAtMs: LATER_MS });
  const small = run("small", { priority: 1 });
  expect(decide([big, young, small], people(2))["small"]).toMatchObject({
    action: "wait",
    reason: "Free members are kept for “big”, which is more urgent.",
  });
});

test("who has used most comes last, and a higher priority may use more", () => {
  const runs = [run("greedy", { usedMs: 900 }), run("modest", { usedMs: 100, waitingSinceMs: MINUTE_MS })];
  expect(decide(runs, people(1))).toMatchObject({ modest: { action: "start" }, greedy: { action: "wait" } });
});

test("a run goes on only where its checkpoint can be put together, and holders are taken first", () => {
  const holders = Array.from({ length: SHARDS }, (_, shard) => [shard % 2 === 0 ? "device-8" : "device-9"]);
  const paused = run("paused", { membersMax: 2, checkpoint: { holders } });
  expect(decide([paused], people(9))["paused"]).toMatchObject({
    action: "wait",
    reason: "Its checkpoint is not whole in the pool: it waits for device-9.",
  });
  expect(decide([paused], people(10))["paused"]).toMatchObject({ action: "start", members: ["peer-8", "peer-9"] });
});

test("members serve only what they can compute, and no run that they failed to join", () => {
  expect(decide([run("a")], people(1, { programs: ["other"] }))["a"]?.action).toBe("wait");
  expect(decide([run("a")], people(1, { avoids: ["a"] }))["a"]?.action).toBe("wait");
  expect(decide([run("a")], people(1, { isLeaving: true }))["a"]?.action).toBe("wait");
});

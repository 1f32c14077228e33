import { expect, test } from "vitest";
import { LATENESS_STEPS } from "../../../src/training/coordinator/straggler-state.ts";
import { Script } from "./script.ts";

const PEERS = ["a", "b", "c", "d"];
const USUAL_MS = 1_000;

/** Members with one step done, so that their speeds are measured: two slots each. */
function measured(peers: readonly string[] = PEERS): Script {
  const script = new Script({ startWith: peers.length });
  for (const peer of peers) script.join(peer);
  for (const peer of peers) script.ready(peer, 0);
  step(script);
  return script;
}

/** A step of everybody in the epoch; `late` takes ten times as long as the others, where it is waited for. */
function step(script: Script, late?: string): void {
  if (script.state.phase.kind === "forming") {
    for (const peer of script.members) script.ready(peer, script.committedStep);
  }
  const cover = script.state.phase.kind === "stepping" ? script.state.phase.cover : null;
  script.nowMs += USUAL_MS;
  if (cover) {
    script.members.forEach((peer, rank) => peer !== late && computed(script, peer, rank));
    for (const [rank, by] of cover.backups) computed(script, script.members[by] ?? "", rank);
  }
  for (const peer of script.members) {
    const isWaitedFor = peer === late && !cover;
    script.vote(peer, { computeMs: isWaitedFor ? 10 * USUAL_MS : peer === late ? 0 : USUAL_MS });
  }
}

function computed(script: Script, peer: string, rank: number, change: { step?: number; epoch?: number } = {}): void {
  const { incarnation, epoch } = script.state.durable;
  const step = script.committedStep + 1;
  script.say(peer, { kind: "computed", incarnation, epoch, step, rank, ...change });
}

function planOf(script: Script): { slots: readonly (readonly number[])[]; backups: readonly (readonly number[])[] } {
  const plan = script.lastTo("a", "plan");
  if (plan?.kind !== "plan") throw new Error("no plan");
  return { slots: plan.slots, backups: plan.backups ?? [] };
}

function decisionIn(script: Script): readonly number[] | null {
  const { phase } = script.state;
  return phase.kind === "stepping" ? (phase.cover?.decision?.late ?? null) : null;
}

const actions = (script: Script): string[] => script.lines("straggler").map(({ peer, action }) => `${peer} ${action}`);

test("who is late twice in eight steps gets a backup: one of the others, and everybody is told so", () => {
  const script = measured();
  step(script, "d");
  expect(planOf(script).backups).toEqual([]);
  step(script);
  step(script, "d");
  const { slots, backups } = planOf(script);
  expect(slots[3]?.length).toBeGreaterThan(0);
  expect(backups).toEqual([[3, expect.any(Number)]]);
  expect(backups[0]?.[1]).not.toBe(3);
  expect(actions(script)).toContain("d backup");
});

test("a backup is over when the late steps are more than eight ago", () => {
  const script = measured();
  step(script, "d");
  step(script, "d");
  for (let count = 0; count < LATENESS_STEPS - 2; count++) {
    expect(planOf(script).backups).toHaveLength(1);
    step(script);
  }
  step(script);
  expect(planOf(script).backups).toEqual([]);
});

test("nobody is late where all are slow alike, nor by a little, nor alone", () => {
  const script = measured();
  script.nowMs += 10 * USUAL_MS;
  for (const peer of PEERS) script.vote(peer, { computeMs: 10 * USUAL_MS });
  for (const peer of PEERS) script.vote(peer, { computeMs: peer === "d" ? 1.5 * 10 * USUAL_MS : 10 * USUAL_MS });
  expect([...script.state.stragglers.late.values()].flat()).not.toContain(true);
  const one = measured(["a"]);
  for (let count = 0; count < 3; count++) step(one, "a");
  expect([...one.state.stragglers.late.values()].flat()).not.toContain(true);
});

test("whose copies count is decided once, as soon as each slot has one, and told to all", () => {
  const script = measured();
  step(script, "d");
  step(script, "d");
  const [[rank, by] = [-1, -1]] = planOf(script).backups;
  for (const [at, peer] of ["a", "b", "c"].entries()) computed(script, peer, at);
  expect(decisionIn(script)).toBeNull();
  // Not asked for, of another step, of another epoch: none of it counts.
  const stranger = ["a", "b", "c"].findIndex((_, at) => at !== by);
  computed(script, script.members[stranger] ?? "", rank ?? -1);
  computed(script, script.members[by ?? -1] ?? "", rank ?? -1, { step: 1 });
  computed(script, script.members[by ?? -1] ?? "", rank ?? -1, { epoch: 0 });
  expect(decisionIn(script)).toBeNull();
  computed(script, script.members[by ?? -1] ?? "", rank ?? -1);
  expect(decisionIn(script)).toEqual([3]);
  computed(script, "d", 3);
  expect(decisionIn(script)).toEqual([3]);
  const told = script.sent.filter(({ message }) => message.kind === "reduce");
  expect(told.map(({ conn }) => conn)).toEqual(PEERS.map((peer) => `conn-${peer}`));
  expect(new Set(told.map(({ message }) => JSON.stringify(message))).size).toBe(1);
});

test("a backup's time counts for the slots of both: it is neither slow nor late", () => {
  const script = measured();
  step(script, "d");
  step(script, "d");
  const [[, by = -1] = []] = planOf(script).backups;
  const peer = script.members[by] ?? "";
  const before = script.state.peers.get(peer)?.slotsPerSecond ?? 0;
  const slots = (planOf(script).slots[by]?.length ?? 0) + (planOf(script).slots[3]?.length ?? 0);
  PEERS.slice(0, 3).forEach((one, rank) => computed(script, one, rank));
  computed(script, peer, 3);
  for (const one of PEERS)
    script.vote(one, { computeMs: one === "d" ? 0 : one === peer ? (1_000 * slots) / before : 1_000 });
  expect(script.state.peers.get(peer)?.slotsPerSecond).toBeCloseTo(before, 6);
  expect(script.state.stragglers.late.get(peer)).not.toContain(true);
  expect(script.state.stragglers.late.get("d")?.at(-1)).toBe(true);
});

test("a member that is in time after all counts itself", () => {
  const script = measured();
  step(script, "d");
  step(script, "d");
  PEERS.forEach((peer, rank) => computed(script, peer, rank));
  expect(decisionIn(script)).toEqual([]);
});

test("who stays late is left out for a growing time, and taken in again", () => {
  const script = measured();
  const isIn = (): boolean => script.members.includes("d");
  const lateUntilDropped = (): number => {
    let steps = 0;
    while (isIn() && steps < 20) {
      step(script, "d");
      steps += 1;
    }
    return steps;
  };
  const back = (ms: number): void => {
    script.pass(ms - USUAL_MS - 500, PEERS);
    step(script);
    expect(isIn()).toBe(false);
    script.pass(1_000, PEERS);
    step(script);
    expect(isIn()).toBe(true);
  };
  expect(lateUntilDropped()).toBe(6);
  expect(script.lines("abort")).toEqual([]);
  expect(actions(script).at(-1)).toBe("d dropped");
  back(10_000);
  for (let count = 0; count < LATENESS_STEPS; count++) step(script);
  expect(lateUntilDropped()).toBe(6);
  back(20_000);
});

test("of two members none is left out: each has the only other copy of a shard", () => {
  const script = measured(["a", "b"]);
  for (let count = 0; count < 12; count++) step(script, "b");
  expect(script.members).toEqual(["a", "b"]);
  expect(actions(script)).not.toContain("b dropped");
});

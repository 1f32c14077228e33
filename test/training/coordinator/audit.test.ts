/** What the coordinator does with slots that two devices computed: hand-played members, fingerprints of one number. */
import { expect, test } from "vitest";
import { SKETCH, type Audit, type Fingerprint } from "../../../src/network/wire/messages.ts";
import {
  agree,
  lastResort,
  outvoted,
  type Claim,
  type Claims,
} from "../../../src/training/coordinator/audit-claims.ts";
import { Script } from "./script.ts";

const EVERY_SLOT = { auditEvery: 1, auditSlots: 8 };
const ONE_SLOT = { auditEvery: 1, auditSlots: 1 };

/** A result that differs from another one's by their difference. */
function result(value: number): Fingerprint {
  return { loss: 1, norm: 1, sketch: [value, ...Array.from({ length: SKETCH - 1 }, () => 0)] };
}

function roomOf(peers: readonly string[], limits = EVERY_SLOT): Script {
  const script = new Script({ startWith: peers.length }, undefined, limits);
  peers.forEach((peer, at) => {
    script.nowMs = at;
    script.join(peer);
  });
  for (const peer of peers) script.ready(peer, 0);
  return script;
}

function auditsOf(script: Script): readonly Audit[] {
  return script.state.phase.kind === "stepping" ? script.state.phase.audits : [];
}

/** Everybody votes; what `wrong` computes comes out as it says. */
function vote(script: Script, wrong: Readonly<Record<string, number | null>> = {}): void {
  const audits = auditsOf(script);
  const { members } = script;
  const slots = script.state.epoch?.slots ?? [];
  for (const [rank, peer] of members.entries()) {
    const value = wrong[peer];
    const found = value === null ? null : result(value ?? 0);
    const mine = audits.filter((audit) => audit.rank === rank || slots[rank]?.includes(audit.slot));
    script.vote(peer, { fingerprints: mine.map(({ slot }) => [slot, found] as const) });
  }
}

function allReady(script: Script): void {
  script.pass(5_000, [...script.state.peers.keys()]);
  for (const peer of script.members) script.ready(peer, script.committedStep);
}

function reasonTo(script: Script, peer: string): string {
  const refused = script.lastTo(peer, "refused");
  return refused?.kind === "refused" ? `${refused.code}: ${refused.reason}` : "";
}

test("every slot is given to a device that does not own it, and to nobody else twice", () => {
  const script = roomOf(["a", "b", "c"]);
  const audits = auditsOf(script);
  expect(audits.map(({ slot }) => slot).sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  for (const { slot, rank } of audits) expect(script.state.epoch?.slots?.[rank]).not.toContain(slot);
  expect(script.lastTo("a", "plan")).toMatchObject({ audits });
});

test("one step in so many has an audited slot, the same ones for the same room, and none where it is off", () => {
  const audited = (limits: { auditEvery: number; auditSlots: number }): number[] => {
    const script = roomOf(["a", "b"], limits);
    const steps: number[] = [];
    for (let step = 1; step <= 64; step++) {
      if (auditsOf(script).length > 0) steps.push(step);
      vote(script);
    }
    expect(script.committedStep).toBe(64);
    return steps;
  };
  const steps = audited({ auditEvery: 8, auditSlots: 1 });
  // Of 64 draws of 1 in 8 the mean is 8 and the standard deviation 2.6.
  expect(steps.length).toBeGreaterThan(1);
  expect(steps.length).toBeLessThan(19);
  expect(audited({ auditEvery: 8, auditSlots: 1 })).toEqual(steps);
  expect(audited({ auditEvery: 0, auditSlots: 1 })).toEqual([]);
});

test("tabs of one device do not check each other", () => {
  const script = new Script({ startWith: 2 }, undefined, EVERY_SLOT);
  for (const peer of ["a", "b"]) script.join(peer, undefined, "one-device");
  for (const peer of ["a", "b"]) script.ready(peer, 0);
  expect(auditsOf(script)).toEqual([]);
  vote(script);
  expect(script.committedStep).toBe(1);
});

test("results that agree within the bound are committed, and members that say nothing are not compared", () => {
  const script = roomOf(["a", "b", "c"]);
  vote(script, { a: 5e-4 });
  expect(script.committedStep).toBe(1);
  for (const peer of script.members) script.vote(peer);
  expect(script.committedStep).toBe(2);
  expect(script.lines("abort")).toEqual([]);
});

test("two that differ commit nothing: a third computes the slot, and the outvoted one is put out and told why", () => {
  const script = roomOf(["a", "b", "c"]);
  vote(script);
  vote(script, { b: 0.5 });
  expect(script.committedStep).toBe(1);
  const dispute = script.state.dispute;
  expect(dispute?.claims.size).toBe(2);
  expect(dispute?.claims.has("device-b")).toBe(true);
  allReady(script);
  const [asked] = auditsOf(script);
  expect(asked?.slot).toBe(dispute?.slot);
  expect(dispute?.claims.has(`device-${script.members[asked?.rank ?? -1]}`)).toBe(false);
  vote(script, { b: 0.5 });
  expect(script.committedStep).toBe(1);
  expect(reasonTo(script, "b")).toMatch(
    /^mismatch: This device's result for slot \d of step 2 differs .*computes wrongly; it was last seen to agree at step 1. It may try again in 2 minutes.$/,
  );
  expect(script.state.dispute).toBe(null);
  allReady(script);
  expect(script.members).toEqual(["a", "c"]);
  vote(script);
  expect(script.committedStep).toBe(2);
});

test.each([1, 2, 3, 4, 5, 6])("whichever of four is wrong is found, by one audited slot a step (seed %i)", (seed) => {
  const script = new Script({ startWith: 4, seed }, undefined, ONE_SLOT);
  const peers = ["a", "b", "c", "d"];
  for (const peer of peers) script.join(peer);
  for (const peer of peers) script.ready(peer, 0);
  const wrong = peers[seed % 4] ?? "a";
  for (let turn = 0; turn < 60 && script.members.includes(wrong); turn++) {
    vote(script, { [wrong]: 0.2 });
    if (script.state.phase.kind !== "stepping") allReady(script);
  }
  expect(script.members).toEqual(peers.filter((peer) => peer !== wrong));
});

test("of two that differ both are asked once more; a result that was off once costs an attempt", () => {
  const script = roomOf(["a", "b"]);
  vote(script, { a: 0.5 });
  expect(script.state.dispute?.before?.size).toBe(2);
  allReady(script);
  vote(script);
  expect(script.committedStep).toBe(1);
  expect(script.members).toEqual(["a", "b"]);
});

test.each([
  ["whose result is not finite goes", { a: null }, { a: null }, "a", /it is not finite/],
  ["who contradicts itself goes", { a: 0.5 }, { a: 0.7 }, "a", /when asked again it gave another/],
  [
    "the newer one goes, and is told that nobody could arbitrate",
    { a: 0.5 },
    { a: 0.5 },
    "b",
    /nobody could arbitrate/,
  ],
] as const)("of two that differ twice, %s", (_what, first, second, gone, reason) => {
  const script = roomOf(["a", "b"]);
  vote(script, first);
  allReady(script);
  vote(script, second);
  expect(script.committedStep).toBe(0);
  expect(reasonTo(script, gone)).toMatch(reason);
  allReady(script);
  expect(script.members).toEqual(["a", "b"].filter((peer) => peer !== gone));
});

test("where no device finds anything finite nobody is put out, and the reason is the run's", () => {
  const script = roomOf(["a", "b"]);
  vote(script, { a: null, b: null });
  expect(script.committedStep).toBe(0);
  expect(script.lines("abort").at(-1)?.reason).toMatch(/lower learning rate/);
  allReady(script);
  expect(script.members).toEqual(["a", "b"]);
});

test("a slot that is not finite at its owner is computed by another device, which finds the owner wrong", () => {
  const script = roomOf(["a", "b", "c"], { auditEvery: 0, auditSlots: 0 });
  const slot = script.state.epoch?.slots?.[0]?.[0] ?? -1;
  const { incarnation, epoch } = script.state.durable;
  const told = { reason: "not finite", unreachable: [], missing: [], slot };
  script.say("a", { kind: "failed", incarnation, epoch, ...told });
  allReady(script);
  expect(auditsOf(script)).toMatchObject([{ slot }]);
  for (let turn = 0; turn < 4 && script.members.includes("a"); turn++) {
    vote(script, { a: null });
    allReady(script);
  }
  expect(reasonTo(script, "a")).toMatch(/computes wrongly/);
  expect(script.members).toEqual(["b", "c"]);
});

test("a quarantined device is refused under any name, for longer each time, and admitted after it", () => {
  const script = roomOf(["a", "b", "c"]);
  const putOutB = (): void => {
    for (let turn = 0; turn < 4 && script.members.includes("b"); turn++) {
      vote(script, { b: 0.5 });
      allReady(script);
    }
  };
  putOutB();
  script.join("b2", undefined, "device-b");
  expect(reasonTo(script, "b2")).toMatch(/^mismatch: .* 2 minutes/);
  expect(script.state.peers.has("b2")).toBe(false);
  for (let turn = 0; turn < 13; turn++) {
    script.pass(10_000, ["a", "c"]);
    vote(script);
  }
  script.join("b", undefined, "device-b");
  for (let turn = 0; turn < 2; turn++) {
    vote(script);
    allReady(script); // As a listener first, and complete in the next epoch.
  }
  expect(script.members).toContain("b");
  putOutB();
  expect(reasonTo(script, "b")).toMatch(/ 4 minutes/);
});

test("a difference is about one state: what happened to it meanwhile ends it", () => {
  const script = roomOf(["a", "b", "c"]);
  vote(script, { b: 0.5 });
  const { dispute } = script.state;
  expect(dispute).not.toBe(null);
  if (dispute) script.state = { ...script.state, dispute: { ...dispute, base: "another chain" } };
  allReady(script);
  expect(script.state.dispute).toBe(null);
});

const claim = (value: number | null, joinedAtMs = 0): Claim => ({
  peer: "p",
  joinedAtMs,
  fingerprint: value === null ? null : result(value),
});
const claims = (...values: (number | null)[]): Claims =>
  new Map(values.map((value, at) => [`d${at}`, claim(value, at)] as const));

test("the bound is a thousandth of the gradient, and a millionth where it vanishes", () => {
  expect(agree(result(0), result(9e-4))).toBe(true);
  expect(agree(result(0), result(1.1e-3))).toBe(false);
  const tiny = (norm: number): Fingerprint => ({ ...result(0), norm });
  expect(agree(tiny(0), tiny(9e-7))).toBe(true);
  expect(agree(tiny(0), tiny(2e-6))).toBe(false);
  expect(agree({ ...result(0), loss: 1 }, { ...result(0), loss: 1.002 })).toBe(false);
  expect(agree(null, null)).toBe(false);
});

test("the smaller group is outvoted; where no group is larger nobody is", () => {
  expect(outvoted(claims(0, 0, 1))).toEqual(["d2"]);
  expect(outvoted(claims(0, 1, 1, null))).toEqual(["d0", "d3"]);
  expect(outvoted(claims(0, 0, 1, 1))).toBe(null);
  expect(outvoted(claims(0, 1, 2))).toBe(null);
  expect(outvoted(claims(null, null))).toBe(null);
  expect(outvoted(claims(0, 0, 0))).toEqual([]);
});

test("with nobody to arbitrate, one whose results have differed before goes before the newest", () => {
  const dispute = { base: "", slot: 0, claims: claims(0, 1), before: claims(0, 1) };
  expect(lastResort(dispute, () => 0)?.device).toBe("d1");
  expect(lastResort(dispute, (device) => (device === "d0" ? 1 : 0))?.device).toBe("d0");
});

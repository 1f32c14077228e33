import { expect, test } from "vitest";
import type { RunLine } from "../../../src/network/wire/run-line.ts";
import type { Chronicle } from "../../../tools/chaos/chronicle.ts";
import { describeScorecard } from "../../../tools/chaos/describe.ts";
import { hangMsMax, paceOf, scoreChaos, type PlayedRun, type ScorecardInput } from "../../../tools/chaos/scorecard.ts";
import { stepLine } from "../fixtures/fake-hearth.ts";

const MEMBERS = ["a", "b", "c"];

function steps(first: number, last: number): RunLine[] {
  return Array.from({ length: last - first + 1 }, (_, at) => stepLine(first + at, 1, 1, MEMBERS, ""));
}

function checkpoint(step: number, digests: readonly string[]): RunLine {
  const told = Object.fromEntries(digests.map((digest, rank) => [MEMBERS[rank], digest]));
  return { type: "checkpoint", step, generation: step, ms: 1, copies: 3, digests: told };
}

/** A step a second from 0 on, but for those in `late`, which delay all that follow. */
function chronicle(count: number, late: Readonly<Record<number, number>> = {}): Chronicle {
  let atMs = -1_000;
  const commits = Array.from({ length: count }, (_, at) => ({
    step: at + 1,
    atMs: (atMs += 1_000 + (late[at + 1] ?? 0)),
  }));
  return { commits, struck: [], missed: [], casualties: [], returns: [], endMs: atMs };
}

function played(lines: readonly RunLine[], told: Chronicle, tabs: number = 3): PlayedRun {
  return { tabs, lines, chronicle: told, failure: null };
}

/** 21 s of which a step that a kill struck took five seconds longer: 16 steps for 21. */
function input(change: Partial<ScorecardInput> = {}): ScorecardInput {
  const struck = [
    { kind: "kill", tab: 1, step: 5, atMs: 3_500 },
    { kind: "kill-server", tab: null, step: 13, atMs: 16_500 },
  ] as const;
  const told = { ...chronicle(17, { 5: 5_000 }), struck, returns: [{ kind: "kill", tab: 3, afterMs: 2_000 }] as const };
  return {
    undisturbed: played(steps(1, 11), chronicle(11)),
    chaos: played([...steps(1, 17), checkpoint(15, ["x", "x", "x"])], told),
    reference: played(steps(1, 17), chronicle(17), 1),
    warmUpMs: 0,
    durationMs: 20_000,
    everyMs: 15_000,
    ...change,
  };
}

test("a run that lost five of twenty seconds has three quarters of the throughput, and says to whom it lost them", () => {
  const card = scoreChaos(input());
  expect(card.failures).toEqual([]);
  expect(card).toMatchObject({ steps: 15, stepsPerSecond: 0.75, undisturbedStepsPerSecond: 1, throughput: 0.75 });
  expect(card).toMatchObject({ throughputGoal: 0.6, longestGapMs: 6_000, hangs: [], missed: 0 });
  expect(card.faults).toHaveLength(2);
  expect(card.kinds["kill"]).toEqual({
    count: 1,
    nextCommitMsMedian: 5_500,
    nextCommitMsMax: 5_500,
    gapMsMax: 6_000,
    // 13 s to the next fault, for 8 steps of a second each.
    lostMs: 5_000,
    returnMsMedian: 2_000,
    returnMsMax: 2_000,
  });
  expect(card.kinds["kill-server"]).toMatchObject({ count: 1, nextCommitMsMax: 500, returnMsMedian: null });
  expect(describeScorecard(card)).toContain("throughput 75% of undisturbed, goal 60%: met");
});

test("losses beyond the undisturbed run are those of the reference, and the rest is counted", () => {
  const losses = scoreChaos(input({ reference: played(steps(1, 14), chronicle(14), 1) })).losses;
  const references = [{ tabs: 3, steps: 11 }, { tabs: 1, steps: 3 }]; // prettier-ignore
  expect(losses).toEqual({ compared: 14, uncompared: 3, relativeMax: 0, atStep: 0, references });
  expect(scoreChaos(input({ reference: null })).losses).toMatchObject({ compared: 11, uncompared: 6 });
});

test("a loss that differs by a thousandth, and one that is no number, are failures", () => {
  for (const [factor, said] of [
    [1.001_1, "1.1e-3"],
    [Number.NaN, "NaN"],
  ] as const) {
    // prettier-ignore
    const lines = steps(1, 17).map((line) => (line.type === "step" && line.step === 9 ? { ...line, loss: line.loss * factor } : line)); // prettier-ignore
    const { chaos } = input();
    const card = scoreChaos(input({ chaos: { ...chaos, lines: [...lines, checkpoint(15, ["x", "x", "x"])] } }));
    expect(card.failures).toEqual([`losses differ by ${said} at step 9, expected less than 0.001`]);
  }
});

test("a hang is a time without a step that no deadline explains", () => {
  // 30 s for a step, 5 for its verdict, 6 of silence, a pause of 4, 20 to form an epoch, 8 for holders to come back.
  expect(hangMsMax(500)).toBe(73_000);
  expect(hangMsMax(10_000)).toBe(123_000);
  const late = (ms: number): ScorecardInput => {
    const { chaos } = input();
    return input({
      chaos: { ...chaos, chronicle: { ...chaos.chronicle, commits: chronicle(17, { 8: ms }).commits, endMs: 120_000 } },
    });
  };
  const failures = scoreChaos(late(73_500)).failures;
  expect(failures).toEqual(["a hang: no step for 74.5 s after step 7, expected at most 73.0 s"]);
  // A run that never commits again hangs too: its last step is 17, at 16 s.
  expect(scoreChaos(late(0)).hangs).toEqual([{ afterStep: 17, ms: 104_000 }]);
});

test("tabs with different parameters, and tabs that show none, are failures", () => {
  const { chaos } = input();
  const failuresWith = (...lines: RunLine[]): readonly string[] =>
    scoreChaos(input({ chaos: { ...chaos, lines: [...steps(1, 17), ...lines] } })).failures;
  expect(failuresWith(checkpoint(10, ["x", "y", "x"]), checkpoint(15, ["x", "x", "x"]))).toEqual([
    "tabs hold different parameters at 10",
  ]);
  expect(failuresWith(checkpoint(15, ["x", "x"]))).toEqual([
    "the last checkpoint has the digests of 2 tabs, expected 3",
  ]);
});

test("steps done again after a rollback are lost, and no throughput", () => {
  const commits = [1, 2, 3, 4, 3, 4, 5].map((step, at) => ({ step, atMs: 1_000 * (at + 1) }));
  expect(paceOf(commits, 0, 7_000)).toEqual({ steps: 5, perSecond: 5 / 7 });
  const { chaos } = input();
  const lines: RunLine[] = [
    ...steps(1, 4),
    { type: "rollback", to: 2 },
    ...steps(3, 17),
    checkpoint(15, ["x", "x", "x"]),
  ];
  expect(scoreChaos(input({ chaos: { ...chaos, lines } }))).toMatchObject({ rollbacks: 1, stepsLost: 2 });
});

test("aborts are counted by reason, whoever it was, and recoveries by source", () => {
  const recovery = (source: "peers" | "disk", shards: number): RunLine => {
    return { type: "recovery", peer: "a", step: 3, sources: [{ source, shards, bytes: 100 * shards, ms: 1 }] };
  };
  const lines: RunLine[] = [
    { type: "abort", step: 3, reason: "tab-01ab was lost" },
    { type: "abort", step: 4, reason: "tab-02cd was lost" },
    recovery("peers", 3),
    recovery("peers", 4),
    recovery("disk", 5),
  ];
  const { chaos } = input();
  expect(scoreChaos(input({ chaos: { ...chaos, lines: [...chaos.lines, ...lines] } }))).toMatchObject({
    aborts: 2,
    abortReasons: { "a tab was lost": 2 },
    recoveries: { peers: { count: 2, shards: 7, bytes: 700 }, disk: { count: 1, shards: 5, bytes: 500 } },
  });
});

test("a run that failed, and one that no fault struck, are failures", () => {
  const { chaos, undisturbed } = input();
  const failed = scoreChaos(input({ undisturbed: { ...undisturbed, failure: "no tab is left at step 3" } }));
  expect(failed.failures).toEqual(["the undisturbed run failed: no tab is left at step 3"]);
  const calm = scoreChaos(input({ chaos: { ...chaos, chronicle: { ...chaos.chronicle, struck: [] } } }));
  expect(calm.failures).toEqual(["no fault struck"]);
});

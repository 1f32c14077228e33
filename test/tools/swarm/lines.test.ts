/** The pure parts that read a run's lines: their order, their comparison, their summary. */
import { expect, test } from "vitest";
import type { RunLine, StepLine } from "../../../src/network/wire/run-line.ts";
import { compareLosses } from "../../../tools/swarm/compare.ts";
import { LineRecorder } from "../../../tools/swarm/line-recorder.ts";
import { judgeEnd, summarizeRun } from "../../../tools/swarm/result.ts";
import { summarize } from "../../../tools/swarm/summary.ts";
import { FAKE_PARAMETERS, fakeLoss, stepLine } from "../fixtures/fake-hearth.ts";

/** Steps `first` to `last` of one history. */
function steps(first: number, last: number, incarnation = 1, members = ["a", "b", "c"]): StepLine[] {
  const lines: StepLine[] = [];
  for (let step = first; step <= last; step++) {
    lines.push(stepLine(step, incarnation, incarnation, members, lines.at(-1)?.chain ?? `before ${first}`));
  }
  return lines;
}

function record(recorder: LineRecorder, lines: readonly RunLine[]): RunLine[] {
  return lines.flatMap((line) => [...recorder.onLine(line).lines]);
}

test("each line passes once, also when the server repeats the last one on a new connection", () => {
  const recorder = new LineRecorder();
  const lines = steps(1, 4);
  const last = lines[3] as StepLine;
  expect(record(recorder, lines)).toEqual(lines);
  expect(recorder.onWelcome({ step: 4, incarnation: 2, history: [] }).lines).toEqual([]);
  expect(recorder.onLine({ ...last, ms: 0, times: {} }).lines).toEqual([]);
  expect(recorder.lastStep).toBe(4);
});

test("a commit that was logged and never announced arrives with the next connection", () => {
  const recorder = new LineRecorder();
  const lines = steps(1, 5);
  record(recorder, lines.slice(0, 4));
  recorder.onWelcome({ step: 5, incarnation: 2, history: [] });
  const recorded = recorder.onLine(lines[4] as StepLine);
  expect(recorded).toEqual({ lines: [lines[4]], note: null, isWrong: false });
});

test("lines that were missed are filled in from the log's losses, and that is said", () => {
  const recorder = new LineRecorder();
  const lines = steps(1, 8);
  record(recorder, lines.slice(0, 3));
  recorder.onWelcome({ step: 8, incarnation: 2, history: lines.map(({ step, loss }) => ({ step, loss })) });
  const recorded = recorder.onLine(lines[7] as StepLine);
  expect(recorded.lines.map((line) => line.type === "step" && [line.step, line.loss])).toEqual(
    [4, 5, 6, 7, 8].map((step) => [step, fakeLoss(step)]),
  );
  expect(recorded.note).toContain("missed the lines of steps 4 to 7");
});

test("after a rollback the steps come again, and are not taken for repetitions", () => {
  const recorder = new LineRecorder();
  const again = steps(6, 9, 2);
  const all: RunLine[] = [...steps(1, 8), { type: "rollback", to: 5 }, ...again];
  expect(record(recorder, all)).toEqual(all);
  expect(recorder.lastStep).toBe(9);
});

test("a log that is shorter on reconnecting was rolled back meanwhile", () => {
  const recorder = new LineRecorder();
  record(recorder, steps(1, 8));
  const recorded = recorder.onWelcome({ step: 5, incarnation: 3, history: [] });
  expect(recorded.lines).toEqual([{ type: "rollback", to: 5 }]);
  expect(record(recorder, steps(6, 6, 3))).toHaveLength(1);
});

test("a step that is committed twice with different contents is called wrong", () => {
  const recorder = new LineRecorder();
  record(recorder, steps(1, 8));
  const recorded = recorder.onLine(steps(8, 8, 2)[0] as StepLine);
  expect(recorded.isWrong).toBe(true);
  expect(recorded.note).toContain("step 8 was committed again");
});

test("a resumed recorder goes on from the lines of before", () => {
  const earlier: RunLine[] = [...steps(1, 8), { type: "rollback", to: 5 }, ...steps(6, 7, 2)];
  const recorder = new LineRecorder(earlier);
  expect(recorder.lastStep).toBe(7);
  expect(recorder.onLine(earlier.at(-1) as RunLine).lines).toEqual([]);
});

test("losses are compared by step, the last line of a step winning", () => {
  const a: RunLine[] = [...steps(1, 6), { type: "rollback", to: 5 }, ...steps(6, 7, 2)];
  const b = steps(1, 8).map((line) => (line.step === 4 ? { ...line, loss: line.loss * 1.001 } : line));
  const spoiled = a.map((line, at) => (at === 5 && line.type === "step" ? { ...line, loss: 99 } : line));
  const comparison = compareLosses(spoiled, b);
  expect(comparison).toMatchObject({ steps: 7, atStep: 4, unmatched: [8] });
  // |l - 1.001 l| / |1.001 l| = 0.001 / 1.001, up to rounding.
  expect(comparison.relativeMax).toBeCloseTo(0.001 / 1.001, 9);
});

test("a loss that is no number is the largest difference of all", () => {
  const b = steps(1, 5);
  const a = b.map((line) => (line.step === 2 ? { ...line, loss: Number.NaN } : { ...line, loss: 2 }));
  expect(compareLosses(a, b)).toMatchObject({ relativeMax: Number.NaN, atStep: 2 });
  expect(compareLosses(b, b).relativeMax).toBe(0);
});

test("the summary counts what happened and holds bytes against the closed forms", () => {
  const lines: RunLine[] = [
    ...steps(1, 4),
    { type: "fault", kind: "kill", step: 5 },
    { type: "abort", step: 5, reason: "c was lost" },
    ...steps(5, 8, 2, ["a", "b"]),
    { type: "checkpoint", step: 8, generation: 1, ms: 1, copies: 2, digests: { a: "x", b: "x" } },
    { type: "end", steps: 8, loss: fakeLoss(8), digests: { a: "x", b: "x" } },
  ];
  const summary = summarize(lines, FAKE_PARAMETERS);
  expect(summary).toMatchObject({ steps: 8, stepLines: 8, epochs: 2, aborts: 1, faults: 1, checkpoints: 1 });
  expect(summary).toMatchObject({ endDigests: 2, unequalDigests: [], paths: { webrtc: 1 } });
  const lastFive = [4, 5, 6, 7, 8].map(fakeLoss);
  expect(summary.loss).toBeCloseTo(lastFive.reduce((sum, loss) => sum + loss, 0) / 5, 12);
  // Three quiet steps of each epoch: the first of an epoch does not count.
  expect(summary.traffic.map(({ members, samples }) => [members, samples])).toEqual([
    [2, 6],
    [3, 9],
  ]);
  for (const entry of summary.traffic) {
    expect(entry.gradients + entry.parameters).toBeCloseTo(entry.exchangeExpected ?? 0, 6);
    expect(entry.replica).toBeCloseTo(entry.replicaExpected ?? 0, 6);
  }
});

test("without a number of parameters the replicas imply it, and the exchange checks it", () => {
  const { summary, parameters } = summarizeRun(steps(1, 4), null);
  expect(parameters).toContain(`P = ${FAKE_PARAMETERS}`);
  const [entry] = summary.traffic;
  expect((entry?.gradients ?? 0) + (entry?.parameters ?? 0)).toBeCloseTo(entry?.exchangeExpected ?? 0, 6);
});

test("a run is over only with its last step and equal digests from everywhere", () => {
  const end = (digests: Record<string, string>): RunLine => ({ type: "end", steps: 5, loss: 1, digests });
  const checkpoint = (digests: Record<string, string>): RunLine => ({
    ...{ type: "checkpoint", step: 5, generation: 1, ms: 1, copies: 2 },
    digests,
  });
  const same = { a: "x", b: "x" };
  const other = { a: "x", b: "y" };
  expect(judgeEnd([...steps(1, 5), checkpoint(same), end(same)], 5).exitCode).toBe(0);
  expect(judgeEnd([...steps(1, 5), checkpoint(same), end(other)], 5).exitCode).toBe(1);
  expect(judgeEnd([...steps(1, 5), checkpoint(other), end(same)], 5)).toEqual({
    exitCode: 1,
    reason: "devices hold different parameters: 5",
  });
  expect(judgeEnd([...steps(1, 5), end({})], 5).exitCode).toBe(1);
  expect(judgeEnd(steps(1, 5), 5).exitCode).toBe(1);
  expect(judgeEnd([...steps(1, 5), end(same)], 6).exitCode).toBe(1);
});

/** The trace of an overlapped step: what Perfetto needs, and computation and communication on one timeline. */
import { expect, test } from "vitest";
import type { TraceEvent, TraceFile } from "../../src/network/collectives/trace-recorder.ts";
import { isOfGradients } from "../../src/training/parallel/data/data-parallel-step.ts";
import { fileOf, traceOverlap } from "../../tools/trace/overlap-trace.ts";

/** Names of tracks by process. */
function tracksOf({ traceEvents }: TraceFile): Record<number, string[]> {
  const tracks: Record<number, string[]> = {};
  for (const { name, pid, args } of traceEvents)
    if (name === "thread_name") tracks[pid] = [...(tracks[pid] ?? []), String(args["name"])].sort();
  return tracks;
}

/** Every event is whole, and what begins ends, not before. */
function expectSound({ traceEvents, displayTimeUnit }: TraceFile): void {
  expect(displayTimeUnit).toBe("ms");
  const open = new Map<string, TraceEvent>();
  for (const event of traceEvents) {
    const { ph, ts = -1, dur = -1, id, pid } = event;
    if (ph === "M") continue;
    expect(ts).toBeGreaterThanOrEqual(-1_000); // A millisecond: clocks of threads.
    if (ph === "X") expect(dur).toBeGreaterThanOrEqual(0);
    const key = `${pid} ${event.cat} ${id}`;
    if (ph === "b") open.set(key, event);
    if (ph !== "e") continue;
    expect(ts).toBeGreaterThanOrEqual(open.get(key)?.ts ?? Infinity);
    open.delete(key);
  }
  expect([...open.keys()]).toEqual([]);
}

test("members' times are moved onto one line, whenever their clocks began", () => {
  const timeline = (rank: number, beganMs: number): Parameters<typeof fileOf>[0][number] => ({
    timeline: {
      beganMs,
      spans: [{ kind: "operation", operation: "reduce-scatter 3", rank, bytes: 4, startMs: 1, endMs: 3 }],
      computed: [{ name: "slot 0", rank, startMs: 0, endMs: 2 }],
    },
  });
  const file = fileOf([timeline(0, 5_000.5), timeline(1, 5_000)]);
  expectSound(file);
  const times = file.traceEvents.filter(({ ph }) => ph !== "M").map(({ ph, pid, ts, dur }) => [ph, pid, ts, dur]);
  expect(times).toEqual([
    ["X", 0, 500, 2_000],
    ["X", 1, 0, 2_000],
    ["b", 0, 1_500, undefined],
    ["e", 0, 3_500, undefined],
    ["b", 1, 1_000, undefined],
    ["e", 1, 3_000, undefined],
  ]);
});

test("a trained step's file has both members' computation and links, and gradients leave while slots are computed", async () => {
  const { file, hiddenShare, parameters } = await traceOverlap({ globalBatch: 4, slots: 2, width: 64, layers: 2 });
  expect(parameters).toBeGreaterThan(100_000);
  expect(hiddenShare).toBeGreaterThan(0);
  expect(hiddenShare).toBeLessThanOrEqual(1);
  expectSound(JSON.parse(JSON.stringify(file)) as TraceFile);
  const own = (other: string): string[] => ["arithmetic", "compute", `from ${other}`, "operations", `to ${other}`];
  expect(tracksOf(file)).toEqual({ 0: own("b"), 1: own("a") });
  for (const rank of [0, 1]) {
    const events = file.traceEvents.filter(({ pid }) => pid === rank);
    const computed = events.filter(({ cat }) => cat === "compute");
    expect(computed.map(({ name }) => name)).toEqual([`slot ${rank}`, "update"]);
    const endOfSlot = (computed[0]?.ts ?? 0) + (computed[0]?.dur ?? 0);
    const sums = events.filter(({ ph, name }) => ph === "b" && isOfGradients(name));
    expect(sums.length).toBeGreaterThan(1);
    expect(Math.min(...sums.map(({ ts = Infinity }) => ts))).toBeLessThan(endOfSlot);
  }
}, 120_000);

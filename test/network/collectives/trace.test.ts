import { expect, test } from "vitest";
import { sleep } from "../../../src/base/wait.ts";
import { Buckets } from "../../../src/network/collectives/buckets.ts";
import { TraceRecorder } from "../../../src/network/collectives/trace-recorder.ts";
import { swarm } from "../support/swarm.ts";

test("a trace names every operation, message and sum, by rank and link, in Chrome's format", async () => {
  const { groups, run } = await swarm(3, 20_260_306);
  const recorder = new TraceRecorder();
  const all = groups(1, { trace: recorder.trace });
  await run(
    Promise.all(
      all.map((group) =>
        group.allReduce(new Float32Array(30), {
          operation: 4,
          category: "gradients",
          deadlineMs: 9_000,
          algorithm: "direct",
        }),
      ),
    ),
  );
  const { traceEvents } = JSON.parse(JSON.stringify(recorder.file())) as ReturnType<TraceRecorder["file"]>;
  const of = (cat: string, ph: string): number =>
    traceEvents.filter((event) => event.cat === cat && event.ph === ph).length;
  expect(["operation", "send", "wait"].map((cat) => [of(cat, "b"), of(cat, "e")])).toEqual([
    [3, 3],
    [12, 12],
    [12, 12],
  ]);
  expect(of("reduce", "X")).toBe(3);
  const names = traceEvents.filter(({ ph }) => ph === "M").map(({ args }) => args["name"]);
  expect(names).toEqual(
    expect.arrayContaining(["rank 0", "rank 2", "operations", "arithmetic", "to peer-1", "from peer-2"]),
  );
  for (const { ph, ts, dur } of traceEvents)
    if (ph === "X") expect([typeof ts, (dur ?? -1) >= 0]).toEqual(["number", true]);
  expect(traceEvents.find(({ cat }) => cat === "operation")).toMatchObject({
    name: "all-reduce 4",
    pid: expect.any(Number) as number,
  });
});

/** 12 layers of 100,000 values. A ring of 4 sends 1.5 times as many bytes a rank: 600,000 a layer, 60 ms at this rate. */
const LAYERS = 12;
const VALUES = 100_000;
const COMPUTE_MS = 60;
const BYTES_PER_MS = 10_000;

test("with buckets, where communication takes as long as computation, at least 70% of it is hidden", async () => {
  const { groups, run, network } = await swarm(4, 20_260_307, {
    network: { latencyMs: 1, jitterMs: 0, bytesPerMs: BYTES_PER_MS },
  });
  const recorder = new TraceRecorder();
  const all = groups(1, { trace: recorder.trace, algorithm: "ring" });
  await run(
    Promise.all(
      all.map(async (group) => {
        const clock = network.clockOf(group.members[group.rank] ?? "");
        const lengths = new Array<number>(LAYERS).fill(VALUES);
        const options = { operation: 1, category: "gradients", deadlineMs: 60_000 } as const;
        const buckets = new Buckets(group, { lengths, bucketBytes: 4 * VALUES }, options);
        for (let layer = 0; layer < LAYERS; layer++) {
          const startMs = clock.nowMs();
          await sleep(COMPUTE_MS, clock);
          recorder.compute({ name: `layer ${layer}`, rank: group.rank, startMs, endMs: clock.nowMs() });
          buckets.put(layer, new Float32Array(VALUES).fill(1));
        }
        const sums = await Promise.all(lengths.map((_, layer) => buckets.take(layer)));
        for (const sum of sums) expect(sum[0]).toBe(4);
      }),
    ),
  );
  for (const rank of [0, 1, 2, 3]) {
    const operations = recorder.spans.filter((span) => span.kind === "operation" && span.rank === rank);
    // What the links alone need: 1.5 buffers of each layer.
    expect((1.5 * 4 * VALUES * LAYERS) / BYTES_PER_MS / (COMPUTE_MS * LAYERS)).toBeCloseTo(1);
    expect(operations.length).toBe(LAYERS);
    expect(recorder.hiddenShare(rank)).toBeGreaterThan(0.7);
  }
});

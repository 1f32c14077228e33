/** The step over a simulated network, with engines whose slots take as long as they are told. */
import { expect, test } from "vitest";
import { TraceRecorder } from "../../../src/network/collectives/trace-recorder.ts";
import { SHARDS } from "../../../src/network/wire/state-record.ts";
import {
  isOfGradients,
  runDataParallelStep,
  type StepEngine,
} from "../../../src/training/parallel/data/data-parallel-step.ts";
import { gradientBuckets } from "../../../src/training/parallel/data/gradient-buckets.ts";
import { genesisVersion } from "../../../src/training/recovery/replica.ts";
import { swarm } from "../../network/support/swarm.ts";

const COUNT = 100_003;
const SLOT_MS = 300;
/** When the first bucket is there: a forward pass, and the first layers of the backward one. */
const FIRST_BUCKET_MS = 120;

interface Played {
  readonly roots: readonly string[];
  readonly gradientsMs: number;
  readonly exposedMs: number;
  readonly hiddenShare: number;
}

type Wait = (ms: number) => Promise<void>;

/** Buckets get ready at even distances until the slot's end; `lateBy`: of a member that is slower. */
function engineOf(tells: boolean, wait: Wait, lateBy: number = 0): StepEngine {
  return {
    parameterCount: COUNT,
    stateFloats: 0,
    slots: 8,
    async slot(parameters, step, slot, onBucket) {
      const gradient = parameters.map((value, at) => value + Math.sin(at * (slot + 1) + step));
      const buckets = gradientBuckets(COUNT);
      await wait(FIRST_BUCKET_MS + lateBy);
      for (const bucket of buckets.keys()) {
        if (bucket > 0) await wait((SLOT_MS - FIRST_BUCKET_MS) / (buckets.length - 1));
        if (tells) onBucket?.(gradient);
      }
      return { loss: slot, gradient };
    },
    async update({ parameters, gradient, state }) {
      return { parameters: parameters.map((value, at) => value - 0.1 * (gradient[at] ?? 0)), state };
    },
  };
}

/** A step of `slots`; gradients take `gradientsMs` a member of two by themselves. */
async function play(tells: boolean, slots: readonly (readonly number[])[], linkMs: number): Promise<Played> {
  const bytesPerMs = (2 * COUNT) / linkMs;
  const { groups, run, clock } = await swarm(slots.length, 7, { network: { latencyMs: 1, jitterMs: 0, bytesPerMs } });
  const recorder = new TraceRecorder();
  const members = groups(1, {
    trace: (span) => {
      const isGradients = span.kind === "operation" && isOfGradients(span.operation);
      if (isGradients) recorder.trace(span);
    },
  });
  const wait: Wait = (ms) => new Promise((resolve) => clock.after(ms, resolve));
  const startMs = clock.nowMs();
  const parameters = Float32Array.from({ length: COUNT }, (_, at) => Math.sin(at));
  const outputs = await run(
    Promise.all(
      members.map((group, rank) =>
        runDataParallelStep({
          engine: engineOf(tells, wait, 20 * rank),
          group,
          map: {
            owner: Array.from({ length: SHARDS }, (_, shard) => (shard * 7) % slots.length),
            replica: Array.from({ length: SHARDS }, (_, shard) => (shard * 7) % slots.length),
          },
          step: 1,
          slots,
          committed: genesisVersion(parameters, 0),
          deadlineMs: 60_000,
          signal: new AbortController().signal,
          clock,
        }),
      ),
    ),
  );
  const spans = recorder.spans.filter(({ rank }) => rank === 0);
  const computedMs = startMs + SLOT_MS * (slots[0]?.length ?? 0);
  recorder.compute({ name: "slots", rank: 0, startMs, endMs: computedMs });
  const [first, last] = [Math.min(...spans.map((span) => span.startMs)), Math.max(...spans.map((span) => span.endMs))];
  return {
    roots: outputs.map(({ version }) => version.parameterRoot),
    gradientsMs: last - first,
    exposedMs: Math.max(0, last - computedMs),
    hiddenShare: recorder.hiddenShare(0) ?? 0,
  };
}

test("buckets that leave early give the bits of those that leave at the end, on all members", async () => {
  for (const slots of [
    [[0, 1, 2], [3, 4, 5, 6, 7], []],
    [
      [0, 1, 2, 3],
      [4, 5, 6, 7],
    ],
    [[0, 1, 2, 3, 4, 5, 6, 7]],
  ]) {
    const [early, late] = [await play(true, slots, 50), await play(false, slots, 50)];
    expect(new Set([...early.roots, ...late.roots]).size).toBe(1);
  }
});

/** Every way to cut 8 slots among members by speed, and some that nobody would choose. */
const SHARES: readonly (readonly (readonly number[])[])[] = [
  [[0, 1, 2, 3, 4, 5, 6, 7]],
  [[0, 1, 2, 3, 4], [5, 6, 7]],
  [[4, 5, 6, 7], [0, 1], [2, 3]],
  [[0, 1, 6], [2, 3, 7], [4, 5], []],
  [[7, 0, 5], [1, 6], [3], [4, 2]],
  [[0], [1], [2], [3], [4], [5], [6], [7]],
]; // prettier-ignore

test("parameters have the same bits whoever computes what", async () => {
  const roots = new Set<string>();
  for (const slots of SHARES) for (const root of (await play(true, slots, 50)).roots) roots.add(root);
  expect(roots.size).toBe(1);
});

test("the sum is that of a tree over the slots", async () => {
  const { roots } = await play(true, [[0, 1, 2], [3, 4]], 50); // prettier-ignore
  const parameters = Float32Array.from({ length: COUNT }, (_, at) => Math.sin(at));
  const engine = engineOf(false, async () => {});
  const gradients = await Promise.all(
    [0, 1, 2, 3, 4].map(async (slot) => (await engine.slot(parameters, 1, slot)).gradient.map((value) => value / 8)),
  );
  const sum = (a: number, b: number): number => Math.fround(a + b);
  const total = parameters.map((_, at) => {
    const [s0, s1, s2, s3, s4] = gradients.map((gradient) => gradient[at] ?? 0) as [
      number,
      number,
      number,
      number,
      number,
    ];
    return sum(sum(sum(s0, s1), sum(s2, s3)), s4);
  });
  const expected = parameters.map((value, at) => value - 0.1 * (total[at] ?? 0));
  expect(genesisVersion(expected, 0).parameterRoot).toBe(roots[0]);
});

test("where gradients and parameters take as long as a slot, at least 70 % of the gradients' time is hidden", async () => {
  const apart = await play(false, [[0], [1]], SLOT_MS / 2);
  const beside = await play(true, [[0], [1]], SLOT_MS / 2);
  expect(apart.hiddenShare).toBeLessThan(0.05);
  expect(apart.exposedMs).toBeGreaterThan(SLOT_MS / 2);
  expect(1 - beside.exposedMs / apart.gradientsMs).toBeGreaterThan(0.7);
  expect(beside.hiddenShare).toBeGreaterThan(0.7);
});

/** Steps of several members whose gradients are packed on their devices. */
import { expect, test } from "vitest";
import { OptionError } from "../../../src/base/errors.ts";
import { present } from "../../../src/base/assert.ts";
import { Random } from "../../../src/base/random.ts";
import { ReferenceDevice } from "../../../src/compute/device/reference/reference-device.ts";
import { SHARDS } from "../../../src/network/wire/state-record.ts";
import {
  runDataParallelStep,
  type SlotPacking,
  type StepInput,
} from "../../../src/training/parallel/data/data-parallel-step.ts";
import { gradientBuckets } from "../../../src/training/parallel/data/gradient-buckets.ts";
import { gradientCodecOf, type GradientCodec } from "../../../src/training/parallel/data/gradient-codec.ts";
import type { StepPlan } from "../../../src/training/parallel/data/gradient-packer.ts";
import type { PackedMessages } from "../../../src/training/parallel/data/packed-bucket.ts";
import type { Fingerprinted } from "../../../src/training/parallel/data/slot-sums.ts";
import { fingerprintOf } from "../../../src/training/parallel/fingerprint.ts";
import { genesisVersion } from "../../../src/training/recovery/replica.ts";
import { swarm } from "../../network/support/swarm.ts";
import { devicePacking, engineOf, hostPacking } from "./packing-engines.ts";

/** Parameters across and within buckets. */
const LENGTHS = [10_000, 1, 20_002, 9_997];
const COUNT = 40_000;
const RANKS = 3;
const OWNER = Array.from({ length: SHARDS }, (_, shard) => (shard * 7) % RANKS);
const SLOTS = [[0, 1], [2], [3]];
const STEPS = 3;

function gradientOf(step: number, slot: number): Float32Array<ArrayBuffer> {
  const random = new Random("gradient", step, slot);
  return Float32Array.from({ length: COUNT }, () => random.uniform() - 0.5);
}

type Where = "device" | "host";

function packingOn(where: Where, codec: GradientCodec): SlotPacking {
  return where === "host"
    ? hostPacking(codec, COUNT, gradientOf)
    : devicePacking(new ReferenceDevice(), codec, LENGTHS, gradientOf);
}

/** Packing as it is, counted while it goes on: a device takes turns of its own, which virtual time must wait for. */
class CountedPacking {
  busy = 0;

  around(packing: SlotPacking): SlotPacking {
    return {
      slot: (...course) => this.#counted(packing.slot(...course)),
      pack: (...course) => this.#counted(packing.pack(...course)),
      add: (arrived) => this.#counted(packing.add(arrived)),
      own: (owners) => this.#counted(packing.own(owners)),
    };
  }

  async #counted<T>(work: Promise<T>): Promise<T> {
    this.busy += 1;
    try {
      return await work;
    } finally {
      this.busy -= 1;
    }
  }
}

interface Played {
  /** Of each step, over all members. */
  readonly roots: readonly (readonly string[])[];
  /** What the parameters moved by, which the toy update takes from the gradient as it is. */
  readonly moved: Float32Array;
  readonly gradientBytes: number;
  readonly fingerprints: readonly Fingerprinted[];
}

/** `more`: of a step's input, besides. */
async function play(
  codec: GradientCodec | null,
  where: Where = "device",
  more: (step: number) => Partial<StepInput> = () => ({}),
): Promise<Played> {
  const counted = new CountedPacking();
  const { groups, run, clock, muxes } = await swarm(RANKS, 11, { isBusy: () => counted.busy > 0 });
  const members = groups(1);
  const engines = members.map(() => engineOf(COUNT, gradientOf, codec && counted.around(packingOn(where, codec))));
  let versions = members.map(() => genesisVersion(new Float32Array(COUNT), 0));
  const roots: string[][] = [];
  const fingerprints: Fingerprinted[] = [];
  for (let step = 1; step <= STEPS; step++) {
    const common = { step, map: { owner: OWNER, replica: OWNER }, slots: SLOTS, deadlineMs: 60_000, clock };
    const { signal } = new AbortController();
    const steps = members.map((group, rank) => {
      const [engine, committed] = [engines[rank], versions[rank] ?? null];
      if (engine === undefined) throw new Error("an engine is missing");
      return runDataParallelStep({ ...common, engine, group, committed, signal, ...more(step) });
    });
    const outputs = await run(Promise.all(steps));
    versions = outputs.map(({ version }) => version);
    roots.push(versions.map(({ parameterRoot }) => parameterRoot));
    fingerprints.push(...outputs.flatMap((output) => output.fingerprints));
  }
  const gradientBytes = muxes.reduce((sum, mux) => sum + mux.bytesSent().gradients, 0);
  return { roots, moved: versions[0]?.parameters ?? new Float32Array(0), gradientBytes, fingerprints };
}

// The most that a message leaves out of a value of at most 0.5 / 4 times two slots: float16 half a unit of its 11 bits,
// int8 and int4 a whole step of the largest of 64; error feedback carries it into the next step, and no further.
const LARGEST = 0.5;
const BOUNDS = [
  ["float16", 2 ** -11, 0.5],
  ["int8", 1 / 127, 0.266],
  ["int4", 1 / 7, 0.141],
] as const;

test.each(BOUNDS)(
  "with %s all members have the host's bits, nothing adds up, and fewer bytes go out",
  async (codec, part, ratio) => {
    const [exact, packed, host] = [await play(null), await play(codec), await play(codec, "host")];
    for (const roots of packed.roots) expect(new Set(roots).size).toBe(1);
    expect(packed.roots, "the host's").toEqual(host.roots);
    // What two others sent, as they left it out in the last step alone.
    const bound = (RANKS - 1) * LARGEST * part;
    const worst = exact.moved.reduce((most, value, at) => Math.max(most, Math.abs(value - (packed.moved[at] ?? 0))), 0);
    expect(worst).toBeGreaterThan(0);
    expect(worst).toBeLessThan(bound);
    // Headers of frames are the rest.
    expect(packed.gradientBytes / exact.gradientBytes).toBeGreaterThan(ratio * 0.98);
    expect(packed.gradientBytes / exact.gradientBytes).toBeLessThan(ratio * 1.05);
  },
  120_000,
);

test("top-k sends the largest alone, with the host's bits, and the rest comes later", async () => {
  const [exact, packed, host] = [await play(null), await play("topk"), await play("topk", "host")];
  for (const roots of packed.roots) expect(new Set(roots).size).toBe(1);
  expect(packed.roots).toEqual(host.roots);
  expect(packed.gradientBytes / exact.gradientBytes).toBeLessThan(0.05);
}, 120_000);

test("PowerSGD sends thin factors, all members have the same bits, and the rest comes later", async () => {
  const [exact, packed] = [await play(null), await play("powersgd")];
  for (const roots of packed.roots) expect(new Set(roots).size).toBe(1);
  // A third of 12,727 elements goes to each owner: 8 words a row and column of 65 and 66.
  expect(packed.gradientBytes / exact.gradientBytes).toBeLessThan(0.3);
  const apart = (moved: Float32Array): number =>
    Math.hypot(...exact.moved.map((value, at) => value - (moved[at] ?? 0)));
  expect(apart(packed.moved)).toBeGreaterThan(0);
  expect(apart(packed.moved)).toBeLessThan(apart(new Float32Array(COUNT)));
}, 120_000);

test("a slot that is audited has its fingerprint, and one in a step with backups counts as any", async () => {
  const plain = await play("int8");
  const audited = await play("int8", "device", () => ({ audits: [{ slot: 1, rank: 2 }] }));
  expect(audited.roots).toEqual(plain.roots);
  expect(audited.fingerprints).toEqual(
    [1, 2, 3].flatMap((step) => {
      const expected = fingerprintOf(1, gradientOf(step, 1), step, 1);
      return [[1, expected], [1, expected]]; // prettier-ignore
    }),
  );
  const covered = await play("int8", "device", (step) =>
    step % 2 === 0 ? { cover: { backups: [[0, 1]], onComputed: () => {}, decision: Promise.resolve([0]) } } : {},
  );
  for (const roots of covered.roots) expect(new Set(roots).size).toBe(1);
  expect(covered.roots[0]).toEqual(plain.roots[0]);
}, 120_000);

const PLAN: StepPlan = { step: 1, owner: OWNER, size: RANKS, rank: 1, operation: 100 };
const NO_PARAMETERS = new Float32Array(0);

/** What a member packs of one slot, as bytes in a row. */
async function packedBy(packing: SlotPacking, plan: StepPlan, slot: number): Promise<string> {
  const parts: string[] = [];
  const onBucket = (messages: PackedMessages): void =>
    void parts.push(Buffer.concat([0, 2].map((rank) => present(messages.get(rank), "a message"))).toString("hex"));
  await packing.slot(NO_PARAMETERS, slot, { plan, isFirst: true, isLast: true, wantsGradient: false, onBucket });
  expect(parts.length).toBe(gradientBuckets(COUNT).length);
  return parts.join();
}

test.each(["topk", "powersgd"] as const)(
  "what %s left out comes with the next step; a step that is done again begins as before, one rolled back anew",
  async (codec) => {
    const packing = packingOn("device", codec);
    const first = await packedBy(packing, PLAN, 0);
    const second = await packedBy(packing, { ...PLAN, step: 2 }, 0);
    expect(second).not.toBe(await packedBy(packingOn("device", codec), { ...PLAN, step: 2 }, 0));
    expect(await packedBy(packing, { ...PLAN, step: 2 }, 0)).toBe(second);
    expect(await packedBy(packing, PLAN, 0)).toBe(first);
  },
  60_000,
);

test.each(["int8", "powersgd"] as const)(
  "another device goes on with what a lost one left out, with %s",
  async (codec) => {
    const device = new ReferenceDevice();
    const reopen = async (): Promise<ReferenceDevice> => new ReferenceDevice();
    const packing = devicePacking(device, codec, LENGTHS, gradientOf, { reopen });
    const whole = packingOn("device", codec);
    for (const step of [1, 2, 3]) {
      const plan = { ...PLAN, step };
      expect(await packedBy(packing, plan, step), `step ${step}`).toBe(await packedBy(whole, plan, step));
      if (step === 2) device.destroy();
    }
  },
  60_000,
);

test("a bucket is one readback of its packed bytes, and a slot before the last is its loss", async () => {
  const device = new ReferenceDevice();
  const packing = devicePacking(device, "int8", LENGTHS, gradientOf);
  const readbacks: number[] = [];
  const readMany = device.readMany.bind(device);
  device.readMany = (buffers) => {
    readbacks.push(buffers.reduce((sum, { bytes }) => sum + bytes, 0));
    return readMany(buffers);
  };
  let contributions = 0;
  const onBucket = (): void => void (contributions += 1);
  const common = { plan: PLAN, wantsGradient: false, onBucket };
  await packing.slot(NO_PARAMETERS, 0, { ...common, isFirst: true, isLast: false });
  expect(readbacks).toEqual([4]);
  readbacks.length = 0;
  await packing.slot(NO_PARAMETERS, 1, { ...common, isFirst: false, isLast: true });
  const buckets = gradientBuckets(COUNT);
  expect(contributions).toBe(buckets.length);
  expect(readbacks.length).toBeLessThanOrEqual(buckets.length);
  const read = readbacks.reduce((sum, bytes) => sum + bytes, 0);
  // A third of the elements is this rank's own, which stay; the others are 1 byte, a scale for 64, and headers.
  expect(read / COUNT).toBeGreaterThan((2 * (1 + 4 / 64)) / RANKS);
  expect(read / COUNT).toBeLessThan(((2 * (1 + 4 / 64)) / RANKS) * 1.02);
}, 60_000);

test("codecs go by name, and another name is refused with what there is", () => {
  expect(gradientCodecOf(undefined)).toBeNull();
  expect(gradientCodecOf("none")).toBeNull();
  expect(gradientCodecOf("int8")).toBe("int8");
  expect(() => gradientCodecOf("int9")).toThrow(OptionError);
});

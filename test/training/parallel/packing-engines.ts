/** Step engines with given gradients, which pack them on a device or on the host. */
import { present } from "../../../src/base/assert.ts";
import type { Device } from "../../../src/compute/device/device.ts";
import { createRuntime, type RuntimeOptions } from "../../../src/compute/runtime/graph-runtime.ts";
import { compile } from "../../../src/compute/tensor/compile.ts";
import type { Tensor } from "../../../src/compute/tensor/tensor.ts";
import { ownerLayout } from "../../../src/training/parallel/shards.ts";
import type { SlotPacking, StepEngine } from "../../../src/training/parallel/data/data-parallel-step.ts";
import { gradientBuckets } from "../../../src/training/parallel/data/gradient-buckets.ts";
import { DEVICE_CODECS, type GradientCodec } from "../../../src/training/parallel/data/gradient-codec.ts";
import { GradientStages } from "../../../src/training/parallel/data/gradient-stages.ts";
import { PackedSlots, type SlotCourse } from "../../../src/training/parallel/data/packed-slots.ts";
import { HostPacking } from "./host-packing.ts";

type Floats = Float32Array<ArrayBuffer>;

/** A gradient by step and slot. */
export type GradientOf = (step: number, slot: number) => Floats;

const SLOTS = 4;
const RUN_SEED = 5;

/** An engine whose update adds the gradient to the parameters. */
export function engineOf(count: number, gradientOf: GradientOf, packing: SlotPacking | null): StepEngine {
  return {
    parameterCount: count,
    stateFloats: 0,
    slots: SLOTS,
    packing,
    slot: async (_, step, slot) => ({ loss: 1, gradient: gradientOf(step, slot) }),
    update: async ({ parameters, gradient, state }) => ({
      parameters: parameters.map((value, at) => value + (gradient[at] ?? 0)),
      state,
    }),
  };
}

/** Parameters of `lengths`, whose gradients a plan on `device` computes. */
export function devicePacking(
  device: Device,
  codec: GradientCodec,
  lengths: readonly number[],
  gradientOf: GradientOf,
  options: RuntimeOptions = {},
): SlotPacking {
  const runtime = createRuntime(device, options);
  const stages = new GradientStages(lengths);
  const count = lengths.reduce((sum, length) => sum + length, 0);
  const names = lengths.map((_, at) => `p${at}`);
  const gradients = compile<string, Tensor[]>(
    (inputs) => {
      const all = names.map((name) => present(inputs[name], "an input").mul(-1));
      return [present(all[0], "a gradient").sum().mul(0).add(1), ...all];
    },
    { runtime, stages: stages.outputs },
  );
  const packed = new PackedSlots<string>({ runtime, stages, codec, count, slots: SLOTS, seed: RUN_SEED });
  return {
    add: (arrived) => packed.packer.sums.add(arrived),
    own: (owners) => packed.packer.sums.own(owners),
    pack: (sum, course) => packed.pack(sum, course),
    slot(_, slot, course) {
      const gradient = gradientOf(course.plan.step, slot);
      let at = 0;
      const inputs = names.map((name, parameter) => {
        const length = present(lengths[parameter], "a length");
        const data = gradient.slice(at, (at += length)).map((value) => -value);
        return [name, { shape: [length], data }] as const;
      });
      return packed.run(gradients, Object.fromEntries(inputs), course);
    },
  };
}

/** The same on the host. */
export function hostPacking(name: GradientCodec, count: number, gradientOf: GradientOf): SlotPacking {
  const codec = DEVICE_CODECS[name].host(RUN_SEED);
  const host = new HostPacking(codec, count);
  let sum = new Float32Array(count);
  const kept: Floats[] = [];
  const pack: SlotPacking["pack"] = async (total, { plan, onBucket }: Pick<SlotCourse, "plan" | "onBucket">) => {
    host.turn();
    for (const [at, bucket] of gradientBuckets(count).entries()) {
      const operation = plan.operation + at;
      const { messages, own } = host.pack(total, bucket, plan, operation);
      kept[at] = own;
      onBucket(messages);
    }
  };
  return {
    pack,
    async add({ at, owners, givers, messages }) {
      const { firstShard, endShard } = present(gradientBuckets(count)[at], "a bucket");
      const { bounds } = ownerLayout(count, owners.owner, owners.size, [firstShard, endShard]);
      const length = (bounds[owners.rank + 1] ?? 0) - (bounds[owners.rank] ?? 0);
      const partOf = (rank: number): Floats =>
        rank === owners.rank ? present(kept[at], "own") : codec.decode(present(messages.get(rank), "a message"));
      const parts = length === 0 ? [] : [...givers].sort((a, b) => a - b).map(partOf);
      kept[at] = parts.reduce((all, part) => all.map((value, i) => value + (part[i] ?? 0)), new Float32Array(length)); // prettier-ignore
    },
    own: async () => Float32Array.from(kept.toReversed().flatMap((part) => [...part])),
    async slot(_, slot, course) {
      if (course.isFirst) sum = new Float32Array(count);
      const gradient = gradientOf(course.plan.step, slot);
      sum = sum.map((value, at) => value + (gradient[at] ?? 0) / SLOTS);
      if (course.isLast) await pack(sum, course);
      return { loss: 1, gradient };
    },
  };
}

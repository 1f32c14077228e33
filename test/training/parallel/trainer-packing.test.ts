/** A trainer's packed gradients are the host codec's of its slots' gradients: char-gpt on the processor. */
import { expect, test } from "vitest";
import charGpt from "../../../examples/char-gpt.ts";
import { systemClock } from "../../../src/base/clock.ts";
import { SHARDS } from "../../../src/network/wire/state-record.ts";
import { gradientBuckets } from "../../../src/training/parallel/data/gradient-buckets.ts";
import type { PackedMessages } from "../../../src/training/parallel/data/packed-bucket.ts";
import type { StepPlan } from "../../../src/training/parallel/data/gradient-packer.ts";
import { DEVICE_CODECS } from "../../../src/training/parallel/data/gradient-codec.ts";
import { Trainer } from "../../../src/training/parallel/data/trainer.ts";
import type { RunDefinition } from "../../../src/training/run-definition.ts";
import { openWasm } from "../../compute/device/devices.ts";
import { HostPacking } from "./host-packing.ts";

const TEXT = new TextEncoder().encode("the fire is warm, the night is long. ".repeat(20));
const OWNER = Array.from({ length: SHARDS }, (_, shard) => (shard * 7) % 3);
const SLOTS = [2, 5, 7];

test("two steps of three slots with int8, for two others", async () => {
  const device = await openWasm();
  const spec = { seed: 5, settings: { codec: "int8" } };
  const definition = charGpt as unknown as RunDefinition;
  const trainer = await Trainer.create({ definition, device, bytes: TEXT, spec, clock: systemClock });
  const { packing, parameterCount: count } = trainer;
  if (packing === null) throw new Error("expected a run that packs");
  const parameters = trainer.initialParameters();
  const host = new HostPacking(DEVICE_CODECS.int8.host(spec.seed), count);
  for (const step of [1, 2]) {
    const plan: StepPlan = { step, owner: OWNER, size: 3, rank: 1, operation: 10 * step };
    const contributions: PackedMessages[] = [];
    const onBucket = (messages: PackedMessages): void => void contributions.push(messages);
    const sum = new Float32Array(count);
    for (const [at, slot] of SLOTS.entries()) {
      const { loss, gradient } = await trainer.slot(parameters, step, slot);
      for (let i = 0; i < count; i++) sum[i] = (sum[i] ?? 0) + (gradient[i] ?? 0) / trainer.slots;
      const isLast = at === SLOTS.length - 1;
      const course = { plan, isFirst: at === 0, isLast, wantsGradient: at === 1, onBucket };
      const packed = await packing.slot(parameters, slot, course);
      expect(packed.loss).toBe(loss);
      expect(packed.gradient).toEqual(at === 1 ? gradient : null);
    }
    const buckets = gradientBuckets(count);
    expect(contributions.length).toBe(buckets.length);
    host.turn();
    for (const [at, bucket] of buckets.entries()) {
      const expected = host.pack(sum, bucket, plan, plan.operation + at);
      expect([...(contributions[at]?.keys() ?? [])]).toEqual([...expected.messages.keys()]);
      for (const [rank, message] of expected.messages) {
        const found = Buffer.from(contributions[at]?.get(rank) ?? []);
        expect(found.equals(Buffer.from(message)), `step ${step}`).toBe(true);
      }
    }
  }
  trainer.destroy();
}, 120_000);

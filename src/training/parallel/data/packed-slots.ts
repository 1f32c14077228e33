/** Slots whose gradients stay on the device: added up there, and packed bucket by bucket as the last slot's get ready. */
import { present } from "../../../base/assert.ts";
import { floatsOf, type Bytes } from "../../../base/bytes.ts";
import type { Node } from "../../../compute/compiler/ir.ts";
import type { LeafCommand, LeafRead, LeafWork } from "../../../compute/runtime/leaf-work.ts";
import { bytesOfNode } from "../../../compute/runtime/leaves.ts";
import type { Runtime } from "../../../compute/runtime/runtime.ts";
import type { CompiledFunction, TensorInput } from "../../../compute/tensor/compile.ts";
import type { Tensor } from "../../../compute/tensor/tensor.ts";
import { SHARDS } from "../../../network/wire/state-record.ts";
import { GradientPacker, type PackerOptions, type StepPlan } from "./gradient-packer.ts";
import type { GradientStages } from "./gradient-stages.ts";
import type { PackedMessages } from "./packed-bucket.ts";

/** What a slot is to the sum of its step. */
export interface SlotCourse {
  readonly plan: StepPlan;
  /** The sum begins with it. */
  readonly isFirst: boolean;
  /** The sum ends with it, and its buckets are packed. */
  readonly isLast: boolean;
  /** Its own gradient is read as well. */
  readonly wantsGradient: boolean;
  /** Told of the buckets in their order, each as soon as it is packed and read. */
  readonly onBucket: (messages: PackedMessages) => void;
}

/** `gradient` is null unless it was wanted. */
export interface PackedSlot {
  readonly loss: number;
  readonly gradient: Float32Array<ArrayBuffer> | null;
}

interface PackedSlotsOptions extends PackerOptions {
  readonly runtime: Runtime;
  /** Of the results of what is run. */
  readonly stages: GradientStages;
}

export class PackedSlots<Names extends string> {
  readonly packer: GradientPacker;
  readonly #runtime: Runtime;
  readonly #stages: GradientStages;

  constructor(options: PackedSlotsOptions) {
    this.packer = new GradientPacker(options.runtime, options);
    this.#runtime = options.runtime;
    this.#stages = options.stages;
  }

  /** Runs `slot`, whose results are the loss and the gradients. One readback a bucket at most, and one for the loss. */
  async run(
    slot: CompiledFunction<Names, Tensor[]>,
    inputs: Readonly<Record<Names, TensorInput>>,
    course: SlotCourse,
  ): Promise<PackedSlot> {
    if (course.isFirst) this.packer.begin(course.plan);
    const told = new Map<number, PackedMessages>();
    let next = 0;
    let loss = Number.NaN;
    const assembly = this.#stages.begin(() => {});
    await slot.working(
      inputs,
      (stage, outputs) => this.#workOf(stage, outputs, course),
      (stage, read) => {
        const all = [...read];
        const values = all.splice(0, this.#outputsRead(stage, course));
        if (stage === 0) loss = floatsOf(present(values[0], "packing: the loss"))[0] ?? Number.NaN;
        if (course.wantsGradient) assembly.take(stage, values.map(floatsOf));
        for (const at of course.isLast ? this.#stages.bucketsAt(stage) : []) told.set(at, this.#finish(at, all));
        for (let ready = told.get(next); ready !== undefined; ready = told.get(next)) {
          next += 1;
          course.onBucket(ready);
        }
      },
    );
    return { loss, gradient: course.wantsGradient ? assembly.result().gradient : null };
  }

  /** Compiles what packs, and leaves nothing behind: to whatever step comes first, this one has been rolled back. */
  async warmUp(slot: CompiledFunction<Names, Tensor[]>, inputs: Readonly<Record<Names, TensorInput>>): Promise<void> {
    const plan = { step: Infinity, owner: Array<number>(SHARDS).fill(1), size: 2, rank: 0, operation: 0 };
    const course = { plan, isFirst: true, isLast: true, wantsGradient: false, onBucket: () => {} };
    await this.run(slot, inputs, course);
    await this.run(slot, inputs, { ...course, isFirst: false });
    await this.packer.warmUp();
  }

  /** Packs a sum that the host has. One readback a bucket. */
  async pack(sum: Float32Array, { plan, onBucket }: Pick<SlotCourse, "plan" | "onBucket">): Promise<void> {
    this.packer.begin(plan);
    for (const [at, bucket] of this.packer.buckets.entries()) {
      bucket.write(sum);
      onBucket(this.#finish(at, [...(await this.#runtime.work(bucket.pack()))]));
    }
  }

  #workOf(stage: number, outputs: readonly Node[], course: SlotCourse): LeafWork {
    const { buckets } = this.packer;
    const commands: LeafCommand[] = this.#stages
      .rangesAt(stage)
      .flatMap(({ result, from, to }) =>
        buckets.flatMap((bucket) => bucket.place(present(outputs[result], "packing: a gradient"), from, to)),
      );
    const reads: LeafRead[] = outputs
      .slice(0, this.#outputsRead(stage, course))
      .map((leaf) => ({ leaf, bytes: bytesOfNode(leaf) }));
    for (const at of this.#stages.bucketsAt(stage)) {
      const bucket = present(buckets[at], "packing: a bucket");
      commands.push(bucket.add(course.isFirst));
      if (!course.isLast) continue;
      const packing = bucket.pack();
      commands.push(...packing.commands);
      reads.push(...packing.reads);
    }
    return { commands, reads };
  }

  /** Results of a stage that are read as they are: all where the gradient is wanted, or the loss. */
  #outputsRead(stage: number, { wantsGradient }: SlotCourse): number {
    const { length } = this.#stages.outputs[stage] ?? [];
    return wantsGradient ? length : stage === 0 ? 1 : 0;
  }

  /** Takes what was read of a bucket from the front of `read`. */
  #finish(at: number, read: Bytes[]): PackedMessages {
    return present(this.packer.buckets[at], "packing: a bucket").finish(read.splice(0, 1));
  }
}

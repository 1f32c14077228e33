/**
 * One replica of a run's model on one device: what a member computes with. Parameters go in and gradients come out as
 * flat vectors, in the order of `namedParameters`; the optimizer runs on any choice of them.
 */
import { assert } from "../../../base/assert.ts";
import { bytesOf, concatBytes, type Bytes } from "../../../base/bytes.ts";
import type { Clock } from "../../../base/clock.ts";
import { OptionError } from "../../../base/errors.ts";
import { Random } from "../../../base/random.ts";
import type { Device } from "../../../compute/device/device.ts";
import { createRuntime, type RuntimeOptions } from "../../../compute/runtime/graph-runtime.ts";
import type { Reopen } from "../../../compute/runtime/device-replacement.ts";
import type { Runtime } from "../../../compute/runtime/runtime.ts";
import type { RuntimeTuning } from "../../../compute/runtime/runtime-tuning.ts";
import { grad } from "../../../compute/tensor/autograd.ts";
import { compile, type CompiledFunction } from "../../../compute/tensor/compile.ts";
import { microBatched } from "../../../compute/tensor/micro-batch.ts";
import { markMemory } from "../../../compute/tensor/memory.ts";
import { readAll } from "../../../compute/tensor/realize.ts";
import { setDefaultRuntime, withRuntime } from "../../../compute/tensor/runtime-scope.ts";
import type { Tensor } from "../../../compute/tensor/tensor.ts";
import type { RunSpec } from "../../../network/wire/run-spec.ts";
import type { StateLayout } from "../../../network/wire/state-record.ts";
import { withRandom } from "../../../model/nn/init.ts";
import type { Module } from "../../../model/nn/module.ts";
import { hasBatchStatistics } from "../../../model/nn/batch-norm.ts";
import type { Dataset, RunDefinition } from "../../run-definition.ts";
import type { MemberEngine } from "../../member.ts";
import { stateLayoutOf } from "./state-layout.ts";
import { compileUpdate, stateFloatsOf, type FlatUpdate } from "./flat-update.ts";
import { gradientCodecOf } from "./gradient-codec.ts";
import type { SlotPacking } from "./data-parallel-step.ts";
import { GradientStages } from "./gradient-stages.ts";
import { PackedSlots } from "./packed-slots.ts";

export interface TrainerOptions {
  readonly definition: RunDefinition;
  readonly device: Device;
  /** The room's data file, or null for the run's own data. */
  readonly bytes: Bytes | null;
  readonly spec: Pick<RunSpec, "seed" | "settings">;
  readonly clock: Clock;
  /** What is known of the device's speed; nothing unless told. */
  readonly tuning?: RuntimeTuning;
  /** What may be taken from the device; null or nothing for no limit. */
  readonly memoryBudgetBytes?: number | null;
  /** Opens another device when this one is lost; without it a loss ends the run here. */
  readonly reopen?: Reopen;
}

interface Parts {
  readonly runtime: Runtime;
  readonly dataset: Dataset;
  readonly model: Module;
  readonly initial: Float32Array<ArrayBuffer>;
}

function runtimeOptions({ tuning, memoryBudgetBytes, reopen, clock }: TrainerOptions): RuntimeOptions {
  return {
    clock,
    memoryBudgetBytes: memoryBudgetBytes ?? Infinity,
    ...(tuning === undefined ? {} : { tuning }),
    ...(reopen === undefined ? {} : { reopen }),
  };
}

export class Trainer implements MemberEngine {
  readonly parameterCount: number;
  readonly stateFloats: number;
  readonly slots: number;
  readonly layout: StateLayout;
  readonly packing: SlotPacking | null;
  slotsPerSecond = 0;
  readonly #options: TrainerOptions;
  readonly #parts: Parts;
  readonly #gradients: CompiledFunction<"x" | "y", Tensor[]>;
  readonly #stages: GradientStages;
  readonly #packed: PackedSlots<"x" | "y"> | null;
  readonly #update: FlatUpdate;
  #loaded: Float32Array | null = null;
  /** Work on the device that needs its parameters to stay: one at a time. */
  #last: Promise<unknown> = Promise.resolve();

  /** Loads the data, builds the model, compiles its step and times a slot. @throws OptionError when the data will not do */
  static async create(options: TrainerOptions): Promise<Trainer> {
    const { definition, bytes, spec } = options;
    const dataset = await definition.data.load(bytes, spec.settings);
    const runtime = createRuntime(options.device, runtimeOptions(options));
    setDefaultRuntime(runtime);
    const random = new Random(spec.seed, "initial parameters");
    const context = { dataset, settings: spec.settings, random };
    const model = withRuntime(runtime, () => withRandom(random, () => definition.model(context)));
    if (model.parameters().length === 0)
      throw new OptionError(`run ${definition.name}: expected a model with parameters`);
    const initial = new Float32Array(concatBytes((await readAll(model.parameters())).map(bytesOf)).buffer);
    const trainer = new Trainer(options, { runtime, dataset, model, initial });
    await trainer.#warmUp();
    return trainer;
  }

  private constructor(options: TrainerOptions, parts: Parts) {
    const { definition, spec } = options;
    const { runtime, model, initial } = parts;
    this.#options = options;
    this.#parts = parts;
    this.parameterCount = initial.length;
    this.slots = definition.slots;
    const codec = gradientCodecOf(definition.gradientCodec?.(spec.settings) ?? undefined);
    const optimizer = definition.optimizer(spec.settings);
    this.layout = stateLayoutOf(model, optimizer);
    this.stateFloats = stateFloatsOf(optimizer);
    this.#update = compileUpdate(optimizer, runtime);
    const parameters = model.parameters();
    this.#stages = new GradientStages(parameters.map(({ size }) => size));
    const isWhole = hasBatchStatistics(model);
    this.#gradients = compile<"x" | "y", Tensor[]>(
      ({ x, y }) => {
        const batch = { x, y };
        const loss = isWhole
          ? definition.loss(model, batch)
          : microBatched(batch, (part) => definition.loss(model, part));
        return [loss, ...grad(loss, parameters)];
      },
      { runtime, stages: this.#stages.outputs },
    );
    const [count, { slots }, { seed }] = [initial.length, definition, spec];
    this.#packed = codec && new PackedSlots({ runtime, stages: this.#stages, codec, count, slots, seed });
    this.packing = this.#packed && this.#packingBy(this.#packed);
  }

  /** Of the device of now: another may have taken the first one's place. */
  get name(): string {
    const { kind, name } = this.#parts.runtime.device.info;
    return `${kind}: ${name}`;
  }

  get runtime(): Runtime {
    return this.#parts.runtime;
  }

  initialParameters(): Float32Array<ArrayBuffer> {
    return this.#parts.initial;
  }

  slot(
    parameters: Float32Array<ArrayBuffer>,
    step: number,
    slot: number,
    onBucket: (gradient: Float32Array) => void = () => {},
  ): Promise<{ loss: number; gradient: Float32Array }> {
    const batch = this.#batch(step, slot);
    return this.#exclusive(async () => {
      this.#load(parameters);
      const assembly = this.#stages.begin(onBucket);
      const results = await this.#gradients.staged(batch, (stage, values) => assembly.take(stage, values));
      markMemory(results.slice(1), "gradients");
      const { loss, gradient } = assembly.result();
      assert(gradient.length === this.parameterCount, `Trainer.slot: ${gradient.length} gradients`);
      return { loss, gradient };
    });
  }

  update(input: Parameters<MemberEngine["update"]>[0]): ReturnType<MemberEngine["update"]> {
    return this.#update(input);
  }

  readBack(parameters: Float32Array<ArrayBuffer>): Promise<Bytes> {
    return this.#exclusive(async () => {
      this.#loaded = null; // Uploaded again, so that what is read is what this version's bytes became.
      this.#load(parameters);
      const values = await readAll(this.#parts.model.parameters());
      return concatBytes(values.map(bytesOf));
    });
  }

  /** Something for people to read, by the model as the device has it now; null where the run makes no samples. */
  async sample(step: number): Promise<string | null> {
    const { definition, spec } = this.#options;
    const { model, dataset } = this.#parts;
    return (await definition.sample?.(model, dataset, new Random(spec.seed, "sample", step))) ?? null;
  }

  destroy(): void {
    setDefaultRuntime(null);
    const { runtime } = this.#parts;
    runtime.destroy();
    runtime.device.destroy();
  }

  #batch(step: number, slot: number): ReturnType<Dataset["batch"]> {
    const { definition, spec } = this.#options;
    const random = new Random(spec.seed, "slot", step, slot);
    return this.#parts.dataset.batch(random, definition.globalBatch / definition.slots);
  }

  #packingBy(packed: PackedSlots<"x" | "y">): SlotPacking {
    return {
      slot: (parameters, slot, course) => {
        const batch = this.#batch(course.plan.step, slot);
        return this.#exclusive(() => {
          this.#load(parameters);
          return packed.run(this.#gradients, batch, course);
        });
      },
      pack: (sum, course) => this.#exclusive(() => packed.pack(sum, course)),
      add: (arrived) => packed.packer.sums.add(arrived),
      own: (owners) => packed.packer.sums.own(owners),
    };
  }

  async #warmUp(): Promise<void> {
    const { clock } = this.#options;
    const { initial } = this.#parts;
    await this.slot(initial, 0, 0);
    await this.#packed?.warmUp(this.#gradients, this.#batch(0, 0));
    const startMs = clock.nowMs();
    await this.slot(initial, 0, 0);
    this.slotsPerSecond = 1000 / Math.max(1, clock.nowMs() - startMs);
  }

  #load(parameters: Float32Array<ArrayBuffer>): void {
    if (this.#loaded === parameters) return;
    let at = 0;
    for (const parameter of this.#parts.model.parameters()) {
      const count = parameter.shape.reduce((product, size) => product * size, 1);
      parameter.write(parameters.slice(at, at + count));
      at += count;
    }
    assert(at === parameters.length, `Trainer.load: expected ${at} parameters, found ${parameters.length}`);
    this.#loaded = parameters;
  }

  #exclusive<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => {});
    return result;
  }
}

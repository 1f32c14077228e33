/** The runtime of one device: graphs in, buffers out. See `runtime.ts`. */
import { assert, present } from "../../base/assert.ts";
import type { Bytes } from "../../base/bytes.ts";
import type { Node, Shape } from "../compiler/ir.ts";
import type { Choices } from "../compiler/tuning/choices.ts";
import { lower, type Lowered } from "../compiler/lower.ts";
import { LoweringCache } from "../compiler/lowering-cache.ts";
import type { LoweredKernel } from "../compiler/lower-region.ts";
import type { Command, Device, DeviceBuffer, Recording } from "../device/device.ts";
import type { DType } from "../layout/dtype.ts";
import { placeValues } from "./assembly.ts";
import { yieldByMessage } from "../device/yielding.ts";
import { BufferPool } from "./buffer-pool.ts";
import { Collector, SLACK_BYTES } from "./collector.ts";
import { CompiledPlan, PlanLayout } from "./compiled-plan.ts";
import { KernelCache } from "./kernel-cache.ts";
import { bytesOfNode, Leaves } from "./leaves.ts";
import type { HostArray, Plan, Runtime, RuntimeMemory } from "./runtime.ts";
import { RuntimeTuning } from "./runtime-tuning.ts";

/** What a leaf of an eager step stands for in the JavaScript heap: its share of the step's graph and tensors, roughly. */
const GRAPH_BYTES = 16 * 2 ** 10;

/** A runtime that owns `device`'s memory, but not the device itself. */
export function createRuntime(device: Device, options: RuntimeOptions = {}): Runtime {
  return new GraphRuntime(device, options);
}

export interface RuntimeOptions {
  /**
   * Live bytes, and 16 KiB for each leaf, may be this much above 1.5 times what was alive after the last collection
   * before computing waits for another one. 64 MiB by default.
   */
  readonly slackBytes?: number;
  /** What is known of the device's speed; nothing unless told. */
  readonly tuning?: RuntimeTuning;
}

class GraphRuntime implements Runtime {
  readonly device: Device;
  readonly tuning: RuntimeTuning;
  readonly #pool: BufferPool;
  readonly #leaves: Leaves;
  readonly #kernels: KernelCache;
  readonly #lowerings = new LoweringCache();
  readonly #collector: Collector;
  /** Frees what plans held that nobody can run any more. */
  readonly #unreachablePlans = new FinalizationRegistry<readonly DeviceBuffer[]>((scratch) => {
    for (const buffer of scratch) this.#pool.give(buffer);
  });
  #isDestroyed = false;

  constructor(device: Device, { slackBytes = SLACK_BYTES, tuning }: RuntimeOptions) {
    this.device = device;
    this.tuning = tuning ?? new RuntimeTuning(device.info);
    this.#pool = new BufferPool(device);
    this.#leaves = new Leaves(device, this.#pool);
    this.#kernels = new KernelCache(device);
    this.#collector = new Collector(
      () => this.#pool.memory.liveBytes + this.#leaves.count * GRAPH_BYTES,
      () => this.#leaves.sweep(),
      slackBytes,
      yieldByMessage,
    );
  }

  get memory(): RuntimeMemory {
    return this.#pool.memory;
  }

  get isDestroyed(): boolean {
    return this.#isDestroyed;
  }

  leaf(shape: Shape, dtype: DType, data?: HostArray): Node {
    this.#checkAlive();
    return this.#leaves.create(shape, dtype, data);
  }

  write(leaf: Node, data: HostArray): void {
    this.#leaves.write(leaf, data);
  }

  async realize(nodes: readonly Node[]): Promise<Node[]> {
    this.#checkAlive();
    const missing = nodes.filter((node) => !isLeaf(node));
    if (missing.length === 0) return [...nodes];
    await this.#relieved();
    const lowered = this.#lower(missing);
    const kernels = lowered.kernels.map(withSharedReads);
    const compiled = await this.#kernels.getAll(kernels.map(({ kernel }) => kernel));
    this.#checkAlive();
    // Outputs of the graph that turned out equal share a leaf. One that turned out to be a leaf is copied: its bytes are
    // the caller's, and may be overwritten or released.
    const results = new Map<Node, Node>();
    for (const stored of lowered.outputs) {
      if (!results.has(stored)) results.set(stored, this.#leaves.createLike(stored));
    }
    const placed = (node: Node): DeviceBuffer | undefined => {
      const leaf = isLeaf(node) ? node : results.get(node);
      return leaf && this.#leaves.bufferOf(leaf);
    };
    const steps = kernels.map((kernel) => [kernel]);
    const { bufferOf, scratch } = placeValues(steps, placed, new Set(), this.#pool, this.device.info.limits);
    const commands = kernels.map(({ outputs, inputs }, i): Command => {
      const kernel = present(compiled[i], "realize: a compiled kernel");
      return { kind: "dispatch", kernel, buffers: [...outputs, ...inputs].map(bufferOf) };
    });
    const copies = [...results].flatMap(([stored, result]) => (isLeaf(stored) ? this.#copy(stored, result) : []));
    this.#submit([...commands, ...copies]);
    for (const buffer of scratch) this.#pool.give(buffer);
    const byNode = new Map(missing.map((node, i) => [node, results.get(lowered.outputs[i] ?? node) ?? node]));
    return nodes.map((node) => byNode.get(node) ?? node);
  }

  async read(nodes: readonly Node[]): Promise<Bytes[]> {
    const leaves = await this.realize(nodes);
    try {
      return await this.#readLeaves(leaves);
    } finally {
      for (const leaf of new Set(leaves)) if (!nodes.includes(leaf)) this.#leaves.release(leaf);
    }
  }

  async #readLeaves(leaves: readonly Node[]): Promise<Bytes[]> {
    const sizes = leaves.map(bytesOfNode);
    const total = sizes.reduce((sum, size) => sum + size, 0);
    const packed = total === 0 ? new Uint8Array(0) : await this.#readPacked(leaves, sizes, total);
    let end = 0;
    return sizes.map((size) => {
      end += size;
      return packed.slice(end - size, end);
    });
  }

  #copy(from: Node, to: Node): Command[] {
    const [source, target, bytes] = [this.#leaves.bufferOf(from), this.#leaves.bufferOf(to), bytesOfNode(from)];
    return bytes === 0 ? [] : [{ kind: "copy", source, sourceOffset: 0, target, targetOffset: 0, bytes }];
  }

  /** All bytes one after another, in one readback. */
  async #readPacked(leaves: readonly Node[], sizes: readonly number[], total: number): Promise<Bytes> {
    const [first] = leaves;
    if (leaves.length === 1 && first !== undefined) return await this.device.read(this.#leaves.bufferOf(first), total);
    const staging = this.#pool.takeWhole(total);
    const copies: Command[] = [];
    let at = 0;
    for (const [i, leaf] of leaves.entries()) {
      const bytes = sizes[i] ?? 0;
      const source = this.#leaves.bufferOf(leaf);
      if (bytes > 0) copies.push({ kind: "copy", source, sourceOffset: 0, target: staging, targetOffset: at, bytes });
      at += bytes;
    }
    this.#submit(copies);
    try {
      return await this.device.read(staging, total);
    } finally {
      this.#pool.give(staging);
    }
  }

  async compile(outputs: readonly Node[], updates: readonly (readonly [Node, Node])[]): Promise<Plan> {
    this.#checkAlive();
    await this.#relieved();
    const values = updates.map(([, value]) => value);
    const asked = [...outputs, ...values];
    // A plan is explained by what it was made with, whatever is measured later.
    const { answers } = this.tuning;
    const lowered = this.#lower(asked, outputs.length);
    const token = {};
    const layout = new PlanLayout({
      device: this.device,
      submit: (recording) => this.#submitRecording(recording),
      pool: this.#pool,
      leaves: this.#leaves,
      asked,
      lowered,
      lowerAgain: () => this.#lowerNew(asked, outputs.length, answers),
      outputCount: outputs.length,
      targets: updates.map(([target]) => target),
      onDestroy: () => this.#unreachablePlans.unregister(token),
    });
    try {
      const compiled = await this.#kernels.getAll(layout.kernels);
      this.#checkAlive();
      const plan = new CompiledPlan(layout, compiled);
      this.#unreachablePlans.register(plan, plan.scratch, token);
      return plan;
    } catch (error) {
      if (!this.#isDestroyed) layout.release();
      throw error;
    }
  }

  release(leaf: Node): void {
    this.#leaves.release(leaf);
  }

  destroy(): void {
    if (this.#isDestroyed) return;
    this.#isDestroyed = true;
    this.#pool.destroy();
  }

  async #relieved(): Promise<void> {
    const wait = this.#collector.relieve();
    if (wait === null) return;
    await wait;
    this.#checkAlive();
  }

  #submit(commands: readonly Command[]): void {
    if (commands.length > 0) this.#submitRecording(this.device.record(commands));
  }

  #submitRecording(recording: Recording): void {
    this.tuning.noteSubmit();
    this.device.submit(recording);
  }

  #lower(nodes: readonly Node[], updatesFrom = nodes.length): Lowered {
    const condition = `${updatesFrom} ${this.tuning.version}`;
    return this.#lowerings.get(nodes, condition, () => this.#lowerNew(nodes, updatesFrom));
  }

  #lowerNew(nodes: readonly Node[], updatesFrom: number, choices: Choices = this.tuning): Lowered {
    const { info } = this.device;
    return lower(nodes, info.limits.bindingsMax, { choices, updatesFrom, traits: info });
  }

  #checkAlive(): void {
    assert(!this.#isDestroyed, "runtime: expected one that is not destroyed");
  }
}

/** Leaves are parts of few buffers: one text of a kernel, whichever of them it reads and writes. */
function withSharedReads(lowered: LoweredKernel): LoweredKernel {
  const bindings = lowered.kernel.bindings.map((binding) =>
    binding.access === "read" ? { ...binding, isShared: true } : binding,
  );
  return { ...lowered, kernel: { ...lowered.kernel, bindings } };
}

function isLeaf(node: Node): boolean {
  return node.primitive.kind === "buffer";
}

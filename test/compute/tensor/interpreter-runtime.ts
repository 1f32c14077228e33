/** A runtime that interprets graphs in float64: so exact that finite differences check gradients to six digits. */
import { assert, present } from "../../../src/base/assert.ts";
import { bytesOf } from "../../../src/base/bytes.ts";
import type { DeviceLostError } from "../../../src/base/errors.ts";
import type { MemorySnapshot } from "../../../src/compute/memory/snapshot.ts";
import type { Bytes } from "../../../src/base/bytes.ts";
import { InvariantError } from "../../../src/base/errors.ts";
import { buffer } from "../../../src/compute/compiler/graph.ts";
import type { Node, Shape } from "../../../src/compute/compiler/ir.ts";
import type { Device } from "../../../src/compute/device/device.ts";
import type { DType } from "../../../src/compute/layout/dtype.ts";
import { elementCount } from "../../../src/compute/layout/shape.ts";
import type { HostArray, Plan, Runtime, RuntimeMemory } from "../../../src/compute/runtime/runtime.ts";
import type { RuntimeTuning } from "../../../src/compute/runtime/runtime-tuning.ts";
import { hostArray } from "../../../src/compute/tensor/host-values.ts";
import { interpretGraph } from "./interpret-graph.ts";

const NO_GRAPH = { nodes: [], outputs: [] };

export class InterpreterRuntime implements Runtime {
  readonly #values = new Map<Node, Float64Array>();
  /** Plans made and runs of them, for tests. */
  compiled = 0;
  runs = 0;

  readonly isDestroyed = false;

  get device(): Device {
    throw new InvariantError("InterpreterRuntime: has no device");
  }

  get memory(): RuntimeMemory {
    throw new InvariantError("InterpreterRuntime: counts no bytes");
  }

  get tuning(): RuntimeTuning {
    throw new InvariantError("InterpreterRuntime: has no kernels");
  }

  leaf(shape: Shape, dtype: DType, data?: HostArray): Node {
    const node = buffer(shape, dtype);
    this.#values.set(node, data ? Float64Array.from(data) : new Float64Array(elementCount(shape)));
    return node;
  }

  write(leaf: Node, data: HostArray): void {
    this.poke(leaf, Float64Array.from(data));
  }

  /** Overwrites a leaf in float64. */
  poke(leaf: Node, values: Float64Array): void {
    assert(this.#values.has(leaf) && values.length === elementCount(leaf.shape), "poke: not a leaf of this runtime");
    this.#values.set(leaf, values);
  }

  /** The float64 values of nodes, computed from the leaves as they are. */
  peek(nodes: readonly Node[]): Float64Array[] {
    const memo = new Map<Node, Float64Array>();
    return nodes.map((node) => interpretGraph(node, (leaf) => present(this.#values.get(leaf), "a leaf"), memo));
  }

  async realize(nodes: readonly Node[]): Promise<Node[]> {
    const values = this.peek(nodes);
    return nodes.map((node, i) => {
      if (node.primitive.kind === "buffer") return node;
      const leaf = buffer(node.shape, node.dtype);
      this.#values.set(leaf, present(values[i], "a value"));
      return leaf;
    });
  }

  async read(nodes: readonly Node[]): Promise<Bytes[]> {
    return this.peek(nodes).map((values, i) => {
      const out = hostArray(nodes[i]?.dtype ?? "float32", values.length);
      out.set(values);
      return bytesOf(out);
    });
  }

  async compile(outputs: readonly Node[], updates: readonly (readonly [Node, Node])[]): Promise<Plan> {
    this.compiled += 1;
    const leaves = outputs.map((node) => buffer(node.shape, node.dtype));
    for (const leaf of leaves) this.#values.set(leaf, new Float64Array(elementCount(leaf.shape)));
    const targets = [...leaves, ...updates.map(([target]) => target)];
    const sources = [...outputs, ...updates.map(([, value]) => value)];
    assert(new Set(targets).size === targets.length, "compile: a target twice");
    return {
      outputs: leaves,
      scratchBytes: 0,
      run: async () => {
        this.runs += 1;
        this.peek(sources).forEach((values, i) => this.poke(present(targets[i], "a target"), values));
      },
      runStaged: () => Promise.reject(new Error("an interpreter has no stages")),
      profile: async () => [],
      explain: () => ({ graph: { before: NO_GRAPH, after: NO_GRAPH }, kernels: [], scratchBytes: 0 }),
      destroy: () => {},
    };
  }

  work(): Promise<never> {
    return Promise.reject(new Error("an interpreter has no kernels"));
  }

  readonly lost: Promise<DeviceLostError> = new Promise(() => {});

  get cutsIntoMicroBatches(): boolean {
    return false;
  }

  setBudget(): void {}

  snapshot(): MemorySnapshot {
    throw new Error("an interpreter has no pages");
  }

  noteMicroBatched(): void {}

  release(leaf: Node): void {
    this.#values.delete(leaf);
  }

  destroy(): void {
    this.#values.clear();
  }
}

/** The runtimes that tests of compiled graphs run on, and helpers to make and compare values there. */
import { afterAll, expect } from "vitest";
import type { Random } from "../../../src/base/random.ts";
import type { Node, Shape } from "../../../src/compute/compiler/ir.ts";
import type { Device } from "../../../src/compute/device/device.ts";
import { ReferenceDevice } from "../../../src/compute/device/reference/reference-device.ts";
import type { DType } from "../../../src/compute/layout/dtype.ts";
import { elementCount } from "../../../src/compute/layout/shape.ts";
import { createRuntime } from "../../../src/compute/runtime/graph-runtime.ts";
import type { HostArray, Runtime } from "../../../src/compute/runtime/runtime.ts";
import { openNodeWebGpu, openWasm, webGpuMissing } from "../device/devices.ts";
import { evaluateAll } from "./evaluate.ts";

/** A device to test on; `missing` says why it cannot be opened here. */
export interface TestDevice {
  readonly name: string;
  readonly missing: string | undefined;
  readonly open: () => Promise<Runtime>;
}

/** The reference device, WebAssembly, and WebGPU where there is one: each opened once a file. */
export const testDevices: readonly TestDevice[] = [
  openOnce("reference", undefined, async () => new ReferenceDevice()),
  openOnce("wasm", undefined, openWasm),
  openOnce("webgpu", webGpuMissing, openNodeWebGpu),
];

function openOnce(name: string, missing: string | undefined, open: () => Promise<Device>): TestDevice {
  let opened: Promise<Runtime> | undefined;
  afterAll(async () => {
    const runtime = await opened;
    runtime?.destroy();
    runtime?.device.destroy();
  });
  return { name, missing, open: () => (opened ??= open().then(createRuntime)) };
}

/** Values of `dtype`; an array for the host. */
function hostArray(dtype: DType, values: readonly number[]): HostArray {
  if (dtype === "float32") return new Float32Array(values);
  return dtype === "int32" ? new Int32Array(values) : new Uint32Array(values);
}

/** Leaves with known values: the graph's, and the evaluator's. */
export class Leaves {
  readonly values: Map<Node, readonly number[]> = new Map();
  readonly #runtime: Runtime;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  of(shape: Shape, dtype: DType, values: readonly number[]): Node {
    const data = hostArray(dtype, values);
    const leaf = this.#runtime.leaf(shape, dtype, data);
    this.values.set(leaf, [...data]);
    return leaf;
  }

  /** Floats in [-2, 2), at distances that survive float32. */
  floats(random: Random, shape: Shape): Node {
    return this.of(shape, "float32", Array.from({ length: elementCount(shape) }, () => random.uniform() * 4 - 2)); // prettier-ignore
  }

  /** Integers from `low` up to, not including, `high`. */
  integers(random: Random, shape: Shape, low: number, high: number): Node {
    const values = Array.from({ length: elementCount(shape) }, () => low + random.below(high - low));
    return this.of(shape, "int32", values);
  }
}

/** What the runtime computes for `nodes`. */
export async function computed(runtime: Runtime, nodes: readonly Node[]): Promise<number[][]> {
  const all = await runtime.read(nodes);
  return all.map((bytes, i) => {
    const dtype = nodes[i]?.dtype;
    if (dtype === "float32") return [...new Float32Array(bytes.buffer)];
    return dtype === "int32" ? [...new Int32Array(bytes.buffer)] : [...new Uint32Array(bytes.buffer)];
  });
}

/**
 * Expects integers and bools to be equal, and each float within `relative` of the largest magnitude of its tensor: the
 * steps before it may have cancelled.
 */
function expectClose(node: Node, found: readonly number[], expected: readonly number[], relative: number): void {
  expect(found.length).toBe(expected.length);
  if (node.dtype !== "float32")
    return expect(found).toEqual(expected.map((x) => (node.dtype === "uint32" ? x >>> 0 : x)));
  let scale = 1e-30;
  for (const x of expected) if (Number.isFinite(x)) scale = Math.max(scale, Math.abs(x));
  for (const [i, want] of expected.entries()) {
    const have = found[i] ?? Number.NaN;
    const isSame = Object.is(have, want) || Math.abs(have - want) <= relative * scale;
    if (!isSame) expect.fail(`element ${i}: expected ${want}, found ${have}, with values up to ${scale}`);
  }
}

/** Computes `nodes` on the runtime and by the evaluator, and compares. */
export async function expectAsEvaluated(
  runtime: Runtime,
  leaves: Leaves,
  nodes: readonly Node[],
  relative: number = 2e-6,
): Promise<void> {
  const found = await computed(runtime, nodes);
  const expected = evaluateAll(nodes, leaves.values);
  for (const [i, node] of nodes.entries()) expectClose(node, found[i] ?? [], expected[i] ?? [], relative);
}

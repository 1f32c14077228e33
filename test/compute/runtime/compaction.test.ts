import { expect, test } from "vitest";
import { UnsupportedError } from "../../../src/base/errors.ts";
import type { Node } from "../../../src/compute/compiler/ir.ts";
import * as graph from "../../../src/compute/compiler/graph.ts";
import { ReferenceDevice } from "../../../src/compute/device/reference/reference-device.ts";
import { createRuntime } from "../../../src/compute/runtime/graph-runtime.ts";
import type { Runtime } from "../../../src/compute/runtime/runtime.ts";
import { RUNTIME_DEVICES } from "../device/devices.ts";

const ELEMENTS = 8192;

function filled(runtime: Runtime, elements: number, value: number): Node {
  return runtime.leaf([elements], "float32", new Float32Array(elements).fill(value));
}

async function firstValues(runtime: Runtime, leaves: readonly Node[]): Promise<number[]> {
  return (await runtime.read(leaves)).map((bytes) => new Float32Array(bytes.buffer)[0] ?? Number.NaN);
}

for (const { name, missing, open } of RUNTIME_DEVICES) {
  test.skipIf(missing !== undefined)(`free pages are brought together, and nobody sees it (${name})`, async () => {
    // Room for 31 arrays of two pages, and the tables of kernels.
    const runtime = createRuntime(await open(), { memoryBudgetBytes: 2 ** 20, pressure: [] });
    const leaves = Array.from({ length: 28 }, (_, i) => filled(runtime, ELEMENTS, i));
    const plan = await runtime.compile([graph.binary("add", leaves[1] as Node, leaves[3] as Node)], []);
    for (const [i, leaf] of leaves.entries()) if (i % 2 === 0) runtime.release(leaf);
    const kept = leaves.filter((_, i) => i % 2 === 1);
    // There is room for an array of ten of those, but not in one place.
    const repeated = graph.expand(graph.reshape(kept[4] as Node, [1, ELEMENTS]), [10, ELEMENTS]);
    const [joined] = await runtime.realize([graph.unary("negate", repeated)]);
    expect(runtime.snapshot().moves.count).toBeGreaterThan(0);
    expect(await firstValues(runtime, kept)).toEqual(kept.map((_, i) => 2 * i + 1));
    const values = new Float32Array((await runtime.read([joined as Node]))[0]?.buffer ?? new ArrayBuffer(0));
    expect([...values].every((value) => value === -9)).toBe(true);
    // A plan that was made before the move finds its arrays.
    await plan.run();
    expect(await firstValues(runtime, plan.outputs)).toEqual([4]);
    runtime.destroy();
    runtime.device.destroy();
  });
}

test("a slab that was taken because free pages lay apart is given back when they have been brought together", async () => {
  const runtime = createRuntime(new ReferenceDevice());
  const pages = 2 ** 26 / 2 ** 14;
  const leaves = Array.from({ length: pages / 32 }, (_, i) => filled(runtime, 16 * 8192, i));
  for (const [i, leaf] of leaves.entries()) if (i % 2 === 0) runtime.release(leaf);
  const large = filled(runtime, 3 * 16 * 8192, -1);
  expect(runtime.snapshot().slabs).toHaveLength(2);
  await runtime.realize([graph.unary("negate", large)]);
  expect(runtime.snapshot().slabs).toHaveLength(1);
  const kept = leaves.filter((_, i) => i % 2 === 1);
  expect(await firstValues(runtime, [large, ...kept])).toEqual([-1, ...kept.map((_, i) => 2 * i + 1)]);
});

test("an array larger than the device can bind is refused, with what would fit", () => {
  const runtime = createRuntime(new ReferenceDevice());
  const { bufferBytesMax } = runtime.device.info.limits;
  expect(() => runtime.leaf([bufferBytesMax / 4 + 1], "float32")).toThrow(UnsupportedError);
  expect(() => runtime.leaf([bufferBytesMax / 4 + 1], "float32")).toThrow(/cut it into 2 parts/);
});

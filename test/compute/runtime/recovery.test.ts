/** What a runtime must not mix up when it goes over to another device: what was done before, and what comes meanwhile. */
import { expect, test } from "vitest";
import { present } from "../../../src/base/assert.ts";
import type { Clock } from "../../../src/base/clock.ts";
import * as graph from "../../../src/compute/compiler/graph.ts";
import type { Node } from "../../../src/compute/compiler/ir.ts";
import { ReferenceDevice } from "../../../src/compute/device/reference/reference-device.ts";
import { createRuntime } from "../../../src/compute/runtime/graph-runtime.ts";
import type { Runtime } from "../../../src/compute/runtime/runtime.ts";

/** Copies to main memory are taken when it says so: right after the first work, and then not before 250 ms have passed. */
class ManualClock implements Clock {
  ms = 0;
  nowMs(): number {
    return this.ms;
  }
  wallMs(): number {
    return this.ms;
  }
  after(): () => void {
    return () => {};
  }
}

/** A runtime whose next devices call `meanwhile`, once, while the first of them takes over. */
function recovering(meanwhile: () => void = () => {}): { runtime: Runtime; clock: ManualClock } {
  const clock = new ManualClock();
  let isPending = true;
  const reopen = async (): Promise<ReferenceDevice> => {
    const device = new ReferenceDevice();
    const create = device.createKernel.bind(device);
    device.createKernel = async (kernel) => {
      if (isPending) meanwhile();
      isPending = false;
      return await create(kernel);
    };
    return device;
  };
  return { runtime: createRuntime(new ReferenceDevice(), { reopen, clock }), clock };
}

function plus(a: Node, b: Node): Node {
  return graph.binary("add", a, b);
}

async function valueOf(runtime: Runtime, node: Node): Promise<number | undefined> {
  const [bytes] = await runtime.read([node]);
  return new Float32Array(present(bytes, "the bytes").buffer)[0];
}

async function realized(runtime: Runtime, node: Node): Promise<Node> {
  const [leaf] = await runtime.realize([node]);
  return present(leaf, "the leaf");
}

test("what was computed again is copied from the device, not from what it was before", async () => {
  const { runtime, clock } = recovering();
  const x = runtime.leaf([1], "float32", new Float32Array([1]));
  const two = await realized(runtime, plus(x, x));
  expect(await valueOf(runtime, two)).toBe(2);
  const four = await realized(runtime, plus(two, two));
  runtime.device.destroy();
  expect(await valueOf(runtime, four)).toBe(4);
  clock.ms = 10_000;
  await realized(runtime, plus(x, two)); // A new copy of everything is due now.
  expect(await valueOf(runtime, four)).toBe(4);
  runtime.device.destroy();
  expect(await valueOf(runtime, four)).toBe(4);
});

test("a write while another device takes over comes after all that was done before it", async () => {
  const { runtime } = recovering(() => runtime.write(x, new Float32Array([10])));
  const x: Node = runtime.leaf([1], "float32", new Float32Array([1]));
  const one = runtime.leaf([1], "float32", new Float32Array([1]));
  const plan = await runtime.compile([], [[x, plus(x, one)]]);
  for (let run = 0; run < 3; run++) await plan.run();
  expect(await valueOf(runtime, x)).toBe(4);
  runtime.device.destroy();
  await runtime.read([one]);
  expect(await valueOf(runtime, x)).toBe(10);
  runtime.device.destroy();
  expect(await valueOf(runtime, x)).toBe(10);
});

test("a leaf that is released while another device takes over is kept until that is done", async () => {
  const { runtime } = recovering(() => runtime.release(two));
  const x = runtime.leaf([1], "float32", new Float32Array([1]));
  const two: Node = await realized(runtime, plus(x, x));
  expect(await valueOf(runtime, two)).toBe(2);
  const four = await realized(runtime, plus(two, two));
  const { liveBytes } = runtime.memory;
  runtime.device.destroy();
  expect(await valueOf(runtime, four)).toBe(4);
  await realized(runtime, plus(x, x)).then((leaf) => runtime.release(leaf));
  expect(runtime.memory.liveBytes).toBeLessThan(liveBytes);
});

/** Hand-written work on leaves: by itself, after a plan's stages, and on the device that replaces a lost one. */
import { expect, test } from "vitest";
import { addToSum } from "../../../src/compute/kernels/codecs/sums.ts";
import { ReferenceDevice } from "../../../src/compute/device/reference/reference-device.ts";
import { createRuntime } from "../../../src/compute/runtime/graph-runtime.ts";
import type { LeafWork } from "../../../src/compute/runtime/leaf-work.ts";
import type { Node } from "../../../src/compute/compiler/ir.ts";
import { compile } from "../../../src/compute/tensor/compile.ts";
import type { Tensor } from "../../../src/compute/tensor/tensor.ts";
import { floatsOf } from "../../../src/base/bytes.ts";

const COUNT = 8;
const ADD = addToSum(COUNT, 2);
const ones = new Float32Array(COUNT).fill(1);

/** sum += 2 x, and its first three elements. */
function added(x: Node, sum: Node): LeafWork {
  return {
    commands: [{ kind: "dispatch", kernel: ADD, leaves: [x, sum] }],
    reads: [{ leaf: sum, bytes: 12 }],
  };
}

test("work is done in its order, and what it reads is one readback", async () => {
  const device = new ReferenceDevice();
  let readbacks = 0;
  const readMany = device.readMany.bind(device);
  device.readMany = (buffers) => ((readbacks += 1), readMany(buffers));
  const runtime = createRuntime(device);
  const [x, sum] = [runtime.leaf([COUNT], "float32", ones), runtime.leaf([COUNT], "float32")];
  const read = await runtime.work({
    commands: [
      { kind: "copy", source: x, sourceOffset: 4, target: sum, targetOffset: 0, bytes: 4 },
      ...added(x, sum).commands,
    ],
    reads: [
      { leaf: sum, bytes: 12 },
      { leaf: x, bytes: 0 },
      { leaf: x, bytes: 4 },
    ],
  });
  expect(read.map((bytes) => [...floatsOf(bytes)])).toEqual([[3, 2, 2], [], [1]]);
  expect(readbacks).toBe(1);
  await runtime.work({ ...added(x, sum), reads: [] });
  expect(readbacks).toBe(1);
  runtime.destroy();
});

test("what a lost device had done is done again on the next one", async () => {
  const device = new ReferenceDevice();
  const runtime = createRuntime(device, { reopen: async () => new ReferenceDevice() });
  const [x, sum] = [runtime.leaf([COUNT], "float32", ones), runtime.leaf([COUNT], "float32")];
  for (let time = 0; time < 3; time++) await runtime.work(added(x, sum));
  device.destroy();
  const [bytes] = await runtime.work(added(x, sum));
  expect([...floatsOf(bytes ?? new Uint8Array(0))]).toEqual([8, 8, 8]);
  runtime.destroy();
});

test("stages do their work in their order, also where a later one's results are there first", async () => {
  const runtime = createRuntime(new ReferenceDevice());
  const sum = runtime.leaf([COUNT], "float32");
  const chain = compile<"x", Tensor[]>(({ x }) => [x.exp().sum(), x.mul(3), x.exp().sum().log().mul(x)], {
    runtime,
    stages: [[2], [1], [0]],
  });
  const inputs = { x: { shape: [COUNT], data: new Float32Array(COUNT) } };
  const told: number[] = [];
  const sums: number[] = [];
  await chain.working(
    inputs,
    (stage, [output]) => {
      if (output === undefined) return { commands: [], reads: [] };
      return stage < 2 ? added(output, sum) : { commands: [], reads: [{ leaf: output, bytes: 4 }] };
    },
    (stage, [bytes]) => {
      told.push(stage);
      if (bytes && stage < 2) sums.push(floatsOf(bytes)[0] ?? Number.NaN);
    },
  );
  expect(told).toEqual([0, 1, 2]);
  expect(sums).toEqual([0, 0]);
  runtime.destroy();
});

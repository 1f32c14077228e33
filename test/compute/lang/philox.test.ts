import { expect, test } from "vitest";
import { philox as philoxOnHost, Random } from "../../../src/base/random.ts";
import type { Device } from "../../../src/compute/device/device.ts";
import { ReferenceDevice } from "../../../src/compute/device/reference/reference-device.ts";
import * as build from "../../../src/compute/lang/build.ts";
import { invocationOf } from "../../../src/compute/lang/expr.ts";
import type { Kernel } from "../../../src/compute/lang/kernel.ts";
import { philox } from "../../../src/compute/lang/philox.ts";
import { store } from "../../../src/compute/lang/statements.ts";
import { openNodeWebGpu, webGpuMissing } from "../device/devices.ts";

const COUNT = 64;
const { add, i32, load, multiply } = build;

/** Words 0 to 3 of the counter and 4 and 5 of the key in, four words out. */
function philoxKernel(): Kernel {
  const at = invocationOf(COUNT);
  const word = (i: number): ReturnType<typeof load> => load(0, add(multiply(at, i32(6)), i32(i)), "u32");
  const words = philox([word(0), word(1), word(2), word(3)], [word(4), word(5)]);
  return {
    name: "philox",
    bindings: [
      { type: "u32", access: "read", length: COUNT * 6 },
      { type: "u32", access: "write", length: COUNT * 4 },
    ],
    invocations: COUNT,
    body: words.map((x, i) => store(1, add(multiply(at, i32(4)), i32(i)), x)),
  };
}

async function agrees(device: Device): Promise<void> {
  const random = new Random(5, "philox");
  const inputs = Uint32Array.from({ length: COUNT * 6 }, () => random.uint32());
  const [input, output] = [device.createBuffer(inputs.byteLength), device.createBuffer(COUNT * 16)];
  device.write(input, new Uint8Array(inputs.buffer));
  const kernel = await device.createKernel(philoxKernel());
  device.submit(device.record([{ kind: "dispatch", kernel, buffers: [input, output] }]));
  const found = new Uint32Array((await device.read(output)).buffer);
  device.destroy();
  for (let i = 0; i < COUNT; i++) {
    const [c0 = 0, c1 = 0, c2 = 0, c3 = 0, k0 = 0, k1 = 0] = inputs.subarray(i * 6, i * 6 + 6);
    expect([...found.subarray(i * 4, i * 4 + 4)]).toEqual(philoxOnHost([c0, c1, c2, c3], [k0, k1]));
  }
}

test("philox on the reference device gives the words of base/random (seed 5)", async () => {
  await agrees(new ReferenceDevice());
});

test.skipIf(webGpuMissing !== undefined)(
  `philox on WebGPU gives the words of base/random (seed 5)${webGpuMissing === undefined ? "" : ` (skipped: ${webGpuMissing})`}`,
  async () => {
    await agrees(await openNodeWebGpu());
  },
);

test("philox of constants folds to the words of base/random", () => {
  const { u32 } = build;
  const words = philox([u32(1), u32(2), u32(3), u32(4)], [u32(5), u32(6)]);
  expect(words).toEqual(philoxOnHost([1, 2, 3, 4], [5, 6]).map((word) => u32(word)));
});

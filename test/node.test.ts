/** The public entry for programs in Node. */
import { expect, test } from "vitest";
import { manualSeed, rand, tensor } from "../src/index.ts";
import { openRuntime } from "../src/node.ts";
import { webGpuMissing } from "./compute/device/devices.ts";

test("a program opens the CPU, computes, and closes it", async () => {
  const { runtime, close } = await openRuntime("reference");
  expect(runtime.device.info.kind).toBe("reference");
  expect([...(await tensor([1, 2]).add(1).data())]).toEqual([2, 3]);
  await rand([2]).data();
  close();
  expect(() => tensor([1])).toThrow("expected a runtime, found none");
  manualSeed(4); // Does not touch what is closed.
});

test.skipIf(webGpuMissing !== undefined)(
  `a program that asks for WebGPU gets it (${webGpuMissing ?? "here"})`,
  async () => {
    const { runtime, close } = await openRuntime("webgpu");
    expect(runtime.device.info.kind).toBe("webgpu");
    expect(await tensor([1, 2]).sum().item()).toBe(3);
    close();
  },
);

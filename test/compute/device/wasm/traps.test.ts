/** What becomes of a device whose module traps, on one thread and on several; and whether threads take part at all. */
import { expect, test, vi } from "vitest";
import { systemClock } from "../../../../src/base/clock.ts";
import { DeviceLostError } from "../../../../src/base/errors.ts";
import { withDeadline } from "../../../../src/base/wait.ts";
import type { Device } from "../../../../src/compute/device/device.ts";
import { openWasmDevice } from "../../../../src/compute/device/wasm/open-wasm-device.ts";
import { i32 } from "../../../../src/compute/lang/build.ts";
import { invocationOf } from "../../../../src/compute/lang/expr.ts";
import type { Kernel } from "../../../../src/compute/lang/kernel.ts";
import { store } from "../../../../src/compute/lang/statements.ts";
import { wasmThreads } from "../../../../src/host/node/wasm-threads.ts";
import { plantedModule, plantOf, type Plant } from "./planted-modules.ts";

vi.mock(import("../../../../src/compute/lang/wasm/print-wasm.ts"), async (original) => {
  const real = await original();
  return {
    ...real,
    printWasm(kernel, target) {
      const plant = plantOf(kernel.name);
      return plant === undefined ? real.printWasm(kernel, target) : plantedModule(plant, target);
    },
  };
});

const INVOCATIONS = 1 << 20;
/** Threads are loaded by then. */
const WAIT_MS_MAX = 20_000;

function kernelOf(name: string, value: number): Kernel {
  const at = invocationOf(INVOCATIONS);
  const bindings = [{ type: "i32", access: "write", length: INVOCATIONS }] as const;
  // Modules are kept by what their kernel does: no two of these are the same.
  return { name, bindings, invocations: INVOCATIONS, body: [store(0, at, i32(value))] };
}

async function submit(device: Device, kernel: Kernel): Promise<Int32Array> {
  const made = await device.createKernel(kernel);
  const buffer = device.createBuffer(4 * INVOCATIONS);
  device.submit(device.record([{ kind: "dispatch", kernel: made, buffers: [buffer] }]));
  const { buffer: bytes } = await device.read(buffer);
  buffer.destroy();
  return new Int32Array(bytes);
}

test.each<Plant>(["unreachable", "divide by zero", "outside of memory"])(
  "a module that traps (%s) ends its device with an error that names the kernel, and no other device",
  async (plant) => {
    const [device, other] = [await openWasmDevice(), await openWasmDevice()];
    const waiting = submit(device, kernelOf(`planted: ${plant}`, 1));
    await expect(waiting).rejects.toThrow(DeviceLostError);
    const lost = await device.lost;
    expect(lost.message).toContain(`kernel planted: ${plant}: expected it to run to its end, found a trap`);
    expect(lost.cause).toMatchObject({ cause: expect.any(WebAssembly.RuntimeError) });
    // It ignores what it is told, and rejects what it is asked.
    device.write(device.createBuffer(4), new Uint8Array(4));
    await expect(device.idle()).rejects.toBe(lost);
    await expect(device.createKernel(kernelOf("fine", 2))).rejects.toBe(lost);
    expect((await submit(other, kernelOf("fine", 2))).every((value) => value === 2)).toBe(true);
    other.destroy();
  },
);

/** Dispatches until `isDone`: threads come when they are loaded. */
async function repeat(work: () => Promise<boolean>): Promise<void> {
  const loop = async (): Promise<void> => {
    while (!(await work())) await new Promise((resolve) => setTimeout(resolve, 50));
  };
  await withDeadline("threads", loop(), systemClock, { deadlineMs: WAIT_MS_MAX });
}

test("a trap in a helping thread ends the device too, with the kernel's name", async () => {
  const device = await openWasmDevice(wasmThreads(2));
  let isLost = false;
  void device.lost.then(() => (isLost = true));
  await repeat(async () => {
    await submit(device, kernelOf("planted: traps in a thread", 3)).catch(() => {});
    return isLost;
  });
  const lost = await device.lost;
  expect(lost.message).toContain("kernel planted: traps in a thread: expected it to run to its end, found a trap in a thread"); // prettier-ignore
});

test("helping threads take chunks of a long dispatch, and together with the owner run each invocation once", async () => {
  const threads = 3;
  const device = await openWasmDevice(wasmThreads(threads));
  let counts: number[] = [];
  await repeat(async () => {
    counts = [...(await submit(device, kernelOf("planted: counts invocations", 4))).subarray(0, threads + 1)];
    return counts.slice(1, threads).every((count) => count > 0);
  });
  expect(counts[0]).toBeGreaterThan(0);
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(INVOCATIONS);
  device.destroy();
});

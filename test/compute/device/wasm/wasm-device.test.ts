/** What WebAssembly adds to the suite of devices: threads, memory, safety. */
import { expect, test } from "vitest";
import { DeviceLostError } from "../../../../src/base/errors.ts";
import { Random } from "../../../../src/base/random.ts";
import { ReferenceDevice } from "../../../../src/compute/device/reference/reference-device.ts";
import type { Device } from "../../../../src/compute/device/device.ts";
import { LinearMemory } from "../../../../src/compute/device/wasm/linear-memory.ts";
import { openWasmDevice } from "../../../../src/compute/device/wasm/open-wasm-device.ts";
import { WasmKernel } from "../../../../src/compute/device/wasm/compiled-kernels.ts";
import * as build from "../../../../src/compute/lang/build.ts";
import { invocationOf } from "../../../../src/compute/lang/expr.ts";
import type { Binding, Expr, Kernel, StoredType } from "../../../../src/compute/lang/kernel.ts";
import { store } from "../../../../src/compute/lang/statements.ts";
import { wasmThreads } from "../../../../src/host/node/wasm-threads.ts";
import { runOn } from "../../lang/check-kernels.ts";

const { add, f32, i32, load, multiply, unary } = build;

function kernelOf(length: number, index: (at: Expr) => Expr, place: (at: Expr) => Expr, type: StoredType): Kernel {
  const at = invocationOf(length);
  const bindings: Binding[] = [
    { type: "f32", access: "read", length: 7 },
    { type, access: "write", length },
  ];
  const value = unary("exp", multiply(load(0, index(at), "f32"), f32(0.5)));
  return { name: "places", bindings, invocations: length, body: [store(1, place(at), value)] };
}

async function on(device: Device, kernel: Kernel, length: number): Promise<number[]> {
  const source = Float32Array.of(1, 2, 3, 4, 5, 6, 7);
  const [, found] = await runOn(device, kernel, [source, new Float32Array(length).fill(-1)]);
  return [...(found ?? [])];
}

test("places outside of an array read its ends and store nothing, as on the reference device", async () => {
  const [wasm, reference] = [await openWasmDevice(), new ReferenceDevice()];
  for (const length of [3, 4, 5, 64, 67]) {
    for (const shift of [-9, -3, -1, 0, 2, 5, 2 ** 30, -(2 ** 30)]) {
      const shifted = (at: Expr): Expr => add(at, i32(shift));
      const twice = (at: Expr): Expr => add(multiply(at, i32(2)), i32(shift));
      for (const kernel of [
        kernelOf(length, shifted, (at) => at, "f32"),
        kernelOf(length, twice, shifted, "f32"),
        kernelOf(length, shifted, twice, "f32"),
      ]) {
        const [found, expected] = [await on(wasm, kernel, length), await on(reference, kernel, length)];
        for (const [i, want] of expected.entries()) expect(found[i]).toBeCloseTo(want, 4);
      }
    }
  }
  for (const device of [wasm, reference]) device.destroy();
});

test("a neighbour of a buffer is never written, whatever a kernel is asked to store", async () => {
  const device = await openWasmDevice();
  const buffers = [28, 256, 256].map((bytes) => device.createBuffer(bytes));
  const [source, target, neighbour] = buffers as [(typeof buffers)[0], (typeof buffers)[0], (typeof buffers)[0]];
  for (const shift of [-100, -1, 1, 60, 64, 65, 1000]) {
    const kernel = await device.createKernel(kernelOf(64, (at) => at, (at) => add(at, i32(shift)), "f32")); // prettier-ignore
    device.submit(device.record([{ kind: "dispatch", kernel, buffers: [source, target] }]));
  }
  expect(new Set(await device.read(neighbour))).toEqual(new Set([0]));
  expect(new Set(await device.read(source))).toEqual(new Set([0]));
  device.destroy();
});

test("a trap ends the device with an error that names the kernel", async () => {
  const device = await openWasmDevice();
  const kernel = await device.createKernel(
    kernelOf(
      64,
      (at) => at,
      (at) => at,
      "f32",
    ),
  );
  if (!(kernel instanceof WasmKernel)) throw new TypeError("expected a kernel of the device");
  const broken = new WasmKernel(kernel.kernel, {
    ...kernel.compiled,
    run: () => {
      throw new WebAssembly.RuntimeError("unreachable");
    },
  });
  const buffers = [device.createBuffer(28), device.createBuffer(256)];
  device.submit(device.record([{ kind: "dispatch", kernel: broken, buffers }]));
  const lost = await device.lost;
  expect(lost).toBeInstanceOf(DeviceLostError);
  expect(lost.message).toContain("kernel places");
  expect(lost.message).toContain("unreachable");
});

test("the results have the same bits for any number of threads", { timeout: 60_000 }, async () => {
  const random = new Random(5, "threads");
  const length = 200_003;
  const source = Float32Array.from({ length }, () => random.normal());
  const at = invocationOf(length);
  const bindings: Binding[] = [
    { type: "f32", access: "read", length },
    { type: "f32", access: "write", length },
  ];
  const value = add(unary("tanh", load(0, at, "f32")), unary("sin", multiply(load(0, at, "f32"), f32(30))));
  const kernel: Kernel = { name: "threads", bindings, invocations: length, body: [store(1, at, value)] };
  const results = new Set<string>();
  for (const threads of [1, 2, 3]) {
    const device = await openWasmDevice(wasmThreads(threads));
    for (let round = 0; round < 5; round++) {
      const [, found] = await runOn(device, kernel, [source.slice(), new Float32Array(length)]);
      results.add(Buffer.from((found as Float32Array).buffer).toString("base64"));
      // Threads come when they are loaded.
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    device.destroy();
  }
  expect(results.size).toBe(1);
});

test("memory that is used again is zeros", () => {
  const memory = new LinearMemory(false);
  const first = memory.take(1000);
  memory.bytesAt(first, 1000).fill(7);
  memory.give(first);
  const second = memory.take(1000);
  expect(second).toBe(first);
  expect(new Set(memory.bytesAt(second, 1000))).toEqual(new Set([0]));
  const large = memory.take(300_000);
  expect(memory.bytesAt(large, 300_000).every((byte) => byte === 0)).toBe(true);
});

/** The race between real devices: Dawn on a GPU in software that says it is none, and WebAssembly. */
import { afterEach, expect, test, vi } from "vitest";
import { DeviceLostError, UnsupportedError } from "../../../src/base/errors.ts";
import type { Device } from "../../../src/compute/device/device.ts";
import { NullDevice } from "../../../src/compute/device/null/null-device.ts";
import { ReferenceDevice } from "../../../src/compute/device/reference/reference-device.ts";
import { openWasmDevice } from "../../../src/compute/device/wasm/open-wasm-device.ts";
import { openDevice } from "../../../src/host/browser/open-device.ts";
import { chooseDevice } from "../../../src/host/choice/choose-device.ts";
import { openDawn } from "../../../src/host/node/dawn.ts";
import { webGpuMissing } from "../../compute/device/devices.ts";
import { disguised } from "./disguised-gpu.ts";

const FIGURES = /in a short race over a product of matrices it did [\d.e+]+ GFLOP\/s, the (CPU|GPU \(.*\)) [\d.e+]+\.$/;

/** A device that takes another's place, telling that it is a GPU in doubt. */
function asGpu(device: Device): Device {
  const info = { ...device.info, name: "acme gpu", isSoftware: false, adapter: { vendor: "acme", architecture: "" } };
  return Object.assign(device, { info });
}

afterEach(() => vi.unstubAllGlobals());

const missing = webGpuMissing === undefined ? "" : ` (skipped: ${webGpuMissing})`;

test.skipIf(webGpuMissing !== undefined)(
  `a GPU in software that says it is an old one loses against WebAssembly, and the reason has both figures${missing}`,
  async () => {
    // What compiles fast.
    process.env["GALLIVM_PERF"] ??= "nopt";
    vi.stubGlobal("navigator", { gpu: disguised(await openDawn(), { vendor: "intel", architecture: "gen-7" }) });
    const { device, reason } = await openDevice("auto", { threads: 1 });
    expect(device.info.kind).toBe("wasm");
    expect(reason).toMatch(FIGURES);
    expect(reason).toMatch(/^The CPU computes: .* the GPU \(intel gen-7\)/);
    device.destroy();
  },
);

test.skipIf(webGpuMissing !== undefined)(`one that says it is a fast one is not asked to race${missing}`, async () => {
  vi.stubGlobal("navigator", { gpu: disguised(await openDawn(), { vendor: "nvidia", architecture: "ampere" }) });
  const { device, reason } = await openDevice("auto", { threads: 1 });
  expect([device.info.kind, reason]).toEqual([
    "webgpu",
    "The GPU (nvidia ampere) computes: all of its kind are far ahead of a processor.",
  ]);
  device.destroy();
});

test("a GPU that is faster than the processor wins, and the processor is given back", async () => {
  const [gpu, cpu] = [asGpu(await openWasmDevice()), new ReferenceDevice()];
  const { device, reason } = await chooseDevice(gpu, async () => cpu);
  expect(device).toBe(gpu);
  expect(reason).toMatch(FIGURES);
  await cpu.lost;
  gpu.destroy();
});

test("a GPU that computes something else loses, however fast it is", async () => {
  const gpu = asGpu(new NullDevice());
  const { device, reason } = await chooseDevice(gpu, () => openWasmDevice());
  expect(device.info.kind).toBe("wasm");
  expect(reason).toMatch(/failed at a first product of matrices: expected the processor's product, found another one/);
  await gpu.lost;
  device.destroy();
});

test("a GPU that never ends, or is lost, loses within the deadline", async () => {
  const silent = asGpu(Object.assign(await openWasmDevice(), { idle: () => new Promise<void>(() => {}) }));
  const first = await chooseDevice(silent, () => openWasmDevice(), { deadlineMs: 200 });
  expect(first.reason).toMatch(/race: expected an end within 200 ms, found none$/);
  const lost = asGpu(await openWasmDevice());
  lost.createKernel = async () => {
    throw new DeviceLostError("acme: expected a device, found that it is gone");
  };
  const second = await chooseDevice(lost, () => openWasmDevice());
  expect(second.reason).toMatch(/acme: expected a device, found that it is gone$/);
  for (const { device } of [first, second]) {
    expect(device.info.name).toMatch(/WebAssembly/);
    device.destroy();
  }
});

test("without WebAssembly the GPU computes unasked", async () => {
  const gpu = asGpu(new NullDevice());
  const openCpu = async (): Promise<Device> => {
    throw new UnsupportedError("wasm device: expected WebAssembly with SIMD, found none");
  };
  expect(await chooseDevice(gpu, openCpu)).toEqual({
    device: gpu,
    reason: "The GPU (acme gpu) computes: there is no WebAssembly with vectors to compare it with.",
  });
});

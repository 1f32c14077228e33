import { describe, expect, test } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { DeadlineError, DeviceLostError, InvariantError, UnsupportedError } from "../../../src/base/errors.ts";
import { openWebGpuDevice } from "../../../src/compute/device/webgpu/open-webgpu-device.ts";
import { WebGpuDevice } from "../../../src/compute/device/webgpu/webgpu-device.ts";
import * as build from "../../../src/compute/lang/build.ts";
import { invocationOf } from "../../../src/compute/lang/expr.ts";
import type { Statement } from "../../../src/compute/lang/kernel.ts";
import { store, when } from "../../../src/compute/lang/statements.ts";
import { openDawn } from "../../../src/host/node/dawn.ts";
import { openNodeWebGpu, webGpuMissing } from "./devices.ts";

const INFO = {
  kind: "webgpu",
  name: "test",
  isSoftware: true,
  hasFloat16: false,
  hasSubgroups: false,
  subgroupSize: null,
  limits: {
    bindingsMax: 8,
    bindingBytesMax: 2 ** 27,
    bufferBytesMax: 2 ** 28,
    workgroupBytesMax: 2 ** 14,
    workgroupLanesMax: 256,
  },
} as const;

const note = webGpuMissing === undefined ? "" : ` (skipped: ${webGpuMissing})`;

describe.skipIf(webGpuMissing !== undefined)(`WebGPU in Node${note}`, () => {
  test("WGSL that the compiler refuses is an error with its words, its line and the kernel's name", async () => {
    const device = await openNodeWebGpu();
    // Deeper than the 127 blocks that WGSL allows.
    const at = invocationOf(4);
    let body: Statement[] = [store(0, at, build.f32(1))];
    for (let i = 0; i < 140; i++) body = [when(build.less(build.load(0, build.i32(i), "f32"), build.f32(i)), body)];
    const kernel = {
      name: "too deep",
      bindings: [{ type: "f32", access: "readWrite", length: 200 }] as const,
      invocations: 4,
      body,
    };
    const refused = device.createKernel(kernel);
    await expect(refused).rejects.toThrow(InvariantError);
    await expect(refused).rejects.toThrow(/kernel too deep: expected WGSL that compiles, found .* at line \d+: /);
    device.destroy();
  });

  test("an error that WebGPU reports late ends the device, and every later wait says so", async () => {
    const adapter = await (await openDawn()).requestAdapter();
    const raw = await adapter?.requestDevice();
    if (raw === undefined) throw new UnsupportedError("test: expected an adapter, found none");
    const device = new WebGpuDevice(raw, INFO);
    const buffer = device.createBuffer(16);
    raw.createBuffer({ size: 16, usage: 0xffff });
    const error = await device.lost;
    expect(error).toBeInstanceOf(DeviceLostError);
    expect(error.message).toMatch(/expected commands that run, found /);
    await expect(device.read(buffer)).rejects.toBe(error);
    await expect(device.idle()).rejects.toBe(error);
    device.destroy();
  });

  test("a device lost under a waiting read rejects it", async () => {
    const adapter = await (await openDawn()).requestAdapter();
    const raw = await adapter?.requestDevice();
    if (raw === undefined) throw new UnsupportedError("test: expected an adapter, found none");
    const device = new WebGpuDevice(raw, INFO);
    const waiting = [device.read(device.createBuffer(1 << 20)), device.idle()];
    raw.destroy();
    for (const result of await Promise.allSettled(waiting)) {
      if (result.status === "rejected") expect(result.reason).toBeInstanceOf(DeviceLostError);
    }
    expect((await device.lost).code).toBe("device-lost");
  });

  test("a device without timestamps measures by waiting, copies too", async () => {
    const adapter = await (await openDawn()).requestAdapter();
    const raw = await adapter?.requestDevice();
    if (raw === undefined) throw new UnsupportedError("test: expected an adapter, found none");
    expect(raw.features.has("timestamp-query")).toBe(false);
    const device = new WebGpuDevice(raw, INFO);
    const [source, target] = [device.createBuffer(1 << 20), device.createBuffer(1 << 20)];
    const at = { sourceOffset: 0, targetOffset: 0, bytes: 1 << 20 };
    const [tookMs] = await device.measure(device.record([{ kind: "copy", source, target, ...at }]));
    expect(tookMs).toBeGreaterThan(0);
    device.destroy();
  });

  test("a software adapter is used only where it is allowed", async () => {
    const device = await openNodeWebGpu();
    const { isSoftware } = device.info;
    device.destroy();
    const strict = openWebGpuDevice({ gpu: await openDawn(), allowSoftware: false });
    if (isSoftware) await expect(strict).rejects.toThrow(UnsupportedError);
    else (await strict).destroy();
  });
});

test("a browser without an adapter is unsupported, and one that never answers ends at the deadline", async () => {
  const none = { requestAdapter: async () => null } as unknown as GPU;
  await expect(openWebGpuDevice({ gpu: none, allowSoftware: true })).rejects.toThrow(UnsupportedError);
  const silent = { requestAdapter: () => new Promise(() => {}) } as unknown as GPU;
  const opening = openWebGpuDevice({ gpu: silent, allowSoftware: true, clock: systemClock, deadlineMs: 20 });
  await expect(opening).rejects.toThrow(DeadlineError);
});

/** From an adapter to a Device. Takes `navigator.gpu` of a page or worker, or Dawn's in Node. */
import { systemClock, type Clock } from "../../../base/clock.ts";
import { UnsupportedError } from "../../../base/errors.ts";
import { withDeadline } from "../../../base/wait.ts";
import type { Device } from "../device.ts";
import { WebGpuDevice } from "./webgpu-device.ts";

export interface WebGpuOptions {
  readonly gpu: GPU;
  /** Accept a GPU emulated on the processor. */
  readonly allowSoftware: boolean;
  readonly clock?: Clock;
  /** For adapter and device together; some browsers never answer. */
  readonly deadlineMs?: number;
}

const OPEN_DEADLINE_MS = 20_000;
const SOFTWARE_NAMES = /swiftshader|llvmpipe|lavapipe|basic render|\bwarp\b|software/i;

/**
 * The fastest adapter, with its largest limits.
 *
 * @throws UnsupportedError where there is no adapter, or only a software one that is not allowed; DeadlineError
 */
export async function openWebGpuDevice(options: WebGpuOptions): Promise<Device> {
  const { gpu, allowSoftware, clock = systemClock, deadlineMs = OPEN_DEADLINE_MS } = options;
  return await withDeadline("openWebGpuDevice", open(gpu, allowSoftware), clock, { deadlineMs });
}

async function open(gpu: GPU, allowSoftware: boolean): Promise<Device> {
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  if (adapter === null) throw new UnsupportedError("openWebGpuDevice: expected a WebGPU adapter, found none");
  const { info } = adapter;
  const words = [info.vendor, info.architecture, info.device, info.description];
  const name = words.filter((word) => word !== "").join(" ") || "WebGPU";
  const isSoftware = info.isFallbackAdapter || SOFTWARE_NAMES.test(name);
  if (isSoftware && !allowSoftware) {
    throw new UnsupportedError(`openWebGpuDevice: expected a GPU, found the software adapter ${name}`);
  }
  const device = await requestDevice(adapter);
  const { limits } = device;
  const { maxStorageBuffersPerShaderStage, maxStorageBufferBindingSize, maxBufferSize } = limits;
  return new WebGpuDevice(device, {
    kind: "webgpu",
    name,
    adapter: { vendor: info.vendor, architecture: info.architecture },
    isSoftware,
    hasFloat16: device.features.has("shader-f16"),
    hasSubgroups: device.features.has("subgroups"),
    subgroupSize: device.features.has("subgroups") ? subgroupSizeOf(info) : null,
    limits: {
      bindingsMax: maxStorageBuffersPerShaderStage,
      bindingBytesMax: wholeWords(Math.min(maxStorageBufferBindingSize, maxBufferSize)),
      bufferBytesMax: wholeWords(maxBufferSize),
      workgroupBytesMax: limits.maxComputeWorkgroupStorageSize,
      workgroupLanesMax: Math.min(limits.maxComputeInvocationsPerWorkgroup, limits.maxComputeWorkgroupSizeX),
    },
  });
}

/** Asked for at their largest. */
const LIMITS = [
  "maxStorageBuffersPerShaderStage",
  "maxStorageBufferBindingSize",
  "maxBufferSize",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
] as const;

/** Used where the adapter has them: arrays of f16, subgroups, and the device's clock for `measure`. */
const FEATURES: readonly GPUFeatureName[] = ["shader-f16", "subgroups", "timestamp-query"];

function subgroupSizeOf({ subgroupMinSize, subgroupMaxSize }: GPUAdapterInfo): number | null {
  return subgroupMinSize === undefined || subgroupMinSize !== subgroupMaxSize ? null : subgroupMinSize;
}

/** Some drivers say 2^32 - 1. */
function wholeWords(bytes: number): number {
  return Math.floor(bytes / 4) * 4;
}

async function requestDevice(adapter: GPUAdapter): Promise<GPUDevice> {
  const requiredLimits = Object.fromEntries(LIMITS.map((name) => [name, adapter.limits[name]]));
  const requiredFeatures = FEATURES.filter((name) => adapter.features.has(name));
  try {
    return await adapter.requestDevice({ label: "hearth", requiredFeatures, requiredLimits });
  } catch (cause) {
    throw new UnsupportedError("openWebGpuDevice: expected the adapter to give a device, found a refusal", { cause });
  }
}

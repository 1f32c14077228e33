/**
 * WebGPU in Node, from the npm package `webgpu` (Dawn) over Vulkan.
 *
 * Without a GPU it wants a software Vulkan driver: Mesa's lavapipe 25 or later, or the SwiftShader that comes with
 * Chromium. A process whose devices are all destroyed ends by itself; one that is busy on the GPU should `process.exit`.
 */
import { existsSync } from "node:fs";
import { UnsupportedError } from "../../base/errors.ts";

/** Drivers for machines without a GPU; the first that exists is used. */
const SOFTWARE_DRIVERS = [
  "/usr/share/vulkan/icd.d/lvp_icd.json",
  "/usr/share/vulkan/icd.d/lvp_icd.x86_64.json",
  "/usr/lib/chromium/vk_swiftshader_icd.json",
  "/opt/google/chrome/vk_swiftshader_icd.json",
];

/** Dawn's instance must outlive all that came from it. */
let kept: GPU | undefined;

/** Why this machine has no WebGPU in Node, in words; undefined where it may. macOS and Windows need no driver of ours. */
export function dawnUnavailable(): string | undefined {
  if (process.platform !== "linux" || driverFromEnvironment() !== undefined) return undefined;
  if (SOFTWARE_DRIVERS.some((path) => existsSync(path))) return undefined;
  return `no Vulkan driver: none of ${SOFTWARE_DRIVERS.join(", ")}, and VK_ICD_FILENAMES is not set`;
}

/**
 * `navigator.gpu` for Node. Sets VK_ICD_FILENAMES before the first call loads Dawn, unless the environment has it.
 *
 * @throws UnsupportedError where there is no driver, or the package does not load
 */
export async function openDawn(): Promise<GPU> {
  if (kept !== undefined) return kept;
  const reason = dawnUnavailable();
  if (reason !== undefined) throw new UnsupportedError(`openDawn: expected a Vulkan driver, found ${reason}`);
  const driver = SOFTWARE_DRIVERS.find((path) => existsSync(path));
  const isChosen = process.platform !== "linux" || driverFromEnvironment() !== undefined;
  if (!isChosen && driver !== undefined) process.env["VK_ICD_FILENAMES"] = driver;
  try {
    const { create } = await import("webgpu");
    kept = create([]);
    return kept;
  } catch (cause) {
    throw new UnsupportedError("openDawn: expected the npm package webgpu to load, found that it does not", { cause });
  }
}

function driverFromEnvironment(): string | undefined {
  return process.env["VK_ICD_FILENAMES"] ?? process.env["VK_DRIVER_FILES"];
}

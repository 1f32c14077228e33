/** What every device checks before it touches memory; so that all refuse the same mistakes with the same words. */
import { assert } from "../../base/assert.ts";
import { UnsupportedError } from "../../base/errors.ts";
import { sharedBytesOf, usesSubgroups } from "../lang/features.ts";
import { bytesOfArray, lanesOf, type Kernel } from "../lang/kernel.ts";
import type { Command, DeviceBuffer, DeviceInfo, DeviceLimits } from "./device.ts";

/** @throws UnsupportedError for a kernel that needs what the device lacks. */
export function checkKernel(kernel: Kernel, { limits, hasFloat16, hasSubgroups, name: device }: DeviceInfo): void {
  const { name, bindings } = kernel;
  if (!hasFloat16 && bindings.some(({ type }) => type === "f16")) {
    throw new UnsupportedError(`kernel ${name}: expected a device with float16, found ${device}: use float32 there`);
  }
  if (!hasSubgroups && usesSubgroups(kernel)) {
    throw new UnsupportedError(`kernel ${name}: expected a device with subgroups, found ${device}: use barriers there`);
  }
  const atMost = (found: number, most: number, what: string): void => {
    if (found <= most) return;
    throw new UnsupportedError(`kernel ${name}: expected at most ${most} ${what} on this device, found ${found}`);
  };
  atMost(bindings.length, limits.bindingsMax, "bindings");
  for (const [index, { type, length }] of bindings.entries()) {
    atMost(bytesOfArray(type, length), limits.bindingBytesMax, `bytes in binding ${index}`);
  }
  atMost(lanesOf(kernel), limits.workgroupLanesMax, "lanes in a workgroup");
  atMost(sharedBytesOf(kernel), limits.workgroupBytesMax, "bytes shared in a workgroup");
}

/** @throws InvariantError for a size no buffer has; UnsupportedError for one beyond `limits`. */
export function checkBufferBytes(bytes: number, limits: DeviceLimits): void {
  const isWhole = Number.isInteger(bytes) && bytes >= 4 && bytes % 4 === 0;
  assert(isWhole, `createBuffer: expected a multiple of 4 bytes, at least 4, found ${bytes}`);
  if (bytes <= limits.bufferBytesMax) return;
  throw new UnsupportedError(
    `createBuffer: expected at most ${limits.bufferBytesMax} bytes on this device, found ${bytes}`,
  );
}

/** Checks that [offset, offset + bytes) lies in `buffer` and starts and ends at multiples of 4. */
export function checkRange(what: string, buffer: DeviceBuffer, offset: number, bytes: number): void {
  const isAligned = Number.isInteger(offset) && offset >= 0 && offset % 4 === 0 && bytes >= 0 && bytes % 4 === 0;
  assert(isAligned, `${what}: expected an offset and a size in multiples of 4, found ${offset} and ${bytes}`);
  assert(
    offset + bytes <= buffer.bytes,
    `${what}: expected an end within ${buffer.bytes} bytes, found ${offset} + ${bytes}`,
  );
}

/**
 * Checks buffers against the bindings of their kernel, and copies against their buffers.
 *
 * @throws InvariantError for a missing or short buffer, one bound twice while a binding writes it, a copy within one.
 */
export function checkCommand(command: Command): void {
  if (command.kind === "copy") {
    const { source, target, sourceOffset, targetOffset, bytes } = command;
    checkRange("copy from", source, sourceOffset, bytes);
    checkRange("copy to", target, targetOffset, bytes);
    assert(source !== target, "copy: expected two buffers, found one");
    return;
  }
  const { name, bindings } = command.kernel.kernel;
  const { buffers } = command;
  const counts = `found ${buffers.length}`;
  assert(buffers.length === bindings.length, `dispatch ${name}: expected ${bindings.length} buffers, ${counts}`);
  const written = new Set<DeviceBuffer>();
  const bound = new Set<DeviceBuffer>();
  for (const [index, buffer] of buffers.entries()) {
    const { type = "f32", length = 0, access = "read" } = bindings[index] ?? {};
    const bytes = bytesOfArray(type, length);
    const size = `expected at least ${bytes} bytes for binding ${index}, found ${buffer.bytes}`;
    assert(buffer.bytes >= bytes, `dispatch ${name}: ${size}`);
    const clashes = written.has(buffer) || (access !== "read" && bound.has(buffer));
    assert(!clashes, `dispatch ${name}: expected a written buffer to be bound once, found it again at ${index}`);
    bound.add(buffer);
    if (access !== "read") written.add(buffer);
  }
}

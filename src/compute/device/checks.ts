/** What every device checks before it touches memory; so that all refuse the same mistakes with the same words. */
import { assert } from "../../base/assert.ts";
import { UnsupportedError } from "../../base/errors.ts";
import { sharedBytesOf, usesSubgroups } from "../lang/features.ts";
import { bytesOfArray, lanesOf, type Kernel } from "../lang/kernel.ts";
import { PART_BYTES, type Command, type DeviceBuffer, type DeviceInfo, type DeviceLimits } from "./device.ts";

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
  const bound = bindings.filter(({ aliasOf }) => aliasOf === undefined).length;
  atMost(bound, limits.bindingsMax, "bindings");
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

/** Checks what `DeviceBuffer.part` is given. */
export function checkPart(buffer: DeviceBuffer, offset: number, bytes: number): void {
  const isAligned = (buffer.offset + offset) % PART_BYTES === 0;
  assert(isAligned, `part: expected an offset in multiples of ${PART_BYTES}, found ${offset}`);
  checkRange("part", buffer, offset, bytes);
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
    const isDown = target.offset + targetOffset < source.offset + sourceOffset;
    const isSafe = isDown || !overlap(source, sourceOffset, bytes, target, targetOffset, bytes);
    assert(isSafe, "copy: expected a target before its source or apart from it, found it overlapping from behind");
    return;
  }
  const { name, bindings } = command.kernel.kernel;
  const { buffers } = command;
  const counts = `found ${buffers.length}`;
  assert(buffers.length === bindings.length, `dispatch ${name}: expected ${bindings.length} buffers, ${counts}`);
  for (const [index, buffer] of buffers.entries()) {
    const { type = "f32", length = 0 } = bindings[index] ?? {};
    const bytes = bytesOfArray(type, length);
    const size = `expected at least ${bytes} bytes for binding ${index}, found ${buffer.bytes}`;
    assert(buffer.bytes >= bytes, `dispatch ${name}: ${size}`);
  }
  checkAliases(command.kernel.kernel, buffers);
}

/**
 * What a kernel may bind together, by WebGPU's rules: places that are written overlap no other, and a buffer of which
 * a part is written is bound writable wherever it is bound (`Binding.isShared`).
 */
function checkAliases({ name, bindings }: Kernel, buffers: readonly DeviceBuffer[]): void {
  const byWhole = new Map<DeviceBuffer, number[]>();
  for (const [index, { whole }] of buffers.entries()) {
    const { aliasOf } = bindings[index] ?? {};
    if (aliasOf !== undefined) {
      const isSame = buffers[aliasOf] === buffers[index] && bindings[aliasOf]?.access !== "read";
      assert(isSame, `dispatch ${name}: expected binding ${index} to be the memory of binding ${aliasOf}`);
      continue;
    }
    byWhole.set(whole, [...(byWhole.get(whole) ?? []), index]);
  }
  for (const indices of byWhole.values()) {
    const written = indices.filter((index) => bindings[index]?.access !== "read");
    if (written.length === 0) continue;
    for (const index of indices) {
      const binding = bindings[index];
      const isWritable = binding?.access !== "read" || binding.isShared === true;
      assert(isWritable, `dispatch ${name}: expected binding ${index} to be shared, since its buffer is written too`);
      for (const other of written) {
        if (other === index) continue;
        const [a, b] = [buffers[index], buffers[other]];
        const clashes = a !== undefined && b !== undefined && overlap(a, 0, a.bytes, b, 0, b.bytes);
        assert(!clashes, `dispatch ${name}: expected a written place to be bound once, found it again at ${index}`);
      }
    }
  }
}

function overlap(
  a: DeviceBuffer,
  aOffset: number,
  aBytes: number,
  b: DeviceBuffer,
  bOffset: number,
  bBytes: number,
): boolean {
  if (a.whole !== b.whole) return false;
  const [from, other] = [a.offset + aOffset, b.offset + bOffset];
  return from < other + bBytes && other < from + aBytes;
}

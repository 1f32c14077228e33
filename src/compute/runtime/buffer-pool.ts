/**
 * Device memory that is used again instead of freed: creating buffers is slow, and training repeats itself.
 *
 * Small arrays are parts of slabs, so that a kernel can bind many of them at once; large ones, and the memory of plans,
 * are buffers of their own.
 */
import { present } from "../../base/assert.ts";
import { PART_BYTES, type Device, type DeviceBuffer } from "../device/device.ts";
import { FreeList, roundedBytes } from "../memory/free-list.ts";
import { Ranges } from "../memory/ranges.ts";
import type { RuntimeMemory } from "./runtime.ts";

/** More than this that nobody uses is given back to the device. */
const IDLE_BYTES_MAX = 256 * 2 ** 20;
/** Larger arrays get a buffer of their own. */
const PART_BYTES_MAX = 2 ** 20;
/** Of the first slab; each further one is twice as large as the one before, up to the most. */
const SLAB_BYTES_MIN = 4 * 2 ** 20;
const SLAB_BYTES_MAX = 64 * 2 ** 20;

interface Slab {
  readonly buffer: DeviceBuffer;
  /** In units of PART_BYTES. */
  readonly ranges: Ranges;
}

export class BufferPool {
  readonly #device: Device;
  readonly #free = new FreeList<DeviceBuffer>(IDLE_BYTES_MAX);
  /** Whole buffers, in use or waiting, slabs among them. */
  readonly #all = new Set<DeviceBuffer>();
  readonly #slabs = new Map<DeviceBuffer, Slab>();
  readonly #parts = new Set<DeviceBuffer>();
  #allBytes = 0;
  #slabFreeBytes = 0;
  #peakBytes = 0;

  constructor(device: Device) {
    this.#device = device;
  }

  /** Bytes of device memory: in use, waiting to be used again, and the most that both came to. */
  get memory(): RuntimeMemory {
    const pooledBytes = this.#free.bytes + this.#slabFreeBytes;
    return { liveBytes: this.#allBytes - pooledBytes, pooledBytes, peakBytes: this.#peakBytes };
  }

  /** Memory of at least `bytes`, with anything in it: a part of a slab, or a buffer. */
  take(bytes: number): DeviceBuffer {
    return bytes <= PART_BYTES_MAX ? this.#takePart(bytes) : this.takeWhole(bytes);
  }

  /** A buffer of its own of at least `bytes`, with anything in it. */
  takeWhole(bytes: number): DeviceBuffer {
    const rounded = this.#roundedBytes(bytes);
    return this.#free.take(rounded) ?? this.#create(rounded);
  }

  /** Memory of at least `bytes`, of which the first `bytes` are 0. */
  takeZeroed(bytes: number): DeviceBuffer {
    const rounded = this.#roundedBytes(bytes);
    const isPart = bytes <= PART_BYTES_MAX;
    const used = isPart ? this.#takePart(bytes) : this.#free.take(rounded);
    // Devices give new buffers zeroed.
    if (used === undefined) return this.#create(rounded);
    this.#device.write(used, new Uint8Array(Math.max(4, bytes)));
    return used;
  }

  /** Gives memory back; commands submitted so far may still use it, since later ones run after them. */
  give(memory: DeviceBuffer): void {
    const slab = this.#slabs.get(memory.whole);
    if (slab !== undefined) return this.#givePart(memory, slab);
    if (!this.#all.has(memory) || this.#free.give(memory, memory.bytes)) return;
    this.#destroy(memory);
  }

  /** Frees all buffers, those in use too. */
  destroy(): void {
    this.#free.drain();
    for (const buffer of this.#all) buffer.destroy();
    this.#all.clear();
    this.#slabs.clear();
    this.#parts.clear();
    this.#allBytes = this.#slabFreeBytes = 0;
  }

  #takePart(bytes: number): DeviceBuffer {
    const units = Math.ceil(Math.max(bytes, 4) / PART_BYTES);
    let slab: Slab | undefined;
    let start: number | undefined;
    for (slab of this.#slabs.values()) {
      start = slab.ranges.take(units);
      if (start !== undefined) break;
    }
    if (slab === undefined || start === undefined) {
      slab = this.#createSlab();
      start = present(slab.ranges.take(units), "BufferPool: a part of an empty slab");
    }
    this.#slabFreeBytes -= units * PART_BYTES;
    const part = slab.buffer.part(start * PART_BYTES, units * PART_BYTES);
    this.#parts.add(part);
    return part;
  }

  #givePart(part: DeviceBuffer, { buffer, ranges }: Slab): void {
    if (!this.#parts.delete(part)) return;
    ranges.give(part.offset / PART_BYTES, part.bytes / PART_BYTES);
    this.#slabFreeBytes += part.bytes;
    if (!ranges.isAllFree || this.#slabFreeBytes <= IDLE_BYTES_MAX) return;
    this.#slabs.delete(buffer);
    this.#slabFreeBytes -= buffer.bytes;
    this.#destroy(buffer);
  }

  #createSlab(): Slab {
    const { bufferBytesMax, bindingBytesMax } = this.#device.info.limits;
    const wanted = Math.min(SLAB_BYTES_MAX, SLAB_BYTES_MIN * 2 ** this.#slabs.size);
    const bytes = Math.max(PART_BYTES_MAX, Math.min(wanted, bufferBytesMax, bindingBytesMax));
    const buffer = this.#create(bytes);
    const slab = { buffer, ranges: new Ranges(bytes / PART_BYTES) };
    this.#slabs.set(buffer, slab);
    this.#slabFreeBytes += bytes;
    return slab;
  }

  #create(bytes: number): DeviceBuffer {
    const buffer = this.#device.createBuffer(bytes);
    this.#all.add(buffer);
    this.#allBytes += buffer.bytes;
    this.#peakBytes = Math.max(this.#peakBytes, this.#allBytes);
    return buffer;
  }

  #destroy(buffer: DeviceBuffer): void {
    this.#all.delete(buffer);
    this.#allBytes -= buffer.bytes;
    buffer.destroy();
  }

  /** Rounding up must not take a buffer that fits beyond the device's limit. */
  #roundedBytes(bytes: number): number {
    const { bufferBytesMax } = this.#device.info.limits;
    const rounded = roundedBytes(bytes);
    return rounded <= bufferBytesMax ? rounded : Math.max(4, bytes);
  }
}

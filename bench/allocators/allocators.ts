/** Three ways to get memory for tensors from a device, to be compared on the same traces. */
import { assert, present } from "../../src/base/assert.ts";
import type { Device, DeviceBuffer } from "../../src/compute/device/device.ts";
import { PAGE_BYTES, Pages, type Allocation } from "../../src/compute/memory/pages.ts";

export interface Allocator<T> {
  take(bytes: number): T;
  give(memory: T): void;
  /** Held of the device: in use or waiting. */
  readonly takenBytes: number;
  /** Gives all back to the device. */
  end(): void;
}

/** Slabs are at least so large. */
const SLAB_BYTES = 4 * 2 ** 20;

/** `Pages` over slabs that are buffers; a slab more when none has room. */
export class PageAllocator implements Allocator<Allocation> {
  readonly pages: Pages = new Pages();
  readonly #device: Device;
  readonly #slabs: DeviceBuffer[] = [];
  takenBytes = 0;

  constructor(device: Device) {
    this.#device = device;
  }

  take(bytes: number): Allocation {
    const allocation = this.pages.take(bytes, "other");
    if (allocation !== undefined) return allocation;
    const slabBytes = Math.max(SLAB_BYTES, Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES);
    this.pages.addSlab(slabBytes);
    this.#slabs.push(this.#device.createBuffer(slabBytes));
    this.takenBytes += slabBytes;
    return present(this.pages.take(bytes, "other"), "PageAllocator: room in a new slab");
  }

  give(allocation: Allocation): void {
    this.pages.give(allocation);
  }

  end(): void {
    for (const slab of this.#slabs) slab.destroy();
    this.#slabs.length = 0;
  }
}

/** A buffer for each tensor. */
export class BufferAllocator implements Allocator<DeviceBuffer> {
  readonly #device: Device;
  takenBytes = 0;

  constructor(device: Device) {
    this.#device = device;
  }

  take(bytes: number): DeviceBuffer {
    const buffer = this.#device.createBuffer(bufferBytes(bytes));
    this.takenBytes += buffer.bytes;
    return buffer;
  }

  give(buffer: DeviceBuffer): void {
    this.takenBytes -= buffer.bytes;
    buffer.destroy();
  }

  end(): void {
    assert(this.takenBytes === 0, `BufferAllocator.end: expected all buffers back, found ${this.takenBytes} bytes`);
  }
}

/** Buffers that were given back serve takes of exactly their size, and no others. */
export class ExactSizeAllocator implements Allocator<DeviceBuffer> {
  readonly #device: Device;
  readonly #free = new Map<number, DeviceBuffer[]>();
  takenBytes = 0;

  constructor(device: Device) {
    this.#device = device;
  }

  take(bytes: number): DeviceBuffer {
    const size = bufferBytes(bytes);
    const free = this.#free.get(size)?.pop();
    if (free !== undefined) return free;
    this.takenBytes += size;
    return this.#device.createBuffer(size);
  }

  give(buffer: DeviceBuffer): void {
    const free = this.#free.get(buffer.bytes) ?? [];
    this.#free.set(buffer.bytes, free);
    free.push(buffer);
  }

  end(): void {
    for (const buffer of [...this.#free.values()].flat()) buffer.destroy();
    this.#free.clear();
  }
}

/** What a buffer's size has to be a multiple of. */
function bufferBytes(bytes: number): number {
  return Math.max(4, Math.ceil(bytes / 4) * 4);
}

/** Device memory that is used again instead of freed: creating buffers is slow, and training repeats itself. */
import type { Device, DeviceBuffer } from "../device/device.ts";
import { FreeList, roundedBytes } from "../memory/free-list.ts";
import type { RuntimeMemory } from "./runtime.ts";

/** More than this that nobody uses is given back to the device. */
const IDLE_BYTES_MAX = 256 * 2 ** 20;

export class BufferPool {
  readonly #device: Device;
  readonly #free = new FreeList<DeviceBuffer>(IDLE_BYTES_MAX);
  /** In use or waiting. */
  readonly #all = new Set<DeviceBuffer>();
  #allBytes = 0;
  #peakBytes = 0;

  constructor(device: Device) {
    this.#device = device;
  }

  /** Bytes of device memory: in use, waiting to be used again, and the most that both came to. */
  get memory(): RuntimeMemory {
    const pooledBytes = this.#free.bytes;
    return { liveBytes: this.#allBytes - pooledBytes, pooledBytes, peakBytes: this.#peakBytes };
  }

  /** A buffer of at least `bytes`, with anything in it. */
  take(bytes: number): DeviceBuffer {
    const rounded = this.#roundedBytes(bytes);
    return this.#free.take(rounded) ?? this.#create(rounded);
  }

  /** A buffer of at least `bytes`, of which the first `bytes` are 0. */
  takeZeroed(bytes: number): DeviceBuffer {
    const rounded = this.#roundedBytes(bytes);
    const used = this.#free.take(rounded);
    if (used === undefined) return this.#create(rounded);
    this.#device.write(used, new Uint8Array(Math.max(4, bytes)));
    return used;
  }

  /** Gives a buffer back; commands submitted so far may still use it, since later ones run after them. */
  give(buffer: DeviceBuffer): void {
    if (!this.#all.has(buffer) || this.#free.give(buffer, buffer.bytes)) return;
    this.#all.delete(buffer);
    this.#allBytes -= buffer.bytes;
    buffer.destroy();
  }

  /** Frees all buffers, those in use too. */
  destroy(): void {
    this.#free.drain();
    for (const buffer of this.#all) buffer.destroy();
    this.#all.clear();
    this.#allBytes = 0;
  }

  #create(bytes: number): DeviceBuffer {
    const buffer = this.#device.createBuffer(bytes);
    this.#all.add(buffer);
    this.#allBytes += buffer.bytes;
    this.#peakBytes = Math.max(this.#peakBytes, this.#allBytes);
    return buffer;
  }

  /** Rounding up must not take a buffer that fits beyond the device's limit. */
  #roundedBytes(bytes: number): number {
    const { bufferBytesMax } = this.#device.info.limits;
    const rounded = roundedBytes(bytes);
    return rounded <= bufferBytesMax ? rounded : Math.max(4, bytes);
  }
}

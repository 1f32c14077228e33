/** Buffers as ranges of the device's memory. */
import { assert } from "../../../base/assert.ts";
import { checkPart } from "../checks.ts";
import type { DeviceBuffer } from "../device.ts";
import type { LinearMemory } from "./linear-memory.ts";

export class WasmBuffer implements DeviceBuffer {
  readonly bytes: number;
  readonly offset: number;
  readonly whole: WasmBuffer;
  isDestroyed = false;
  readonly #memory: LinearMemory;
  readonly #start: number;
  readonly #free: (buffer: WasmBuffer) => void;

  constructor(
    memory: LinearMemory,
    bytes: number,
    start: number,
    free: (buffer: WasmBuffer) => void,
    offset = 0,
    whole?: WasmBuffer,
  ) {
    this.#memory = memory;
    this.bytes = bytes;
    this.offset = offset;
    this.whole = whole ?? this;
    this.#start = start;
    this.#free = free;
  }

  /** Where its first byte is. */
  get address(): number {
    return this.#start + this.offset;
  }

  part(offset: number, bytes: number): DeviceBuffer {
    checkPart(this, offset, bytes);
    return new WasmBuffer(this.#memory, bytes, this.#start, () => {}, this.offset + offset, this.whole);
  }

  /** Its bytes from `start` up to, not including, `end`: until the memory grows. */
  bytesAt(start: number, end: number): Uint8Array {
    return this.#memory.bytesAt(this.address + start, end - start);
  }

  destroy(): void {
    if (this.isDestroyed) return;
    this.isDestroyed = true;
    this.#free(this);
  }
}

/** `buffer`, if it is one of this kind of device and alive. */
export function ownBuffer(what: string, buffer: DeviceBuffer): WasmBuffer {
  assert(buffer instanceof WasmBuffer, `${what}: expected a buffer of this device`);
  const isAlive = !buffer.whole.isDestroyed;
  assert(isAlive, `${what}: expected a live buffer, found one of ${buffer.bytes} bytes that is destroyed`);
  return buffer;
}

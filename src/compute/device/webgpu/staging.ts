/** Buffers the processor can read, kept for the next readback: making one costs more than a small read. */
import { BufferUsage } from "./constants.ts";

/** Free buffers kept, and the largest one worth keeping. */
const KEPT_MAX = 4;
const KEPT_BYTES_MAX = 1 << 20;
const BYTES_MIN = 256;

export class Staging {
  readonly #device: GPUDevice;
  readonly #free: GPUBuffer[] = [];

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** An unmapped buffer of at least `bytes` bytes. */
  take(bytes: number): GPUBuffer {
    const at = this.#free.findIndex((buffer) => buffer.size >= bytes);
    const [kept] = at < 0 ? [] : this.#free.splice(at, 1);
    if (kept !== undefined) return kept;
    // Powers of two, so that reads of similar sizes share; large ones are made to measure.
    const size = bytes > KEPT_BYTES_MAX ? bytes : Math.max(BYTES_MIN, 2 ** Math.ceil(Math.log2(bytes)));
    return this.#device.createBuffer({ label: "readback", size, usage: BufferUsage.mapRead | BufferUsage.copyDst });
  }

  /** Takes back an unmapped buffer. */
  give(buffer: GPUBuffer): void {
    if (this.#free.length < KEPT_MAX && buffer.size <= KEPT_BYTES_MAX) this.#free.push(buffer);
    else buffer.destroy();
  }
}

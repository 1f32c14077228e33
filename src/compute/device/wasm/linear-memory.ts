/** The device's memory: one linear memory of WebAssembly, given out in ranges, that grows when it is full. */
import { QuotaError, UnsupportedError } from "../../../base/errors.ts";
import { Runs } from "../../memory/runs.ts";

/** Of WebAssembly; ranges are whole ones, since what asks for memory asks for much at a time. */
const PAGE_BYTES = 2 ** 16;
/** What is tried, the largest first: small machines have no room for the addresses. */
const PAGES_MAX = [65_536, 32_768, 16_384, 4_096] as const;

/** Addresses are bytes from the beginning. */
export class LinearMemory {
  readonly memory: WebAssembly.Memory;
  /** Pages of 64 KiB at most. */
  readonly pagesMax: number;
  readonly isShared: boolean;
  readonly #runs = new Runs();
  /** From here on nothing was ever given out: it is all zeros. */
  #usedBytes = 0;

  /** @throws UnsupportedError where there is no memory at all */
  constructor(isShared: boolean) {
    const made = createMemory(isShared);
    this.memory = made.memory;
    this.pagesMax = made.pagesMax;
    this.isShared = isShared;
    this.#runs.addSpan(made.pagesMax);
  }

  /** The address of `bytes` zeros, which are the caller's until `give`. @throws QuotaError where there is no room */
  take(bytes: number): number {
    const pages = Math.ceil(bytes / PAGE_BYTES);
    const start = this.#runs.take(pages);
    if (start === undefined) throw new QuotaError(`wasm memory: expected room for ${bytes} bytes, found none`);
    const address = start * PAGE_BYTES;
    const end = address + pages * PAGE_BYTES;
    try {
      this.#growTo(end);
    } catch (cause) {
      this.#runs.give(start);
      throw new QuotaError(`wasm memory: expected to grow to ${end} bytes, found that it cannot`, { cause });
    }
    const usedUntil = Math.min(end, this.#usedBytes);
    if (address < usedUntil) this.bytesAt(address, usedUntil - address).fill(0);
    this.#usedBytes = Math.max(this.#usedBytes, end);
    return address;
  }

  /** Gives back what `take` gave. */
  give(address: number): void {
    this.#runs.give(address / PAGE_BYTES);
  }

  /** A view that holds until the memory grows. */
  bytesAt(address: number, length: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, address, length);
  }

  #growTo(end: number): void {
    const missing = Math.ceil(end / PAGE_BYTES) - this.memory.buffer.byteLength / PAGE_BYTES;
    if (missing > 0) this.memory.grow(missing);
  }
}

function createMemory(shared: boolean): { memory: WebAssembly.Memory; pagesMax: number } {
  let cause: unknown;
  for (const pagesMax of PAGES_MAX) {
    try {
      return { memory: new WebAssembly.Memory({ initial: 1, maximum: pagesMax, shared }), pagesMax };
    } catch (error) {
      cause = error;
    }
  }
  throw new UnsupportedError("wasm memory: expected addresses for 256 MiB, found fewer", { cause });
}

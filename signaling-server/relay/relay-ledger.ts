/**
 * The relay's bookkeeping: how much each member may send, and how much waits for whom. Decides and does no I/O.
 *
 * Two members who keep the protocol have little over 1 MiB under way in each direction. So whoever lets more wait for
 * one receiver does not keep it, and is refused; who is merely fast is read more slowly.
 */
import { assert } from "../../src/base/assert.ts";

/** What the relay takes, for each member and in all. */
export interface RelayLimits {
  /** Sustained, of one sender. */
  readonly bytesPerSecond: number;
  /** What a sender may have ahead of that. */
  readonly burstBytes: number;
  /** Waiting from one sender for one receiver. */
  readonly pairBytesMax: number;
  /** Waiting in all: beyond it nobody is read. */
  readonly totalBytesMax: number;
  readonly socketsMax: number;
}

const MEBIBYTE = 1024 * 1024;

export const RELAY_LIMITS: RelayLimits = {
  bytesPerSecond: 16 * MEBIBYTE,
  burstBytes: 16 * MEBIBYTE,
  pairBytesMax: 4 * MEBIBYTE,
  totalBytesMax: 256 * MEBIBYTE,
  socketsMax: 2_000,
};

/** What a message costs besides its bytes: many small ones are work too. */
const MESSAGE_BYTES = 256;

/** How much a sender is ahead of its rate: a bucket that leaks. */
export interface Bucket {
  readonly bytes: number;
  readonly atMs: number;
}

export const EMPTY_BUCKET: Bucket = { bytes: 0, atMs: 0 };

/** The bucket after a message of `bytes`, and for how long its sender is not read. */
export function pour(
  bucket: Bucket,
  bytes: number,
  nowMs: number,
  { bytesPerSecond, burstBytes }: Pick<RelayLimits, "bytesPerSecond" | "burstBytes">,
): { readonly bucket: Bucket; readonly pauseMs: number } {
  const leakedBytes = (Math.max(0, nowMs - bucket.atMs) * bytesPerSecond) / 1_000;
  const next = Math.max(0, bucket.bytes - leakedBytes) + bytes + MESSAGE_BYTES;
  return {
    bucket: { bytes: next, atMs: nowMs },
    pauseMs: next <= burstBytes ? 0 : Math.ceil(((next - burstBytes) * 1_000) / bytesPerSecond),
  };
}

/** What waits to be sent on. */
export class RelayLedger {
  readonly #limits: Pick<RelayLimits, "pairBytesMax" | "totalBytesMax">;
  readonly #waiting = new Map<string, number>();
  #totalBytes = 0;

  constructor(limits: Pick<RelayLimits, "pairBytesMax" | "totalBytesMax">) {
    this.#limits = limits;
  }

  get totalBytes(): number {
    return this.#totalBytes;
  }

  /** True while senders are not to be read: from the limit until half of it has gone. */
  get isFull(): boolean {
    return this.#totalBytes >= this.#limits.totalBytesMax;
  }

  get isRelieved(): boolean {
    return this.#totalBytes <= this.#limits.totalBytesMax / 2;
  }

  /** Notes a message on its way, or says in one sentence why it is refused. */
  take(pair: string, bytes: number): string | null {
    const waiting = (this.#waiting.get(pair) ?? 0) + bytes;
    if (waiting > this.#limits.pairBytesMax) {
      return `The relay expected at most ${this.#limits.pairBytesMax} bytes to wait for one peer, and got more.`;
    }
    this.#waiting.set(pair, waiting);
    this.#totalBytes += bytes;
    return null;
  }

  /** The message has left, or its receiver has. */
  release(pair: string, bytes: number): void {
    const waiting = (this.#waiting.get(pair) ?? 0) - bytes;
    assert(waiting >= 0, `relay: ${-waiting} bytes more left than came`);
    if (waiting === 0) this.#waiting.delete(pair);
    else this.#waiting.set(pair, waiting);
    this.#totalBytes -= bytes;
  }
}

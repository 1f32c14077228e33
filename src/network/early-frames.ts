/**
 * Frames that came before anybody here could use them: of an operation that this member has not begun, or of the
 * next fence, which others may enter first. Kept within bounds for each peer; the rest is refused.
 *
 * Honest peers stay far below: they send one window of a message before they are asked for more (see `Operation`).
 */
import { compareFences, isSameFence } from "./wire/frame.ts";
import type { Fence, Frame } from "./wire/frame.ts";
import type { PeerId } from "./transport/transport.ts";

export interface EarlyFrame {
  readonly from: PeerId;
  readonly frame: Frame;
}

/** What an empty frame weighs: it takes memory too. */
const FRAME_OVERHEAD_BYTES = 200;

export class EarlyFrames {
  readonly #bytesMax: number;
  readonly #bytes = new Map<PeerId, number>();
  #frames: EarlyFrame[] = [];

  /** `bytesMax`: for each peer. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** False when there is no room for it. */
  add(from: PeerId, frame: Frame): boolean {
    const bytes = (this.#bytes.get(from) ?? 0) + weight(frame);
    if (bytes > this.#bytesMax) return false;
    this.#bytes.set(from, bytes);
    this.#frames.push({ from, frame });
    return true;
  }

  /** Takes out what there is for an operation, oldest first. */
  take(fence: Fence, operation: number): EarlyFrame[] {
    return this.#takeWhere(({ frame }) => isSameFence(frame, fence) && frame.operation === operation);
  }

  /** Takes out what there is of a fence. */
  takeOf(fence: Fence): EarlyFrame[] {
    return this.#takeWhere(({ frame }) => isSameFence(frame, fence));
  }

  /** Takes out what belongs to fences before this one and to none of those that are open: it will never be used. */
  takeBefore(fence: Fence, open: readonly Fence[]): EarlyFrame[] {
    return this.#takeWhere(({ frame }) => {
      return compareFences(frame, fence) < 0 && !open.some((one) => isSameFence(frame, one));
    });
  }

  /** Takes out what a peer sent: its stream ended, and a new one begins anew. */
  takeFrom(peer: PeerId): EarlyFrame[] {
    return this.#takeWhere(({ from }) => from === peer);
  }

  #takeWhere(isTaken: (early: EarlyFrame) => boolean): EarlyFrame[] {
    const taken: EarlyFrame[] = [];
    const kept: EarlyFrame[] = [];
    for (const early of this.#frames) (isTaken(early) ? taken : kept).push(early);
    this.#frames = kept;
    for (const { from, frame } of taken) this.#bytes.set(from, (this.#bytes.get(from) ?? 0) - weight(frame));
    return taken;
  }
}

function weight(frame: Frame): number {
  return frame.payload.byteLength + FRAME_OVERHEAD_BYTES;
}

/** What an operation knows of one other rank: what came from it, what it lets us send. */
import type { Bytes } from "../../base/bytes.ts";
import { deferred } from "../deferred.ts";
import type { Deferred } from "../deferred.ts";
import type { PeerId } from "../transport/transport.ts";
import type { Frame } from "../wire/frame.ts";
import { ScatteredMessage } from "./scattered-message.ts";
import type { MessageBounds, Placed } from "./scattered-message.ts";

/** What needs no grant, in frames of its path. Part of the protocol: both sides count the same. */
const WINDOW_BYTES = 1024 * 1024;
const WINDOW_FRAMES_MIN = 4;
const WINDOW_FRAMES_MAX = 16;

export class Counterpart {
  readonly peer: PeerId;
  readonly framePayloadBytes: number;
  /** Whole messages that no write has used, by number. */
  readonly messages: Map<number, Bytes> = new Map();
  /** Messages to it that are not handed over, and the end of the last of them. */
  unsent: number = 0;
  lastSent: Promise<void> = Promise.resolve();
  /** Whether this side has given its grant. */
  isGranted: boolean = false;
  /** Settled when the other side wants more than the window. */
  readonly #grant: Deferred<void> = deferred<void>();
  readonly #expected: number;
  readonly #windowFrames: number;
  readonly #boundsOf: (message: number) => MessageBounds;
  readonly #partial = new Map<number, ScatteredMessage>();
  readonly #whole = new Set<number>();
  #framesSent = 0;
  #framesHeard = 0;

  /** `expected`: how many messages it sends, each within its bounds. */
  constructor(peer: PeerId, expected: number, framePayloadBytes: number, boundsOf: (message: number) => MessageBounds) {
    this.peer = peer;
    this.framePayloadBytes = framePayloadBytes;
    const frames = Math.floor(WINDOW_BYTES / framePayloadBytes);
    this.#windowFrames = Math.min(WINDOW_FRAMES_MAX, Math.max(WINDOW_FRAMES_MIN, frames));
    this.#expected = expected;
    this.#boundsOf = boundsOf;
  }

  /** Resolves when another frame may be sent to it. */
  async permission(): Promise<void> {
    this.#framesSent += 1;
    if (this.#framesSent > this.#windowFrames) await this.#grant.promise;
  }

  /** It takes part now, or nothing matters any more. */
  allow(): void {
    this.#grant.resolve();
  }

  /** Takes a frame of one of its messages. */
  take(frame: Frame): Placed {
    const number = frame.message ?? 0;
    if (number >= this.#expected) return { kind: "fault", message: "expected no more messages, found one" };
    if (this.#whole.has(number)) return { kind: "duplicate" };
    this.#framesHeard += 1;
    const partial = this.#partial.get(number) ?? new ScatteredMessage(this.#boundsOf(number));
    this.#partial.set(number, partial);
    const placed = partial.add(frame);
    if (placed.kind !== "whole") return placed;
    this.#partial.delete(number);
    this.#whole.add(number);
    this.messages.set(number, placed.message);
    return placed;
  }

  /** Whether the other side may soon wait for our grant. */
  needsGrant(frame: Frame): boolean {
    if (this.isGranted) return false;
    const isOneOfMany = this.#expected > 1 && this.#whole.size < this.#expected;
    // Half a window early, so that the grant is there before the window ends.
    return frame.chunks > this.#windowFrames || (isOneOfMany && this.#framesHeard >= this.#windowFrames / 2);
  }
}

/**
 * The order in which frames leave for one peer: by priority, then by operation, so that the gradients that are needed
 * first go first whatever was begun first. Every eighth frame is the one that has waited longest: nothing starves.
 */
import type { HearthError } from "../base/errors.ts";
import type { Bytes } from "../base/bytes.ts";

/** Where a frame stands among others. The lowest goes first. */
export interface FrameRank {
  readonly priority: number;
  readonly operation: number;
}

interface Waiting extends FrameRank {
  readonly frame: Bytes;
  readonly resolve: () => void;
  readonly reject: (error: HearthError) => void;
}

const OLDEST_EVERY = 8;

/** Frames that wait for one link. */
export class Outbox {
  /** Oldest first. */
  readonly #waiting: Waiting[] = [];
  readonly #send: (frame: Bytes) => Promise<void>;
  #isBusy = false;
  #taken = 0;

  /** `send` resolves when the link has room for the next one. */
  constructor(send: (frame: Bytes) => Promise<void>) {
    this.#send = send;
  }

  /** Resolves when the frame is handed over. */
  push(frame: Bytes, rank: FrameRank): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ...rank, frame, resolve, reject });
      if (!this.#isBusy) void this.#pump();
    });
  }

  async #pump(): Promise<void> {
    this.#isBusy = true;
    for (let next = this.#take(); next !== undefined; next = this.#take()) {
      try {
        await this.#send(next.frame);
        next.resolve();
      } catch (error) {
        next.reject(error as HearthError);
      }
    }
    this.#isBusy = false;
  }

  #take(): Waiting | undefined {
    this.#taken += 1;
    let best = 0;
    if (this.#taken % OLDEST_EVERY > 0) {
      for (const [at, one] of this.#waiting.entries()) if (isBefore(one, this.#waiting[best])) best = at;
    }
    return this.#waiting.splice(best, 1)[0];
  }
}

function isBefore(a: FrameRank, b: FrameRank | undefined): boolean {
  if (b === undefined) return true;
  return a.priority < b.priority || (a.priority === b.priority && a.operation < b.operation);
}

/**
 * Reasons for the JavaScript engine to collect garbage.
 *
 * A leaf that nobody can reach gives its bytes back once the engine has noticed. But to the engine a leaf is a small
 * object, whatever it stands for on the device, so it sees no hurry. When device bytes have grown far beyond what was
 * alive after the last collection, we allocate large array buffers and drop them untouched: they cost address space for
 * a moment, no memory, and V8 and JavaScriptCore count them. Objects that were looked at through a WeakRef live until
 * their task ends, so allocating and looking are done in tasks of their own.
 */
import type { YieldToEventLoop } from "../device/yielding.ts";

/** Beyond this much over `GROWTH_MAX` times what is alive, it is worth the wait. */
export const SLACK_BYTES: number = 64 * 2 ** 20;
const GROWTH_MAX = 1.5;
/** Of the buffers that are dropped at once; more with each round that frees too little. */
const BALLAST_COUNT = 8;
const BALLAST_BYTES_MIN = 32 * 2 ** 20;
const BALLAST_BYTES_MAX = 256 * 2 ** 20;
const ROUNDS_MAX = 40;
/** When somebody needs memory and nothing else is known: two rounds find what one does in most engines. */
const ROUNDS_ASKED = 2;

export class Collector {
  readonly #liveBytes: () => number;
  readonly #sweep: () => void;
  readonly #slackBytes: number;
  readonly #yieldToEventLoop: YieldToEventLoop;
  /** Alive after the last collection, as far as we know. */
  #floorBytes = 0;
  #running: Promise<void> | null = null;

  /** @param sweep frees what the engine has collected, which lowers `liveBytes` */
  constructor(liveBytes: () => number, sweep: () => void, slackBytes: number, yieldToEventLoop: YieldToEventLoop) {
    this.#liveBytes = liveBytes;
    this.#sweep = sweep;
    this.#slackBytes = slackBytes;
    this.#yieldToEventLoop = yieldToEventLoop;
  }

  /** Nothing to wait for unless live bytes have grown far; then resolves when garbage is freed, or when there is none. */
  relieve(): Promise<void> | null {
    if (this.#liveBytes() <= this.#floorBytes * GROWTH_MAX + this.#slackBytes) return this.#running;
    const enough = (this.#floorBytes * GROWTH_MAX + this.#slackBytes + this.#floorBytes) / 2;
    this.#running ??= this.#collect(ROUNDS_MAX, enough).finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  /** Collects, whatever has grown. */
  async collect(): Promise<void> {
    this.#running ??= this.#collect(ROUNDS_ASKED, 0).finally(() => {
      this.#running = null;
    });
    await this.#running;
  }

  async #collect(roundsMax: number, enough: number): Promise<void> {
    let bytes = BALLAST_BYTES_MIN;
    for (let round = 0; round < roundsMax && this.#liveBytes() > enough; round++) {
      await this.#yieldToEventLoop();
      dropBuffers(bytes);
      bytes = Math.min(BALLAST_BYTES_MAX, bytes * 2);
      await this.#yieldToEventLoop();
      this.#sweep();
    }
    this.#floorBytes = this.#liveBytes();
  }
}

function dropBuffers(bytes: number): void {
  try {
    for (let i = 0; i < BALLAST_COUNT; i++) new ArrayBuffer(bytes);
  } catch {
    // No address space for them: the engine has tried all it can to make some.
  }
}

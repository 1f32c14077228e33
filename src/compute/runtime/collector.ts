/**
 * Reasons for the JavaScript engine to collect garbage.
 *
 * A leaf that nobody can reach gives its bytes back once the engine has noticed. But to the engine a leaf is a small
 * object, whatever it stands for on the device, so it sees no hurry. When device bytes have grown far beyond what was
 * alive after the last collection, we allocate large array buffers and drop them untouched: they cost address space for
 * a moment, no memory, and V8 and JavaScriptCore count them. Objects that were looked at through a WeakRef live until
 * their task ends, so allocating and looking are done in tasks of their own.
 *
 * Whether the engine has collected is told by a witness, an object that nobody can reach any more: once it is gone, what
 * is left is alive. So nothing is taken for alive because the engine was slow, and nobody waits where nothing is garbage.
 */
import { systemClock } from "../../base/clock.ts";
import { sleep } from "../../base/wait.ts";
import type { YieldToEventLoop } from "../device/yielding.ts";

/** Beyond this much over `GROWTH_MAX` times what is alive, it is worth the wait. */
export const SLACK_BYTES: number = 64 * 2 ** 20;
const GROWTH_MAX = 1.5;
/** Of the buffers that are dropped at once; more with each round that frees too little. */
const BALLAST_COUNT = 8;
const BALLAST_BYTES_MIN = 32 * 2 ** 20;
const BALLAST_BYTES_MAX = 256 * 2 ** 20;
/** Then the engine collects for no reason of ours. */
const ROUNDS_MAX = 100;
/** Rounds that free nothing for so long leave time to the engine's own threads, which may have to wait for a processor. */
const ROUNDS_AT_ONCE = 8;
const PAUSE_MS = 5;
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
  /** Made long before it is let go: young objects go earlier than others. */
  #witness: object | null = {};

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
    const isCollected = this.#dismissWitness();
    for (let round = 0; round < roundsMax && this.#liveBytes() > enough && !isCollected(); round++) {
      if (round < ROUNDS_AT_ONCE) await this.#yieldToEventLoop();
      else await sleep(PAUSE_MS, systemClock);
      dropBuffers(bytes);
      bytes = Math.min(BALLAST_BYTES_MAX, bytes * 2);
      await this.#yieldToEventLoop();
      this.#sweep();
    }
    this.#floorBytes = this.#liveBytes();
    this.#witness = {};
  }

  #dismissWitness(): () => boolean {
    const witness = new WeakRef(this.#witness ?? {});
    this.#witness = null;
    return () => witness.deref() === undefined;
  }
}

function dropBuffers(bytes: number): void {
  try {
    for (let i = 0; i < BALLAST_COUNT; i++) new ArrayBuffer(bytes);
  } catch {
    // No address space for them: the engine has tried all it can to make some.
  }
}

/** How much one socket may say. */
import type { Clock } from "../../src/base/clock.ts";
import { ProtocolError } from "../../src/base/errors.ts";

export interface MessageRateOptions {
  readonly clock: Clock;
  /** For errors: "messages", "pool messages". */
  readonly what: string;
  readonly windowMs: number;
  readonly messagesMax: number;
  readonly bytesMax: number;
}

/** Counts what comes in windows of time, one after another. */
export class MessageRate {
  readonly #options: MessageRateOptions;
  #windowEndsMs = 0;
  #messages = 0;
  #bytes = 0;

  constructor(options: MessageRateOptions) {
    this.#options = options;
  }

  /** Counts one more of `bytes`. @throws ProtocolError when it is too much for its window */
  count(bytes: number): void {
    const { clock, what, windowMs, messagesMax, bytesMax } = this.#options;
    const nowMs = clock.nowMs();
    if (nowMs >= this.#windowEndsMs) {
      this.#windowEndsMs = nowMs + windowMs;
      this.#messages = 0;
      this.#bytes = 0;
    }
    this.#messages += 1;
    this.#bytes += bytes;
    if (this.#messages <= messagesMax && this.#bytes <= bytesMax) return;
    const most = `at most ${messagesMax} of together ${bytesMax} bytes in ${windowMs / 1000} s`;
    throw new ProtocolError(`${what}: expected ${most}, found more`);
  }
}

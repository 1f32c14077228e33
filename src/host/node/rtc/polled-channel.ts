/**
 * A data channel of `@roamhq/wrtc`, with what a link needs of a browser's: the package has no `bufferedamountlow`, so
 * while something is in its queue somebody has to look; and between two looks `bufferedAmount` only grows. Its `close`
 * loses what was just sent, so here that only says that nothing follows: the connection is closed, a little later.
 */
import type { Bytes } from "../../../base/bytes.ts";
import type { Clock } from "../../../base/clock.ts";
import type { Channel } from "../../../network/transport/channel.ts";

/** A link's queue of 1 MiB then lasts for a path of 300 MB/s. */
const LOOK_MS = 2;

export class PolledChannel implements Channel {
  bufferedAmountLowThreshold: number = 0;
  onbufferedamountlow: ((event: Event) => void) | null = null;
  readonly #channel: RTCDataChannel;
  readonly #clock: Clock;
  #bufferedAmount = 0;
  #isLooking = false;
  #isClosing = false;

  constructor(channel: RTCDataChannel, clock: Clock) {
    this.#channel = channel;
    this.#clock = clock;
  }

  get readyState(): RTCDataChannelState {
    const state = this.#channel.readyState;
    return this.#isClosing && state !== "closed" ? "closing" : state;
  }

  get bufferedAmount(): number {
    return this.#bufferedAmount;
  }

  get binaryType(): BinaryType {
    return this.#channel.binaryType;
  }

  set binaryType(type: BinaryType) {
    this.#channel.binaryType = type;
  }

  get onopen(): Channel["onopen"] {
    return this.#channel.onopen;
  }

  set onopen(handler: Channel["onopen"]) {
    this.#channel.onopen = handler;
  }

  get onmessage(): Channel["onmessage"] {
    return this.#channel.onmessage;
  }

  set onmessage(handler: Channel["onmessage"]) {
    this.#channel.onmessage = handler;
  }

  get onclose(): Channel["onclose"] {
    return this.#channel.onclose;
  }

  set onclose(handler: Channel["onclose"]) {
    this.#channel.onclose = handler;
  }

  /** @throws InvalidStateError when not open */
  send(data: string | Bytes): void {
    if (this.#isClosing) throw new DOMException("the channel is closing", "InvalidStateError");
    if (typeof data === "string") this.#channel.send(data);
    else this.#channel.send(data);
    this.#bufferedAmount += data.length;
    if (!this.#isLooking) this.#lookLater();
  }

  close(): void {
    this.#isClosing = true;
  }

  #lookLater(): void {
    this.#isLooking = true;
    this.#clock.after(LOOK_MS, () => {
      this.#isLooking = false;
      if (this.#channel.readyState !== "open") return;
      const [before, low] = [this.#bufferedAmount, this.bufferedAmountLowThreshold];
      this.#bufferedAmount = this.#channel.bufferedAmount;
      if (this.#bufferedAmount > 0) this.#lookLater();
      if (before > low && this.#bufferedAmount <= low) this.onbufferedamountlow?.(new Event("bufferedamountlow"));
    });
  }
}

/**
 * A MessagePort that looks like a data channel. A port has no send queue to look at, so the receiving end acknowledges
 * bytes, and what is not acknowledged counts as `bufferedAmount`.
 */
import type { Bytes } from "../../../base/bytes.ts";
import type { Channel } from "../channel.ts";

/** What goes over the port. */
type PortMessage =
  | { readonly data: ArrayBuffer | string }
  | { readonly acknowledged: number }
  | { readonly opened: true }
  | { readonly closed: true };

/** Acknowledging each small frame would double the messages. */
const ACKNOWLEDGED_BYTES_MIN = 64 * 1024;

export interface PortChannelOptions {
  /** `connecting`: until the other end calls `sayOpen`, which a relay does when its data channel opens. */
  readonly state: "open" | "connecting";
  /** Who acknowledges what arrives: the channel when it delivers, or its owner, who passes bytes on and knows when they left. */
  readonly acknowledges: "channel" | "owner";
}

export class PortChannel implements Channel {
  bufferedAmountLowThreshold: number = 0;
  binaryType: BinaryType = "arraybuffer";
  onopen: ((event: Event) => void) | null = null;
  onclose: ((event: Event) => void) | null = null;
  onbufferedamountlow: ((event: Event) => void) | null = null;

  readonly #port: MessagePort;
  readonly #acknowledges: PortChannelOptions["acknowledges"];
  #state: RTCDataChannelState;
  #buffered = 0;
  #unacknowledged = 0;
  #onmessage: ((event: MessageEvent) => void) | null = null;

  constructor(port: MessagePort, { state, acknowledges }: PortChannelOptions) {
    this.#port = port;
    this.#state = state;
    this.#acknowledges = acknowledges;
    port.addEventListener("close", () => this.#closed());
  }

  get readyState(): RTCDataChannelState {
    return this.#state;
  }

  get bufferedAmount(): number {
    return this.#buffered;
  }

  /** The port holds messages back until somebody listens. */
  set onmessage(handler: ((event: MessageEvent) => void) | null) {
    this.#onmessage = handler;
    this.#port.onmessage = (event: MessageEvent<PortMessage>) => this.#receive(event);
  }

  get onmessage(): ((event: MessageEvent) => void) | null {
    return this.#onmessage;
  }

  send(data: string | Bytes): void {
    if (this.#state !== "open") throw new DOMException("the port is not open", "InvalidStateError");
    if (typeof data === "string") return this.#post({ data }, []);
    this.#buffered += data.byteLength;
    // The frame's buffer is ours (see Link.send); a view of something larger is not.
    const isWhole = data.byteLength === data.buffer.byteLength;
    const buffer = isWhole ? data.buffer : data.slice().buffer;
    this.#post({ data: buffer }, [buffer]);
  }

  /** Tells the other end that its bytes have left. */
  acknowledge(bytes: number): void {
    this.#unacknowledged += bytes;
    if (this.#unacknowledged < ACKNOWLEDGED_BYTES_MIN || this.#state === "closed") return;
    this.#post({ acknowledged: this.#unacknowledged }, []);
    this.#unacknowledged = 0;
  }

  /** Tells the other end that it may send now. */
  sayOpen(): void {
    this.#state = "open";
    this.#post({ opened: true }, []);
  }

  close(): void {
    if (this.#state === "closed") return;
    this.#post({ closed: true }, []);
    this.#closed();
  }

  #post(message: PortMessage, transfer: Transferable[]): void {
    this.#port.postMessage(message, transfer);
  }

  #receive(event: MessageEvent<PortMessage>): void {
    const message = event.data;
    if (this.#state === "closed") return;
    if ("data" in message) {
      const { data } = message;
      const bytes = typeof data === "string" ? 0 : data.byteLength; // Read first: the handler may transfer it on.
      this.#onmessage?.(new MessageEvent("message", { data }));
      if (this.#acknowledges === "channel") this.acknowledge(bytes);
    } else if ("acknowledged" in message) {
      const before = this.#buffered;
      this.#buffered -= message.acknowledged;
      const low = this.bufferedAmountLowThreshold;
      if (before > low && this.#buffered <= low) this.onbufferedamountlow?.(new Event("bufferedamountlow"));
    } else if ("opened" in message) {
      this.#state = "open";
      this.onopen?.(new Event("open"));
    } else {
      this.#closed();
    }
  }

  #closed(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#port.close();
    this.onclose?.(new Event("close"));
  }
}

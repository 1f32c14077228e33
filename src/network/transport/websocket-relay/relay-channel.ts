/**
 * A data channel by way of the server: sealed messages between two peers, with acknowledgements.
 *
 * The socket's own queue says nothing of what waits at the server, so the receiver acknowledges bytes as it takes them,
 * and what is not acknowledged counts as `bufferedAmount`: who waits for that holds back, and the server's queue stays
 * short.
 */
import type { Bytes } from "../../../base/bytes.ts";
import { deferred } from "../../deferred.ts";
import type { Channel } from "../channel.ts";
import type { Seals } from "./sealing.ts";

/** What a sealed message is. */
const KIND = { binary: 0, text: 1, acknowledged: 2, closed: 3 } as const;

/** Acknowledging each small frame would double the messages. */
const ACKNOWLEDGED_BYTES_MIN = 64 * 1024;
/** More than a sender that holds back ever has under way. */
const WAITING_BYTES_MAX = 8 * 1024 * 1024;

export interface RelayChannelOptions {
  /** Passes on a sealed message. */
  readonly post: (kind: number, sealed: Bytes) => void;
  /** Tells the other side that it is over, unsealed. */
  readonly refuse: () => void;
  /** Nothing more will be posted. */
  readonly ended: () => void;
}

export class RelayChannel implements Channel {
  bufferedAmountLowThreshold: number = 0;
  binaryType: BinaryType = "arraybuffer";
  onopen: ((event: Event) => void) | null = null;
  onmessage: ((event: MessageEvent) => void) | null = null;
  onclose: ((event: Event) => void) | null = null;
  onbufferedamountlow: ((event: Event) => void) | null = null;

  readonly #options: RelayChannelOptions;
  readonly #keys = deferred<Seals>();
  #seals: Seals | null = null;
  #state: RTCDataChannelState = "connecting";
  #buffered = 0;
  #unacknowledged = 0;
  #waitingBytes = 0;
  #sending: Promise<void> = Promise.resolve();
  #receiving: Promise<void> = Promise.resolve();

  constructor(options: RelayChannelOptions) {
    this.#options = options;
  }

  get readyState(): RTCDataChannelState {
    return this.#state;
  }

  get bufferedAmount(): number {
    return this.#buffered;
  }

  /** The keys are agreed upon. */
  open(seals: Seals): void {
    if (this.#state !== "connecting") return;
    this.#seals = seals;
    this.#state = "open";
    this.#keys.resolve(seals);
    this.onopen?.(new Event("open"));
  }

  send(data: string | Bytes): void {
    if (this.#state !== "open") throw new DOMException("the relay's channel is not open", "InvalidStateError");
    if (typeof data === "string") return this.#post(KIND.text, new TextEncoder().encode(data));
    this.#buffered += data.byteLength;
    this.#post(KIND.binary, data);
  }

  /** A sealed message of the peer, or of somebody who would like to be. */
  receive(kind: number, sealed: Bytes): void {
    if (this.#state === "closed") return;
    this.#waitingBytes += sealed.byteLength;
    if (this.#waitingBytes > WAITING_BYTES_MAX) return this.#refuse();
    const opening = this.#keys.promise.then(({ incoming }) => incoming.open(kind, sealed));
    opening.catch(() => {}); // Awaited below, in its turn.
    this.#receiving = this.#receiving
      .then(async () => {
        const message = await opening;
        this.#waitingBytes -= sealed.byteLength;
        this.#deliver(kind, message);
      })
      .catch(() => this.#refuse());
  }

  close(): void {
    if (this.#state === "closed") return;
    if (this.#seals !== null) this.#post(KIND.closed, new Uint8Array(0));
    void this.#sending.then(() => this.lose());
    this.#closed();
  }

  /** The other side or the way is gone: what arrived before is still taken, a farewell for example. */
  end(): void {
    if (this.#seals === null) return this.lose();
    this.#receiving = this.#receiving.then(() => this.lose());
  }

  /** Ends it at once and without a word. */
  lose(): void {
    this.#closed();
    this.#options.ended();
  }

  /** A message was not the next one as it was sent. */
  #refuse(): void {
    if (this.#state !== "closed") this.#options.refuse();
    this.lose();
  }

  #post(kind: number, message: Bytes): void {
    const sealing = this.#seals?.outgoing.seal(kind, message);
    sealing?.catch(() => {}); // Awaited below, in its turn.
    this.#sending = this.#sending
      .then(async () => {
        if (sealing !== undefined) this.#options.post(kind, new Uint8Array(await sealing));
      })
      .catch(() => this.lose());
  }

  #deliver(kind: number, message: ArrayBuffer): void {
    if (this.#state === "closed") return;
    switch (kind) {
      case KIND.binary: {
        const { byteLength } = message; // Read first: the handler may transfer it on.
        this.onmessage?.(new MessageEvent("message", { data: message }));
        return this.#acknowledge(byteLength);
      }
      case KIND.text:
        this.onmessage?.(new MessageEvent("message", { data: new TextDecoder().decode(message) }));
        return;
      case KIND.acknowledged:
        return this.#left(message.byteLength === 4 ? new DataView(message).getUint32(0) : 0);
      default: // Closed, or what this version does not know.
        return this.lose();
    }
  }

  #acknowledge(bytes: number): void {
    this.#unacknowledged += bytes;
    if (this.#unacknowledged < ACKNOWLEDGED_BYTES_MIN || this.#state !== "open") return;
    const message = new Uint8Array(4);
    new DataView(message.buffer).setUint32(0, this.#unacknowledged);
    this.#unacknowledged = 0;
    this.#post(KIND.acknowledged, message);
  }

  #left(bytes: number): void {
    const before = this.#buffered;
    this.#buffered = Math.max(0, before - bytes);
    const low = this.bufferedAmountLowThreshold;
    if (before > low && this.#buffered <= low) this.onbufferedamountlow?.(new Event("bufferedamountlow"));
  }

  #closed(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.onclose?.(new Event("close"));
  }
}

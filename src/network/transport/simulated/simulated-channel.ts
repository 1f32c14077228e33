/** One end of a data channel in virtual time: a queue that drains at a bandwidth, then a latency. */
import type { Bytes } from "../../../base/bytes.ts";
import type { Clock } from "../../../base/clock.ts";
import type { Channel } from "../channel.ts";
import type { PeerId } from "../transport.ts";

/** What both ends share, and what the network does to them. */
export interface Wire {
  readonly ends: readonly [PeerId, PeerId];
  readonly clock: Clock;
  readonly bytesPerMs: number;
  latencyMs(): number;
  /** Whether what this peer sends does not arrive. */
  isCut(from: PeerId): boolean;
  /** What arrives of a binary message, and how much later; itself if left out. */
  disturb?(data: ArrayBuffer): readonly Arrival[];
  /** Runs `happen` at a peer: now, when it thaws, or never. */
  at(peer: PeerId, happen: () => void): void;
  /** Delivers what a cut held back. */
  flush(): void;
  close(): void;
}

/** One arrival of a message, perhaps damaged, perhaps of several. */
export interface Arrival {
  readonly data: ArrayBuffer;
  readonly delayMs: number;
}

export class SimulatedChannel implements Channel {
  bufferedAmountLowThreshold: number = 0;
  binaryType: BinaryType = "arraybuffer";
  onopen: ((event: Event) => void) | null = null;
  onclose: ((event: Event) => void) | null = null;
  onbufferedamountlow: ((event: Event) => void) | null = null;
  readonly wire: Wire;
  /** The other end; set right after both are made. */
  other: SimulatedChannel | null = null;

  readonly #peer: PeerId;
  #buffered = 0;
  #lineFreeAtMs = 0;
  #arrivesAtMs = 0;
  #isClosed = false;
  /** On the way, oldest first: a real clock may round two arrivals into the wrong order. */
  readonly #inFlight: (string | ArrayBuffer)[] = [];
  /** Sent while the pair was cut. */
  #heldBack: (() => void)[] = [];
  #onmessage: ((event: MessageEvent) => void) | null = null;
  #unheard: MessageEvent[] = [];

  constructor(wire: Wire, peer: PeerId) {
    this.wire = wire;
    this.#peer = peer;
  }

  get readyState(): RTCDataChannelState {
    return this.#isClosed ? "closed" : "open";
  }

  get bufferedAmount(): number {
    return this.#buffered;
  }

  get onmessage(): ((event: MessageEvent) => void) | null {
    return this.#onmessage;
  }

  /** Like a negotiated channel that was just made: what came earlier is still delivered. */
  set onmessage(handler: ((event: MessageEvent) => void) | null) {
    this.#onmessage = handler;
    for (const event of this.#unheard.splice(0)) handler?.(event);
  }

  send(data: string | Bytes): void {
    if (this.#isClosed) throw new DOMException("the channel is closed", "InvalidStateError");
    const bytes = data.length;
    const copy = typeof data === "string" ? data : data.slice().buffer;
    const { clock, bytesPerMs } = this.wire;
    this.#buffered += bytes;
    this.#lineFreeAtMs = Math.max(this.#lineFreeAtMs, clock.nowMs()) + bytes / bytesPerMs;
    clock.after(this.#lineFreeAtMs - clock.nowMs(), () => this.#left(bytes));
    this.#inFlight.push(copy);
    this.#arrivesAtMs = Math.max(this.#arrivesAtMs, this.#lineFreeAtMs + this.wire.latencyMs());
    clock.after(this.#arrivesAtMs - clock.nowMs(), () => this.#arrive(() => this.#deliverNext()));
  }

  /** Closes the other end too, after all that was sent before. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const { clock } = this.wire;
    const afterMs = Math.max(this.#arrivesAtMs - clock.nowMs(), this.wire.latencyMs());
    clock.after(afterMs, () =>
      this.#arrive(() => {
        // A real clock may bring this before what was sent for the same moment.
        while (this.#inFlight.length > 0) this.#deliverNext();
        this.wire.close();
      }),
    );
  }

  closeFromOutside(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.wire.at(this.#peer, () => this.onclose?.(new Event("close")));
  }

  flush(): void {
    for (const arrive of this.#heldBack.splice(0)) arrive();
  }

  receive(data: string | ArrayBuffer): void {
    if (this.#isClosed) return;
    this.wire.at(this.#peer, () => {
      const event = new MessageEvent("message", { data });
      if (this.#onmessage === null) this.#unheard.push(event);
      else this.#onmessage(event);
    });
  }

  #deliverNext(): void {
    const data = this.#inFlight.shift();
    if (data === undefined) return;
    const arrivals = typeof data === "string" ? undefined : this.wire.disturb?.(data);
    if (arrivals === undefined) return this.other?.receive(data);
    for (const arrival of arrivals) {
      if (arrival.delayMs === 0) this.other?.receive(arrival.data);
      else this.wire.clock.after(arrival.delayMs, () => this.other?.receive(arrival.data));
    }
  }

  #left(bytes: number): void {
    const before = this.#buffered;
    this.#buffered -= bytes;
    const low = this.bufferedAmountLowThreshold;
    if (before <= low || this.#buffered > low) return;
    this.wire.at(this.#peer, () => this.onbufferedamountlow?.(new Event("bufferedamountlow")));
  }

  #arrive(happen: () => void): void {
    if (this.wire.isCut(this.#peer)) this.#heldBack.push(happen);
    else happen();
  }
}

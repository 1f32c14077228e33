/** The channels of a ring without anything of ours: what they carry at most, and how long a round trip takes. */
import { present } from "../../src/base/assert.ts";
import { systemClock } from "../../src/base/clock.ts";

type Message = ArrayBuffer | string;

/** A channel as the platform has it. */
export interface BareChannel {
  onmessage: (message: Message) => void;
  /** Resolves when there is room for more. */
  send(message: Message): Promise<void> | void;
}

/** Enough to be busy between two events. */
const QUEUED_BYTES_MAX = 1024 * 1024;
const QUEUED_BYTES_LOW = 256 * 1024;

/** Call it in the task that got the channel. */
export class BareRtcChannel implements BareChannel {
  onmessage: (message: Message) => void = () => {};
  readonly #channel: RTCDataChannel;
  #onRoom: () => void = () => {};

  constructor(channel: RTCDataChannel) {
    this.#channel = channel;
    channel.binaryType = "arraybuffer";
    channel.bufferedAmountLowThreshold = QUEUED_BYTES_LOW;
    channel.onmessage = ({ data }: MessageEvent<Message>) => this.onmessage(data);
    channel.onbufferedamountlow = () => this.#onRoom();
  }

  async send(message: Message): Promise<void> {
    while (this.#channel.bufferedAmount > QUEUED_BYTES_MAX) {
      await new Promise<void>((resolve) => (this.#onRoom = resolve));
    }
    this.#channel.send(message as string);
  }
}

/** A MessagePort, of a browser or of Node. */
export class BarePort implements BareChannel {
  onmessage: (message: Message) => void = () => {};
  readonly #port: MessagePort;

  constructor(port: MessagePort) {
    this.#port = port;
    port.onmessage = ({ data }: MessageEvent<Message>) => this.onmessage(data);
  }

  send(message: Message): void {
    this.#port.postMessage(message, typeof message === "string" ? [] : [message]);
  }
}

/** This member's channels to its neighbours in the ring. */
export class RawRing {
  readonly #next: BareChannel;
  #waiting: { readonly bytes: number; readonly resolve: () => void } | null = null;
  #arrivedBytes = 0;
  #onPong: () => void = () => {};

  /** `channels` by the peer at the other end. */
  constructor(members: readonly string[], rank: number, channels: ReadonlyMap<string, BareChannel>) {
    const neighbour = (step: number): BareChannel => {
      const peer = members[(rank + step + members.length) % members.length] ?? "";
      return present(channels.get(peer), `a bare channel to ${peer}`);
    };
    this.#next = neighbour(1);
    const before = neighbour(-1);
    before.onmessage = (data) => {
      if (data === "ping") void before.send("pong");
      else if (typeof data !== "string") this.#arrived(data.byteLength);
    };
    this.#next.onmessage = () => this.#onPong();
  }

  /** Of a small message to the next member and back, the mean of `pings` one after another. */
  async roundTripMs(pings: number): Promise<number> {
    const startMs = systemClock.nowMs();
    for (let ping = 0; ping < pings; ping++) {
      const pong = new Promise<void>((resolve) => (this.#onPong = resolve));
      await this.#next.send("ping");
      await pong;
    }
    return (systemClock.nowMs() - startMs) / pings;
  }

  /** Sends so many bytes to the next member in frames, and resolves when as many came from the one before. */
  async pass(bytes: number, frameBytes: number): Promise<void> {
    const arrived = new Promise<void>((resolve) => (this.#waiting = { bytes, resolve }));
    this.#arrived(0);
    for (let at = 0; at < bytes; at += frameBytes) {
      await this.#next.send(new Uint8Array(Math.min(frameBytes, bytes - at)).fill(at & 0xff).buffer);
    }
    await arrived;
  }

  #arrived(bytes: number): void {
    this.#arrivedBytes += bytes;
    const waiting = this.#waiting;
    if (waiting === null || this.#arrivedBytes < waiting.bytes) return;
    this.#arrivedBytes -= waiting.bytes;
    this.#waiting = null;
    waiting.resolve();
  }
}

/**
 * A member's line to the server's relay: one WebSocket at a time, opened with a ticket and opened again, with growing
 * pauses, for as long as the member wants. Knows envelopes, and nothing of what is in them.
 */
import type { Bytes } from "../../../base/bytes.ts";
import type { Clock } from "../../../base/clock.ts";
import { decodeEnvelope, encodeEnvelope, parseRelayNotice, type RelayHello } from "../../wire/relay-message.ts";
import type { PeerId } from "../transport.ts";

/** What a line needs of a WebSocket; browsers' and those of the package `ws` have it. */
export interface RelaySocket {
  binaryType: string;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  send(data: string | Bytes): void;
  close(): void;
}

/** Where the relay is, and the right to use it. */
export interface RelayAdmission {
  readonly url: string;
  readonly ticket: string;
}

export interface RelayLineOptions {
  readonly clock: Clock;
  readonly open: (url: string) => RelaySocket;
  readonly onEnvelope: (peer: PeerId, body: Bytes) => void;
  readonly onGone: (peer: PeerId) => void;
  /** Whatever was under way is lost. */
  readonly onDown: () => void;
}

const RETRY_MS_MIN = 250;
const RETRY_MS_MAX = 8_000;
const OPEN_MS_MAX = 8_000;

export class RelayLine {
  readonly #options: RelayLineOptions;
  #admission: RelayAdmission | null = null;
  #socket: RelaySocket | null = null;
  #isWelcome = false;
  #cancelTimer: () => void = () => {};
  #retryMs = RETRY_MS_MIN;
  #isClosed = false;

  constructor(options: RelayLineOptions) {
    this.#options = options;
  }

  /** A ticket, or a fresh one: the present socket stays, the next one is opened with it. */
  admit(admission: RelayAdmission): void {
    this.#admission = admission;
    if (this.#socket === null) this.#open();
  }

  /** True when the server passes messages on. */
  get isOpen(): boolean {
    return this.#isWelcome;
  }

  send(peer: PeerId, parts: readonly Uint8Array[]): void {
    if (this.#isWelcome) this.#socket?.send(encodeEnvelope(peer, parts));
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelTimer();
    const socket = this.#socket;
    if (socket !== null) this.#drop(socket);
  }

  #open(): void {
    const admission = this.#admission;
    if (this.#isClosed || admission === null) return;
    const socket = this.#options.open(admission.url);
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    this.#after(OPEN_MS_MAX, () => this.#drop(socket));
    socket.onopen = () => {
      const hello: RelayHello = { kind: "hello", ticket: admission.ticket };
      if (socket === this.#socket) socket.send(JSON.stringify(hello));
    };
    socket.onmessage = ({ data }) => this.#receive(socket, data);
    socket.onclose = () => this.#drop(socket);
    socket.onerror = () => {}; // `close` follows.
  }

  #receive(socket: RelaySocket, data: unknown): void {
    if (socket !== this.#socket) return;
    try {
      if (data instanceof ArrayBuffer) {
        const { peer, body } = decodeEnvelope(new Uint8Array(data));
        return this.#options.onEnvelope(peer, body);
      }
      const notice = parseRelayNotice(String(data));
      if (notice.kind === "gone") return this.#options.onGone(notice.peer);
      if (notice.kind === "refused") return this.#drop(socket);
      this.#isWelcome = true;
      this.#retryMs = RETRY_MS_MIN;
      this.#cancelTimer();
    } catch {
      this.#drop(socket); // The server says something else than expected.
    }
  }

  #drop(socket: RelaySocket): void {
    if (socket !== this.#socket) return;
    this.#socket = null;
    this.#isWelcome = false;
    socket.onclose = null;
    socket.close();
    this.#options.onDown();
    if (this.#isClosed) return;
    this.#after(this.#retryMs, () => this.#open());
    this.#retryMs = Math.min(RETRY_MS_MAX, 2 * this.#retryMs);
  }

  #after(ms: number, callback: () => void): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#options.clock.after(ms, callback);
  }
}

/**
 * A line to a PeerServer, as PeerJS has it in a page: signals to and from whoever else is there. One WebSocket at a
 * time, opened again with growing pauses; what is said meanwhile waits, within bounds.
 */
import { randomUUID } from "node:crypto";
import WebSocket from "ws";
import type { Clock } from "../../../base/clock.ts";
import type { PeerId } from "../../../network/transport/transport.ts";
import { parseSignal } from "./peer-signals.ts";
import type { PeerSignal, PeerSignaling, SignalBody } from "./peer-signals.ts";

/** Who this is, and which server brings its signals. */
export interface PeerServerOptions {
  readonly self: PeerId;
  /** Where the server runs: its host and port. */
  readonly server: URL;
  /** Its path there. */
  readonly path?: string;
  readonly clock: Clock;
}

const HEARTBEAT_MS = 5_000;
const RETRY_MS_MIN = 200;
const RETRY_MS_MAX = 5_000;
const WAITING_MAX = 100;

export class PeerServerLine implements PeerSignaling {
  readonly #url: URL;
  readonly #clock: Clock;
  #socket: WebSocket | null = null;
  /** The server has said that it knows us. */
  #isOpen = false;
  #waiting: string[] = [];
  #listener: (signal: PeerSignal) => void = () => {};
  #cancelTimer: () => void = () => {};
  #retryMs = RETRY_MS_MIN;
  #isClosed = false;

  constructor({ self, server, path = "/peerjs", clock }: PeerServerOptions) {
    this.#url = new URL(`${path}/peerjs`, server);
    this.#url.protocol = server.protocol === "https:" ? "wss:" : "ws:";
    this.#url.search = new URLSearchParams({ key: "peerjs", id: self, token: randomUUID() }).toString();
    this.#clock = clock;
    this.#open();
  }

  /** Dropped while the line is down: a connection that does not come about is dialled again. */
  send(to: PeerId, signal: SignalBody): void {
    // What PeerJS wants to know besides.
    const payload = { type: "data", label: "hearth", serialization: "raw", reliable: true, ...signal.payload };
    const text = JSON.stringify({ type: signal.type, dst: to, payload });
    if (this.#isOpen) this.#socket?.send(text);
    else if (this.#waiting.length < WAITING_MAX) this.#waiting.push(text);
  }

  onSignal(listener: (signal: PeerSignal) => void): void {
    this.#listener = listener;
  }

  /** For good. */
  close(): void {
    this.#isClosed = true;
    this.#cancelTimer();
    this.#socket?.close();
  }

  #open(): void {
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    socket.on("message", (data) => {
      if (socket === this.#socket) this.#receive((data as Buffer).toString());
    });
    socket.on("close", () => this.#down());
    socket.on("error", () => {}); // `close` follows.
  }

  #receive(text: string): void {
    let message: { readonly type?: unknown };
    try {
      message = JSON.parse(text) as typeof message;
    } catch {
      return; // The server says something else than expected.
    }
    if (message?.type === "OPEN") return this.#opened();
    const signal = parseSignal(message);
    if (signal !== null) this.#listener(signal);
  }

  #opened(): void {
    this.#isOpen = true;
    this.#retryMs = RETRY_MS_MIN;
    for (const text of this.#waiting.splice(0)) this.#socket?.send(text);
    this.#beat();
  }

  #beat(): void {
    this.#socket?.send(JSON.stringify({ type: "HEARTBEAT" }));
    this.#after(HEARTBEAT_MS, () => this.#beat());
  }

  #down(): void {
    this.#isOpen = false;
    if (this.#isClosed) return;
    this.#after(this.#retryMs, () => this.#open());
    this.#retryMs = Math.min(RETRY_MS_MAX, 2 * this.#retryMs);
  }

  #after(ms: number, callback: () => void): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#clock.after(ms, callback);
  }
}

/** The engine worker's line to the coordinator: one WebSocket at a time, reopened with growing pauses for as long as the tab wants. */
import type { Clock } from "../../base/clock.ts";
import { describeError } from "../../base/errors.ts";
import type { ClientMessage, ServerMessage } from "../../network/wire/messages.ts";
import { parseServerMessage } from "../../network/wire/validate.ts";
import type { CoordinatorLink } from "../../training/member.ts";

export interface SocketHandlers {
  /** What a fresh socket says first. */
  hello(): ClientMessage;
  onMessage(message: ServerMessage): void;
  /** The socket is gone; another one is on its way. */
  onDown(reason: string): void;
}

/** Members are lost after 6 s of silence; a quarter of that leaves room for a busy worker. */
const HEARTBEAT_MS = 1_500;
const RETRY_MS_MIN = 250;
const RETRY_MS_MAX = 4_000;
const OPEN_MS_MAX = 8_000;

export class CoordinatorSocket implements CoordinatorLink {
  readonly #url: string;
  readonly #handlers: SocketHandlers;
  readonly #clock: Clock;
  #socket: WebSocket | null = null;
  #cancelTimer: () => void = () => {};
  #retryMs = RETRY_MS_MIN;
  #isClosed = false;

  constructor(url: string, handlers: SocketHandlers, clock: Clock) {
    this.#url = url;
    this.#handlers = handlers;
    this.#clock = clock;
  }

  /** Opens the first socket. */
  open(): void {
    if (this.#isClosed || this.#socket) return;
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    this.#after(OPEN_MS_MAX, () => this.#drop(socket, "the server did not answer in time"));
    socket.onopen = () => {
      this.send(this.#handlers.hello());
      this.#beat(socket);
    };
    socket.onmessage = (event: MessageEvent<unknown>) => this.#receive(socket, event.data);
    socket.onclose = (event) => this.#drop(socket, event.reason || "the server closed the connection");
  }

  send(message: ClientMessage): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  reconnect(reason: string): void {
    if (this.#socket) this.#drop(this.#socket, reason);
  }

  /** No more sockets. */
  close(): void {
    this.#isClosed = true;
    this.#cancelTimer();
    this.#socket?.close(1000, "leaving");
    this.#socket = null;
  }

  #receive(socket: WebSocket, data: unknown): void {
    if (socket !== this.#socket) return;
    this.#retryMs = RETRY_MS_MIN;
    let message: ServerMessage;
    try {
      message = parseServerMessage(String(data));
    } catch (error) {
      return this.#drop(socket, `the server sent something else than expected: ${describeError(error)}`);
    }
    this.#handlers.onMessage(message);
  }

  #beat(socket: WebSocket): void {
    this.#after(HEARTBEAT_MS, () => {
      if (socket !== this.#socket) return;
      this.send({ kind: "heartbeat" });
      this.#beat(socket);
    });
  }

  #drop(socket: WebSocket, reason: string): void {
    if (socket !== this.#socket) return;
    this.#socket = null;
    socket.onclose = null;
    socket.close();
    this.#handlers.onDown(reason);
    if (this.#isClosed) return;
    this.#after(this.#retryMs, () => this.open());
    this.#retryMs = Math.min(RETRY_MS_MAX, this.#retryMs * 2);
  }

  /** One timer at a time: opening, beating and retrying never overlap. */
  #after(ms: number, callback: () => void): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#clock.after(ms, callback);
  }
}

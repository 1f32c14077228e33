/**
 * A client's WebSocket that carries text messages: it says hello within 10 s, says no more than it may, reads what it is
 * sent, and is refused with one sentence where it breaks the rules; nobody else notices.
 */
import type { RawData, WebSocket } from "ws";
import type { Clock } from "../../src/base/clock.ts";
import { describeError, ProtocolError } from "../../src/base/errors.ts";
import type { RefusalCode } from "../../src/network/wire/messages.ts";
import type { Metrics } from "../metrics.ts";
import { CLOSE_NORMAL, CLOSE_POLICY, closeSocket } from "./close-socket.ts";
import { MessageRate } from "./message-rate.ts";

const HELLO_MS_MAX = 10_000;
const QUEUE_BYTES_MAX = 16 * 1024 * 1024;

export interface ClientSocketOptions {
  readonly socket: WebSocket;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly log: (line: string) => void;
  /** What it says, for errors: "message", "pool message". */
  readonly what: string;
  readonly rate: { readonly windowMs: number; readonly messagesMax: number; readonly bytesMax: number };
}

/** Who listens to it. */
export interface ClientSocketListener {
  /** @throws ProtocolError for what breaks the rules */
  hear(text: string): void;
  /** The message that says so. */
  refusal(code: RefusalCode, reason: string): unknown;
  /** Once, whoever closed it; nothing is heard afterwards. */
  closed(): void;
}

export class ClientSocket {
  readonly #options: ClientSocketOptions;
  readonly #listener: ClientSocketListener;
  readonly #rate: MessageRate;
  readonly #cancelHello: () => void;
  #isClosed = false;

  constructor(options: ClientSocketOptions, listener: ClientSocketListener) {
    const { socket, clock, metrics, what, rate } = options;
    this.#options = options;
    this.#listener = listener;
    this.#rate = new MessageRate({ clock, what: `${what}s`, ...rate });
    this.#cancelHello = clock.after(HELLO_MS_MAX, () => this.#hangUp());
    socket.on("message", (data, isBinary) => this.#receive(data, isBinary));
    socket.on("close", () => this.#closed());
    // A message that is too large, or no WebSocket frames at all: `ws` closes the socket by itself.
    socket.on("error", () => metrics.refused("malformed"));
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Has come in time. */
  saidHello(): void {
    this.#cancelHello();
  }

  /** A message. One who does not read is cut off. */
  send(text: string): void {
    const { socket, metrics, log } = this.#options;
    if (socket.readyState !== socket.OPEN) return;
    socket.send(text);
    metrics.message("out", Buffer.byteLength(text));
    if (socket.bufferedAmount <= QUEUE_BYTES_MAX) return;
    log(`a client does not read what it is sent: ${socket.bufferedAmount} bytes wait; closed`);
    socket.terminate();
  }

  refuse(code: RefusalCode, reason: string): void {
    if (this.#isClosed) return;
    this.#options.metrics.refused(code);
    this.send(JSON.stringify(this.#listener.refusal(code, reason)));
    this.#end(CLOSE_POLICY, reason);
  }

  close(reason: string): void {
    this.#end(CLOSE_NORMAL, reason);
  }

  /** A refusal would be for good, but a tab that froze when it had connected may come again. */
  #hangUp(): void {
    this.#options.metrics.refused("malformed");
    this.#end(CLOSE_POLICY, `The server expected a hello within ${HELLO_MS_MAX / 1000} s and got none.`);
  }

  #end(code: number, reason: string): void {
    if (this.#isClosed) return;
    this.#closed();
    closeSocket(this.#options.socket, this.#options.clock, code, reason);
  }

  /** Also when we close: what it still sends is no longer heard. */
  #closed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#cancelHello();
    this.#listener.closed();
  }

  #receive(data: RawData, isBinary: boolean): void {
    if (this.#isClosed) return;
    const { metrics, what, log } = this.#options;
    const bytes = data as Buffer;
    metrics.message("in", bytes.byteLength);
    try {
      if (isBinary) throw new ProtocolError(`${what}: expected text, found ${bytes.byteLength} binary bytes`);
      this.#rate.count(bytes.byteLength);
      this.#listener.hear(bytes.toString());
    } catch (error) {
      if (!(error instanceof ProtocolError)) log(`${what}: ${describeError(error)}`);
      this.refuse("malformed", error instanceof ProtocolError ? error.message : "The server failed on this message.");
    }
  }
}

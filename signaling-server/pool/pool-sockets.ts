/** The WebSocket at /pool: JSON messages between a tab that helps any run and the pool. */
import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type RawData, type WebSocket, WebSocketServer } from "ws";
import type { Clock } from "../../src/base/clock.ts";
import { describeError, ProtocolError } from "../../src/base/errors.ts";
import { parsePoolClientMessage, type PoolServerMessage } from "../../src/network/wire/pool-message.ts";
import { versionRefusal } from "../../src/network/wire/validate.ts";
import { CLOSE_GOING_AWAY, CLOSE_NORMAL, CLOSE_POLICY, closeSocket } from "../close-socket.ts";
import { MessageRate } from "../message-rate.ts";
import type { Metrics } from "../metrics.ts";
import { repeat } from "../repeat.ts";
import type { PoolConn, PoolDriver } from "./pool-driver.ts";

const MESSAGE_BYTES_MAX = 64 * 1024;
const SOCKETS_MAX = 2_000;
const HELLO_MS_MAX = 10_000;
/** A tab answers pings even where its page sleeps; one that answered none of two is gone. */
const PING_MS = 10_000;
const RATE_MAX = { windowMs: 10_000, messagesMax: 200, bytesMax: 200 * MESSAGE_BYTES_MAX };

export interface PoolSocketsOptions {
  readonly pool: PoolDriver;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly log: (line: string) => void;
}

export class PoolSockets {
  readonly #options: PoolSocketsOptions;
  readonly #server = new WebSocketServer({ noServer: true, maxPayload: MESSAGE_BYTES_MAX, perMessageDeflate: false });
  #isStopping = false;

  constructor(options: PoolSocketsOptions) {
    this.#options = options;
  }

  /** False when there are too many sockets: the caller answers. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    if (this.#isStopping || this.#server.clients.size >= SOCKETS_MAX) return false;
    this.#server.handleUpgrade(request, socket, head, (opened) => new PoolSocket(opened, this.#options));
    return true;
  }

  /** Tabs stay where they are and come back. */
  close(reason: string): void {
    this.#isStopping = true;
    for (const socket of this.#server.clients) socket.close(CLOSE_GOING_AWAY, reason);
  }

  terminate(): void {
    for (const socket of this.#server.clients) socket.terminate();
  }
}

/** One tab: before its hello, in the pool, or closed. */
class PoolSocket implements PoolConn {
  readonly id: string = randomUUID();
  readonly #socket: WebSocket;
  readonly #options: PoolSocketsOptions;
  readonly #rate: MessageRate;
  readonly #cancelHello: () => void;
  readonly #endPings: () => void;
  #hasSaidHello = false;
  #isClosed = false;
  #pingsUnanswered = 0;

  constructor(socket: WebSocket, options: PoolSocketsOptions) {
    this.#socket = socket;
    this.#options = options;
    const { clock, metrics } = options;
    this.#rate = new MessageRate({ clock, what: "pool messages", ...RATE_MAX });
    this.#cancelHello = clock.after(HELLO_MS_MAX, () =>
      this.#refuse(`The server expected a hello within ${HELLO_MS_MAX / 1000} s and got none.`),
    );
    this.#endPings = repeat(clock, PING_MS, () => this.#ping());
    socket.on("pong", () => (this.#pingsUnanswered = 0));
    socket.on("message", (data, isBinary) => this.#receive(data, isBinary));
    socket.on("close", () => this.#closed());
    socket.on("error", () => metrics.refused("malformed"));
  }

  send(message: PoolServerMessage): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    const text = JSON.stringify(message);
    this.#socket.send(text);
    this.#options.metrics.message("out", Buffer.byteLength(text));
  }

  close(reason: string): void {
    this.#end(CLOSE_NORMAL, reason);
  }

  #refuse(reason: string): void {
    if (this.#isClosed) return;
    this.#options.metrics.refused("malformed");
    this.send({ kind: "refused", reason });
    this.#end(CLOSE_POLICY, reason);
  }

  #end(code: number, reason: string): void {
    if (this.#isClosed) return;
    this.#closed();
    closeSocket(this.#socket, this.#options.clock, code, reason);
  }

  #closed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#cancelHello();
    this.#endPings();
    this.#options.pool.leave(this);
  }

  #ping(): void {
    if (this.#pingsUnanswered >= 2) return this.#socket.terminate();
    this.#pingsUnanswered += 1;
    this.#socket.ping();
  }

  #receive(data: RawData, isBinary: boolean): void {
    if (this.#isClosed) return;
    const bytes = data as Buffer;
    this.#options.metrics.message("in", bytes.byteLength);
    try {
      if (isBinary) throw new ProtocolError(`pool message: expected text, found ${bytes.byteLength} binary bytes`);
      this.#rate.count(bytes.byteLength);
      this.#hear(bytes.toString());
    } catch (error) {
      if (!(error instanceof ProtocolError)) this.#options.log(`pool: ${describeError(error)}`);
      this.#refuse(error instanceof ProtocolError ? error.message : "The server failed on this message.");
    }
  }

  #hear(text: string): void {
    const message = parsePoolClientMessage(text);
    const isHello = message.kind === "hello";
    if (isHello === this.#hasSaidHello) {
      throw new ProtocolError(`pool message: expected one hello, and first, found "${message.kind}"`);
    }
    this.#hasSaidHello = true;
    this.#cancelHello();
    if (message.kind === "idle") return this.#options.pool.idle(this, message.problem);
    const foreign = versionRefusal(message.protocol);
    if (foreign !== null) return this.#refuse(foreign);
    const { device, programs, room } = message;
    this.#options.pool.enter(this, { device, programs, run: room });
  }
}

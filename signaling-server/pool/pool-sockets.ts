/** The WebSocket at /pool: JSON messages between a tab that helps any run and the pool. */
import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import type { Clock } from "../../src/base/clock.ts";
import { ProtocolError } from "../../src/base/errors.ts";
import { parsePoolClientMessage, type PoolServerMessage } from "../../src/network/wire/pool-message.ts";
import { versionRefusal } from "../../src/network/wire/validate.ts";
import type { Metrics } from "../metrics.ts";
import { repeat } from "../repeat.ts";
import { ClientSocket } from "../sockets/client-socket.ts";
import { SocketServer } from "../sockets/socket-server.ts";
import type { PoolConn, PoolDriver } from "./pool-driver.ts";

const LIMITS = { messageBytesMax: 64 * 1024, socketsMax: 2_000 };
/** A tab answers pings even where its page sleeps; one that answered none of two is gone. */
const PING_MS = 10_000;
const RATE_MAX = { windowMs: 10_000, messagesMax: 200, bytesMax: 200 * LIMITS.messageBytesMax };

export interface PoolSocketsOptions {
  readonly pool: PoolDriver;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly log: (line: string) => void;
}

export class PoolSockets {
  readonly #server: SocketServer;

  constructor(options: PoolSocketsOptions) {
    this.#server = new SocketServer(LIMITS, (socket) => {
      new PoolSocket(socket, options);
    });
  }

  /** False when there are too many sockets: the caller answers. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    return this.#server.upgrade(request, socket, head);
  }

  /** Tabs stay where they are and come back. */
  close(reason: string): void {
    this.#server.close(reason);
  }

  terminate(): void {
    this.#server.terminate();
  }
}

/** One tab: before its hello, in the pool, or closed. */
class PoolSocket implements PoolConn {
  readonly id: string = randomUUID();
  readonly #socket: WebSocket;
  readonly #client: ClientSocket;
  readonly #pool: PoolDriver;
  #hasSaidHello = false;
  #pingsUnanswered = 0;

  constructor(socket: WebSocket, { pool, clock, metrics, log }: PoolSocketsOptions) {
    this.#socket = socket;
    this.#pool = pool;
    const endPings = repeat(clock, PING_MS, () => this.#ping());
    socket.on("pong", () => (this.#pingsUnanswered = 0));
    this.#client = new ClientSocket(
      { socket, clock, metrics, log, what: "pool message", rate: RATE_MAX },
      {
        hear: (text) => this.#hear(text),
        refusal: (_, reason): PoolServerMessage => ({ kind: "refused", reason }),
        closed: () => {
          endPings();
          pool.leave(this);
        },
      },
    );
  }

  send(message: PoolServerMessage): void {
    this.#client.send(JSON.stringify(message));
  }

  close(reason: string): void {
    this.#client.close(reason);
  }

  #ping(): void {
    if (this.#pingsUnanswered >= 2) return this.#socket.terminate();
    this.#pingsUnanswered += 1;
    this.#socket.ping();
  }

  #hear(text: string): void {
    const message = parsePoolClientMessage(text);
    const isHello = message.kind === "hello";
    if (isHello === this.#hasSaidHello) {
      throw new ProtocolError(`pool message: expected one hello, and first, found "${message.kind}"`);
    }
    this.#hasSaidHello = true;
    this.#client.saidHello();
    if (message.kind === "idle") return this.#pool.idle(this, message.problem);
    const foreign = versionRefusal(message.protocol);
    if (foreign !== null) return this.#client.refuse("protocol-version", foreign);
    const { device, programs, room } = message;
    this.#pool.enter(this, { device, programs, run: room });
  }
}

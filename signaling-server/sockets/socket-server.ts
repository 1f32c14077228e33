/** The WebSockets of one path: opened while there is room for them, and closed with the server. */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import { CLOSE_GOING_AWAY } from "./close-socket.ts";

export interface SocketServerOptions {
  /** Of one message; a socket that sends more is closed. */
  readonly messageBytesMax: number;
  readonly socketsMax: number;
}

export class SocketServer {
  readonly #server: WebSocketServer;
  readonly #socketsMax: number;
  readonly #open: (socket: WebSocket) => void;
  #isStopping = false;

  /** `open` is told of each socket before it has said anything. */
  constructor({ messageBytesMax, socketsMax }: SocketServerOptions, open: (socket: WebSocket) => void) {
    this.#server = new WebSocketServer({ noServer: true, maxPayload: messageBytesMax, perMessageDeflate: false });
    this.#socketsMax = socketsMax;
    this.#open = open;
  }

  /** False when there are too many sockets or the server stops: the caller answers. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    if (this.#isStopping || this.#server.clients.size >= this.#socketsMax) return false;
    this.#server.handleUpgrade(request, socket, head, this.#open);
    return true;
  }

  get sockets(): number {
    return this.#server.clients.size;
  }

  get isStopping(): boolean {
    return this.#isStopping;
  }

  /** Opens no more of them. */
  stop(): void {
    this.#isStopping = true;
  }

  /** Tells everybody; who was connected may come back. */
  close(reason: string): void {
    this.stop();
    for (const socket of this.#server.clients) socket.close(CLOSE_GOING_AWAY, reason);
  }

  terminate(): void {
    for (const socket of this.#server.clients) socket.terminate();
  }
}

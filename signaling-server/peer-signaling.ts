/**
 * PeerJS signaling under /peerjs, on the server's own port: how two tabs find each other before they talk directly.
 *
 * Clients use `new Peer(id, { path: "/peerjs" })`.
 */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { ExpressPeerServer } from "peer";
import { WebSocketServer } from "ws";
import { assert } from "../src/base/assert.ts";
import type { Clock } from "../src/base/clock.ts";
import { describeError } from "../src/base/errors.ts";
import { sendText } from "./http/reply.ts";
import { repeat } from "./repeat.ts";

const PATH = "/peerjs";
/** A description of a connection is 2 to 10 kB. */
const MESSAGE_BYTES_MAX = 256 * 1024;
const QUEUE_BYTES_MAX = 4 * 1024 * 1024;
const CLIENTS_MAX = 2_000;
/** Pages send a heartbeat every 5 s, and every minute where the browser throttles a hidden tab's timers. */
const ALIVE_MS_MAX = 90_000;
const SWEEP_MS = 1_000;

export interface PeerSignaling {
  /** True for requests that are PeerJS's. */
  owns(pathname: string): boolean;
  handle(request: IncomingMessage, response: ServerResponse): void;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  readonly sockets: number;
  close(reason: string): void;
  terminate(): void;
}

export function createPeerSignaling(server: Server, clock: Clock, log: (line: string) => void): PeerSignaling {
  let sockets: WebSocketServer | undefined;
  const signaling = ExpressPeerServer(server, {
    path: PATH,
    allow_discovery: false,
    alive_timeout: ALIVE_MS_MAX,
    concurrent_limit: CLIENTS_MAX,
    // Not bound to the server: it would end every upgrade that is not its own, the coordinator's among them.
    createWebSocketServer: ({ path }) => {
      sockets = new WebSocketServer({ noServer: true, path: path ?? PATH, maxPayload: MESSAGE_BYTES_MAX });
      return sockets;
    },
  });
  // It starts when it is mounted in an Express app. Express is its dependency and not ours, but a second one of its
  // apps, that is never mounted, is an Express app like any other.
  const app = ExpressPeerServer(server);
  for (const part of [app, signaling]) part.disable("x-powered-by");
  app.use(signaling);
  app.use((_request: IncomingMessage, response: ServerResponse) => sendText(response, 404, "There is nothing here.\n"));
  // Express knows this one by its four parameters. Its own would show and print stacks.
  app.use((error: unknown, request: IncomingMessage, response: ServerResponse, _next: unknown) => {
    log(`peerjs: ${request.method} ${(request.url ?? "").slice(0, 40)}: ${describeError(error)}`);
    sendText(response, 400, "PeerJS signaling does not understand this request.\n");
  });
  // Without a listener, one bad message from a client would end the process.
  signaling.on("error", (error: unknown) => log(`peerjs: ${describeError(error)}`));
  assert(sockets !== undefined, "peerjs: it has made no socket server when mounted");
  const accepted = sockets;
  const endSweeps = repeat(clock, SWEEP_MS, () => {
    for (const socket of accepted.clients) if (socket.bufferedAmount > QUEUE_BYTES_MAX) socket.terminate();
  });
  return {
    owns: (pathname) => pathname === PATH || pathname.startsWith(`${PATH}/`),
    handle: (request, response) => void app(request, response),
    upgrade(request, socket, head) {
      accepted.handleUpgrade(request, socket, head, (opened) => accepted.emit("connection", opened, request));
    },
    get sockets() {
      return accepted.clients.size;
    },
    close(reason) {
      endSweeps();
      for (const socket of accepted.clients) socket.close(1001, reason);
    },
    terminate() {
      for (const socket of accepted.clients) socket.terminate();
    },
  };
}

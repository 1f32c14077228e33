/**
 * The WebSocket at /coordinator: JSON messages between a tab and its room's coordinator.
 *
 * A socket says hello within 10 s and thereby names its room; from then on what it says goes to that room, in order.
 * Whatever breaks the rules gets one sentence and is closed, and nobody else notices.
 */
import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import type { Clock } from "../src/base/clock.ts";
import { ProtocolError } from "../src/base/errors.ts";
import type { ClientMessage, RefusalCode, ServerMessage } from "../src/network/wire/messages.ts";
import { parseClientMessage, versionRefusal } from "../src/network/wire/validate.ts";
import type { Metrics } from "./metrics.ts";
import type { Conn } from "./rooms/room-driver.ts";
import { RoomDriver } from "./rooms/room-driver.ts";
import type { Rooms } from "./rooms/rooms.ts";
import { iceServersFor, type IceOptions, type Tickets } from "./relay/tickets.ts";
import { ClientSocket } from "./sockets/client-socket.ts";
import { SocketServer } from "./sockets/socket-server.ts";

export const COORDINATOR_PATH = "/coordinator";
const LIMITS = { messageBytesMax: 1024 * 1024, socketsMax: 2_000 };
/** A member of a fast run says some 40 things and 1 MB a second. */
const RATE_MAX = { windowMs: 10_000, messagesMax: 5_000, bytesMax: 64 * 1024 * 1024 };
/** How long a ticket or a credential holds; members get fresh ones in half of it. */
const RIGHTS_MS = 60 * 60_000;

type Hello = Extract<ClientMessage, { kind: "hello" }>;

export interface CoordinatorSocketsOptions {
  readonly rooms: Rooms;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly log: (line: string) => void;
  /** How members may reach one another. */
  readonly paths: {
    readonly ice: IceOptions;
    /** Of the relay, where there is one. */
    readonly tickets: Tickets | null;
  };
}

export class CoordinatorSockets {
  readonly #server: SocketServer;

  constructor(options: CoordinatorSocketsOptions) {
    this.#server = new SocketServer(LIMITS, (socket) => {
      new CoordinatorSocket(socket, options, () => this.#server.isStopping);
    });
  }

  /** False when there are too many sockets: the caller answers. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    return this.#server.upgrade(request, socket, head);
  }

  /** From now on nothing that sockets say or do reaches a room. */
  quiet(): void {
    this.#server.stop();
  }

  /** Tells everybody; members keep their state and come back. */
  close(reason: string): void {
    this.#server.close(reason);
  }

  terminate(): void {
    this.#server.terminate();
  }
}

/** One socket: before its hello, on its way into a room, in it, or closed. */
class CoordinatorSocket implements Conn {
  readonly id: string = randomUUID();
  role: Conn["role"] = "member";
  readonly #socket: WebSocket;
  readonly #client: ClientSocket;
  readonly #options: CoordinatorSocketsOptions;
  #cancelRights: () => void = () => {};
  #room: RoomDriver | null = null;
  #hasSaidHello = false;
  /** What had arrived with the hello: reading pauses while the room is loaded. */
  #early: ClientMessage[] = [];

  /** Nothing of it reaches a room while `isQuiet`. */
  constructor(socket: WebSocket, options: CoordinatorSocketsOptions, isQuiet: () => boolean) {
    const { clock, metrics, log } = options;
    this.#socket = socket;
    this.#options = options;
    this.#client = new ClientSocket(
      { socket, clock, metrics, log, what: "message", rate: RATE_MAX },
      {
        hear: (text) => {
          if (!isQuiet()) this.#hear(parseClientMessage(text));
        },
        refusal: (code, reason): ServerMessage => ({ kind: "refused", code, reason }),
        closed: () => {
          this.#cancelRights();
          if (!isQuiet()) this.#room?.detach(this);
        },
      },
    );
  }

  send(text: string): void {
    this.#client.send(text);
  }

  refuse(code: RefusalCode, reason: string): void {
    this.#client.refuse(code, reason);
  }

  close(reason: string): void {
    this.#client.close(reason);
  }

  #hello(hello: Hello): void {
    const foreign = versionRefusal(hello.protocol);
    if (foreign !== null) return this.refuse("protocol-version", foreign);
    if (this.#hasSaidHello) throw new ProtocolError("hello: expected one a connection, found another");
    this.#hasSaidHello = true;
    this.#client.saidHello();
    this.role = hello.role;
    void this.#enter(hello);
  }

  async #enter(hello: Hello): Promise<void> {
    this.#socket.pause();
    const entered = await this.#options.rooms.enter(hello.room, this);
    this.#socket.resume();
    if (!(entered instanceof RoomDriver)) return this.refuse(entered.code, entered.reason);
    if (this.#client.isClosed) return entered.detach(this);
    this.#room = entered;
    if (hello.role === "member") this.#tellPaths(hello);
    for (const message of [hello, ...this.#early]) entered.post({ kind: "message", conn: this.id, message });
    this.#early = [];
  }

  /** Now, so that it comes before anybody can be dialled, and again in time. */
  #tellPaths(hello: Hello): void {
    const { clock, paths } = this.#options;
    const { peer } = hello.info;
    const untilMs = clock.wallMs() + RIGHTS_MS;
    const message: ServerMessage = {
      kind: "network",
      iceServers: iceServersFor(paths.ice, peer, untilMs),
      relayTicket: paths.tickets?.issue({ room: hello.room, peer }, untilMs) ?? null,
    };
    this.send(JSON.stringify(message));
    this.#cancelRights = clock.after(RIGHTS_MS / 2, () => this.#tellPaths(hello));
  }

  #hear(message: ClientMessage): void {
    if (message.kind === "hello") return this.#hello(message);
    if (!this.#hasSaidHello) throw new ProtocolError(`first message: expected a hello, found "${message.kind}"`);
    if (this.#room) this.#room.post({ kind: "message", conn: this.id, message });
    else this.#early.push(message);
  }
}

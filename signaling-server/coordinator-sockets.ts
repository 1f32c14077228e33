/**
 * The WebSocket at /coordinator: JSON messages between a tab and its room's coordinator.
 *
 * A socket says hello within 10 s and thereby names its room; from then on what it says goes to that room, in order.
 * Whatever breaks the rules gets one sentence and is closed, and nobody else notices.
 */
import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type RawData, type WebSocket, WebSocketServer } from "ws";
import type { Clock } from "../src/base/clock.ts";
import { describeError, ProtocolError } from "../src/base/errors.ts";
import type { ClientMessage, RefusalCode, ServerMessage } from "../src/network/wire/messages.ts";
import { parseClientMessage, versionRefusal } from "../src/network/wire/validate.ts";
import { CLOSE_GOING_AWAY, CLOSE_NORMAL, CLOSE_POLICY, closeSocket } from "./close-socket.ts";
import { MessageRate } from "./message-rate.ts";
import type { Metrics } from "./metrics.ts";
import type { Conn } from "./rooms/room-driver.ts";
import { RoomDriver } from "./rooms/room-driver.ts";
import type { Rooms } from "./rooms/rooms.ts";
import { iceServersFor, type IceOptions, type Tickets } from "./relay/tickets.ts";

export const COORDINATOR_PATH = "/coordinator";
const MESSAGE_BYTES_MAX = 1024 * 1024;
const QUEUE_BYTES_MAX = 16 * 1024 * 1024;
const HELLO_MS_MAX = 10_000;
const SOCKETS_MAX = 2_000;
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
  readonly #options: CoordinatorSocketsOptions;
  readonly #server = new WebSocketServer({ noServer: true, maxPayload: MESSAGE_BYTES_MAX, perMessageDeflate: false });
  #isStopping = false;

  constructor(options: CoordinatorSocketsOptions) {
    this.#options = options;
  }

  /** False when there are too many sockets: the caller answers. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    if (this.#isStopping || this.#server.clients.size >= SOCKETS_MAX) return false;
    this.#server.handleUpgrade(request, socket, head, (opened) => {
      new CoordinatorSocket(opened, this.#options, () => this.#isStopping);
    });
    return true;
  }

  /** From now on nothing that sockets say or do reaches a room. */
  quiet(): void {
    this.#isStopping = true;
  }

  /** Tells everybody; members keep their state and come back. */
  close(reason: string): void {
    for (const socket of this.#server.clients) socket.close(CLOSE_GOING_AWAY, reason);
  }

  terminate(): void {
    for (const socket of this.#server.clients) socket.terminate();
  }
}

/** One socket: before its hello, on its way into a room, in it, or closed. */
class CoordinatorSocket implements Conn {
  readonly id: string = randomUUID();
  role: Conn["role"] = "member";
  readonly #socket: WebSocket;
  readonly #options: CoordinatorSocketsOptions;
  readonly #isQuiet: () => boolean;
  readonly #rate: MessageRate;
  readonly #cancelHello: () => void;
  #cancelRights: () => void = () => {};
  #room: RoomDriver | null = null;
  #hasSaidHello = false;
  /** What had arrived with the hello: reading pauses while the room is loaded. */
  #early: ClientMessage[] = [];
  #isClosed = false;

  constructor(socket: WebSocket, options: CoordinatorSocketsOptions, isQuiet: () => boolean) {
    this.#socket = socket;
    this.#options = options;
    this.#isQuiet = isQuiet;
    this.#rate = new MessageRate({ clock: options.clock, what: "messages", ...RATE_MAX });
    this.#cancelHello = options.clock.after(HELLO_MS_MAX, () => this.#hangUp());
    socket.on("message", (data, isBinary) => this.#receive(data, isBinary));
    socket.on("close", () => this.#closed());
    // A message that is too large, or no WebSocket frames at all: `ws` closes the socket by itself.
    socket.on("error", () => options.metrics.refused("malformed"));
  }

  send(text: string): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    this.#socket.send(text);
    this.#options.metrics.message("out", Buffer.byteLength(text));
    if (this.#socket.bufferedAmount > QUEUE_BYTES_MAX) {
      this.#options.log(`a client does not read what it is sent: ${this.#socket.bufferedAmount} bytes wait; closed`);
      this.#socket.terminate();
    }
  }

  refuse(code: RefusalCode, reason: string): void {
    if (this.#isClosed) return;
    this.#options.metrics.refused(code);
    const message: ServerMessage = { kind: "refused", code, reason };
    this.send(JSON.stringify(message));
    this.#end(CLOSE_POLICY, reason);
  }

  /** A refusal would be for good, but a tab that froze when it had connected may come again. */
  #hangUp(): void {
    this.#options.metrics.refused("malformed");
    this.#end(CLOSE_POLICY, `The server expected a hello within ${HELLO_MS_MAX / 1000} s and got none.`);
  }

  close(reason: string): void {
    this.#end(CLOSE_NORMAL, reason);
  }

  #end(code: number, reason: string): void {
    if (this.#isClosed) return;
    this.#closed();
    closeSocket(this.#socket, this.#options.clock, code, reason);
  }

  /** Also when we close: what it still sends is no longer heard, and its room is told now. */
  #closed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#cancelHello();
    this.#cancelRights();
    if (!this.#isQuiet()) this.#room?.detach(this);
  }

  #receive(data: RawData, isBinary: boolean): void {
    if (this.#isClosed || this.#isQuiet()) return;
    const bytes = data as Buffer;
    this.#options.metrics.message("in", bytes.byteLength);
    try {
      if (isBinary) throw new ProtocolError(`message: expected text, found ${bytes.byteLength} binary bytes`);
      this.#rate.count(bytes.byteLength);
      const message = parseClientMessage(bytes.toString());
      if (message.kind === "hello") this.#hello(message);
      else this.#hear(message);
    } catch (error) {
      if (!(error instanceof ProtocolError)) this.#options.log(`socket: ${describeError(error)}`);
      this.refuse("malformed", error instanceof ProtocolError ? error.message : "The server failed on this message.");
    }
  }

  #hello(hello: Hello): void {
    const foreign = versionRefusal(hello.protocol);
    if (foreign !== null) return this.refuse("protocol-version", foreign);
    if (this.#hasSaidHello) throw new ProtocolError("hello: expected one a connection, found another");
    this.#hasSaidHello = true;
    this.#cancelHello();
    this.role = hello.role;
    void this.#enter(hello);
  }

  async #enter(hello: Hello): Promise<void> {
    this.#socket.pause();
    const entered = await this.#options.rooms.enter(hello.room, this);
    this.#socket.resume();
    if (!(entered instanceof RoomDriver)) return this.refuse(entered.code, entered.reason);
    if (this.#isClosed) return entered.detach(this);
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
    if (!this.#hasSaidHello) throw new ProtocolError(`first message: expected a hello, found "${message.kind}"`);
    if (this.#room) this.#room.post({ kind: "message", conn: this.id, message });
    else this.#early.push(message);
  }
}

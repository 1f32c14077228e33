/**
 * The WebSocket at /relay: passes sealed bytes between members of one room that nothing else connects.
 *
 * A socket says hello with its ticket within 10 s. From then on its binary messages go to the peers that they name, and
 * nobody looks into them. What waits is bounded, a fast sender is read more slowly, and whoever breaks the rules gets
 * one sentence and is closed.
 */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { RawData, WebSocket } from "ws";
import type { Clock } from "../../src/base/clock.ts";
import { describeError, ProtocolError } from "../../src/base/errors.ts";
import {
  decodeEnvelope,
  encodeEnvelope,
  ENVELOPE_BYTES_MAX,
  parseRelayHello,
  type RelayNotice,
} from "../../src/network/wire/relay-message.ts";
import type { Metrics } from "../metrics.ts";
import { repeat } from "../repeat.ts";
import { CLOSE_POLICY, closeSocket } from "../sockets/close-socket.ts";
import { SocketServer } from "../sockets/socket-server.ts";
import { EMPTY_BUCKET, pour, RelayLedger, type RelayLimits } from "./relay-ledger.ts";
import type { Tickets } from "./tickets.ts";

const HELLO_MS_MAX = 10_000;
const SWEEP_MS = 5_000;
/** Proxies close what is silent, and members that are not relayed say nothing: a ping each so many sweeps. */
const PING_SWEEPS = 5;
/** A receiver that takes nothing for so long is cut off: what waits for it is others' room. */
const STALL_MS_MAX = 15_000;
const BUSY_MS = 50;

export interface RelaySocketsOptions {
  readonly tickets: Tickets;
  readonly limits: RelayLimits;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly log: (line: string) => void;
}

/** What all sockets share. */
interface Shared extends RelaySocketsOptions {
  readonly ledger: RelayLedger;
  /** By room and peer. */
  readonly members: Map<string, RelaySocket>;
}

export class RelaySockets {
  readonly #shared: Shared;
  readonly #server: SocketServer;
  readonly #endSweeps: () => void;
  #sweeps = 0;

  constructor(options: RelaySocketsOptions) {
    this.#shared = { ...options, ledger: new RelayLedger(options.limits), members: new Map() };
    const limits = { messageBytesMax: ENVELOPE_BYTES_MAX, socketsMax: options.limits.socketsMax };
    this.#server = new SocketServer(limits, (socket) => {
      new RelaySocket(socket, this.#shared);
    });
    this.#endSweeps = repeat(options.clock, SWEEP_MS, () => this.#sweep());
  }

  /** False when there are too many sockets: the caller answers. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    return this.#server.upgrade(request, socket, head);
  }

  get sockets(): number {
    return this.#server.sockets;
  }

  get waitingBytes(): number {
    return this.#shared.ledger.totalBytes;
  }

  close(reason: string): void {
    this.#endSweeps();
    this.#server.close(reason);
  }

  terminate(): void {
    this.#server.terminate();
  }

  #sweep(): void {
    this.#sweeps += 1;
    for (const member of this.#shared.members.values()) member.sweep(this.#sweeps % PING_SWEEPS === 0);
  }
}

/** One member's socket. */
class RelaySocket {
  readonly #socket: WebSocket;
  readonly #shared: Shared;
  readonly #cancelHello: () => void;
  /** Room and peer, once a ticket named them. */
  #name: string | null = null;
  #peer = "";
  #room = "";
  #bucket = EMPTY_BUCKET;
  /** To be told when this member goes: those it has sent to or heard from. */
  readonly #partners = new Set<RelaySocket>();
  #cancelPause: (() => void) | null = null;
  /** For this member, and when it last took some of it. */
  #waitingBytes = 0;
  #tookAtMs = 0;
  #hasAnswered = true;
  #isClosed = false;

  constructor(socket: WebSocket, shared: Shared) {
    this.#socket = socket;
    this.#shared = shared;
    this.#cancelHello = shared.clock.after(HELLO_MS_MAX, () =>
      this.#refuse(`The relay expected a hello within ${HELLO_MS_MAX / 1000} s and got none.`),
    );
    socket.on("message", (data, isBinary) => this.#receive(data, isBinary));
    socket.on("close", () => this.#closed());
    socket.on("pong", () => (this.#hasAnswered = true));
    // Too large, or no WebSocket frames at all: `ws` closes the socket by itself.
    socket.on("error", () => shared.metrics.refused("malformed"));
  }

  /** Ends a socket behind which nobody is, or nobody who reads. */
  sweep(isPing: boolean): void {
    const { clock, log } = this.#shared;
    const isStalled = this.#waitingBytes > 0 && clock.nowMs() - this.#tookAtMs > STALL_MS_MAX;
    if (isStalled) log(`relay: a member does not read what it is sent: ${this.#waitingBytes} bytes wait; closed`);
    if (isStalled || (isPing && !this.#hasAnswered)) return this.#socket.terminate();
    if (!isPing) return;
    this.#hasAnswered = false;
    this.#socket.ping();
  }

  #receive(data: RawData, isBinary: boolean): void {
    if (this.#isClosed) return;
    try {
      if (!isBinary) return this.#hello((data as Buffer).toString());
      if (this.#name === null) throw new ProtocolError("relay: expected a hello first, found a binary message");
      this.#pass(data as Buffer);
    } catch (error) {
      if (!(error instanceof ProtocolError)) this.#shared.log(`relay: ${describeError(error)}`);
      this.#refuse(error instanceof ProtocolError ? error.message : "The relay failed on this message.");
    }
  }

  #hello(text: string): void {
    const { tickets, clock, members } = this.#shared;
    if (this.#name !== null) throw new ProtocolError("relay: expected one hello a connection, found another");
    const admitted = tickets.check(parseRelayHello(text).ticket, clock.wallMs());
    if (admitted === null) return this.#refuse("The relay does not know this ticket, or it has ended.");
    this.#cancelHello();
    this.#room = admitted.room;
    this.#peer = admitted.peer;
    this.#name = nameOf(admitted.room, admitted.peer);
    const before = members.get(this.#name);
    if (before) before.#refuse("Another connection of the same member took its place.");
    members.set(this.#name, this);
    this.#say({ kind: "welcome" });
  }

  #pass(data: Buffer): void {
    const { ledger, members, metrics } = this.#shared;
    const { peer, body } = decodeEnvelope(data);
    const to = members.get(nameOf(this.#room, peer));
    if (to === undefined || to === this) return this.#say({ kind: "gone", peer });
    const bytes = data.byteLength;
    const pair = `${this.#name}>${peer}`;
    const refusal = ledger.take(pair, bytes);
    if (refusal !== null) return this.#refuse(refusal);
    this.#partners.add(to);
    to.#partners.add(this);
    metrics.relayed(bytes);
    to.#send(encodeEnvelope(this.#peer, [body]), () => ledger.release(pair, bytes));
    this.#holdBack(bytes);
  }

  #send(message: Uint8Array, left: () => void): void {
    const { clock } = this.#shared;
    if (this.#waitingBytes === 0) this.#tookAtMs = clock.nowMs();
    this.#waitingBytes += message.byteLength;
    this.#socket.send(message, () => {
      this.#waitingBytes -= message.byteLength;
      this.#tookAtMs = clock.nowMs();
      left();
    });
  }

  /** Reads no more for a while, where this sender or all of them are ahead of the limits. */
  #holdBack(bytes: number): void {
    const { limits, clock, ledger } = this.#shared;
    const { bucket, pauseMs } = pour(this.#bucket, bytes, clock.nowMs(), limits);
    this.#bucket = bucket;
    if (this.#cancelPause !== null || (pauseMs === 0 && !ledger.isFull)) return;
    this.#socket.pause();
    this.#waitFor(Math.max(pauseMs, ledger.isFull ? BUSY_MS : 0), ledger.isFull);
  }

  #waitFor(ms: number, isFull: boolean): void {
    const { clock, ledger } = this.#shared;
    this.#cancelPause = clock.after(ms, () => {
      if (isFull && !ledger.isRelieved) return this.#waitFor(BUSY_MS, true);
      this.#cancelPause = null;
      this.#socket.resume();
    });
  }

  #say(notice: RelayNotice): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(JSON.stringify(notice));
  }

  #refuse(reason: string): void {
    if (this.#isClosed) return;
    this.#shared.metrics.refused("malformed");
    this.#say({ kind: "refused", reason });
    this.#closed();
    this.#socket.resume(); // For the close handshake.
    closeSocket(this.#socket, this.#shared.clock, CLOSE_POLICY, reason);
  }

  #closed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#cancelHello();
    this.#cancelPause?.();
    const { members } = this.#shared;
    if (this.#name !== null && members.get(this.#name) === this) members.delete(this.#name);
    for (const partner of this.#partners) {
      partner.#partners.delete(this);
      partner.#say({ kind: "gone", peer: this.#peer });
    }
    this.#partners.clear();
  }
}

function nameOf(room: string, peer: string): string {
  return `${room}/${peer}`;
}

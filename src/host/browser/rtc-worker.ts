/**
 * The engine worker's half of the WebRTC transport. It decides whom to dial and which link stays; the page half does
 * what only a page can, and hands the channels over.
 */
import type { Clock } from "../../base/clock.ts";
import { PeerLostError, UnsupportedError } from "../../base/errors.ts";
import type { HearthError } from "../../base/errors.ts";
import type { Channel } from "../../network/transport/channel.ts";
import { ChannelTransport } from "../../network/transport/channel-transport.ts";
import type { Connection, Dial } from "../../network/transport/channel-transport.ts";
import { PortChannel } from "../../network/transport/message-port/port-channel.ts";
import type { PeerId } from "../../network/transport/transport.ts";
import type { IceServer } from "../../network/wire/messages.ts";
import { CALL } from "../../network/transport/webrtc/page-line.ts";
import type { FailureKind, Handed, ToPage, ToWorker } from "../../network/transport/webrtc/page-line.ts";
import { StripedChannel } from "../../network/transport/webrtc/striped-channel.ts";

export interface WorkerTransportOptions {
  readonly self: PeerId;
  /** To the page's half: `RtcPage.port`. */
  readonly port: MessagePort;
  readonly clock: Clock;
}

export class WorkerTransport extends ChannelTransport {
  readonly #page: Page;

  constructor({ self, port, clock }: WorkerTransportOptions) {
    const page = new Page(port, clock);
    super(self, clock, (peer, failed) => page.dial(peer, failed));
    this.#page = page;
    page.start((peer, connection) => this.accept(peer, connection));
  }

  /** STUN and TURN servers for connections from now on. */
  useIceServers(iceServers: readonly IceServer[]): void {
    this.#page.post({ kind: "ice", iceServers });
  }
}

interface Call {
  readonly peer: PeerId;
  readonly answer: (connection: Connection) => void;
  readonly failed: (why: HearthError | string) => void;
}

/** The page, as the worker sees it. */
class Page {
  readonly #port: MessagePort;
  readonly #calls = new Map<string, Call>();
  readonly #channels = new Map<string, StripedChannel>();
  readonly #clock: Clock;
  #count = 0;
  #incoming: (peer: PeerId, connection: Connection) => void = () => {};

  constructor(port: MessagePort, clock: Clock) {
    this.#port = port;
    this.#clock = clock;
  }

  start(incoming: (peer: PeerId, connection: Connection) => void): void {
    this.#incoming = incoming;
    this.#port.onmessage = (event: MessageEvent<ToWorker>) => this.#onMessage(event.data);
    this.post({ kind: "start" });
  }

  dial(peer: PeerId, failed: Call["failed"]): Dial {
    const key = `${CALL}${(this.#count += 1)}`;
    const connection = new Promise<Connection>((answer) => this.#calls.set(key, { peer, answer, failed }));
    this.post({ kind: "dial", key, peer });
    return { connection, abandon: () => this.#drop(key) };
  }

  #onMessage(message: ToWorker): void {
    const call = this.#calls.get(message.key);
    if (message.kind === "lane") return this.#addLane(message.key, channelOf(message));
    if (message.kind === "failed") return call?.failed(failureOf(call.peer, message.why, message.reason));
    const connection = this.#connectionOf(message.key, message);
    if (call !== undefined) return call.answer(connection);
    if (!message.key.startsWith(CALL)) return this.#incoming(message.peer, connection);
    connection.channel.close(); // Dropped before the page had dialled.
    connection.release();
  }

  #connectionOf(key: string, handed: Handed): Connection {
    const channel = new StripedChannel(channelOf(handed), this.#clock);
    this.#channels.set(key, channel);
    return { channel, path: "channel" in handed ? "webrtc" : "page", release: () => this.#drop(key) };
  }

  #addLane(key: string, channel: Channel): void {
    const striped = this.#channels.get(key);
    if (striped === undefined) channel.close();
    else striped.addLane(channel);
  }

  #drop(key: string): void {
    this.#calls.delete(key);
    this.#channels.delete(key);
    this.post({ kind: "drop", key });
  }

  post(message: ToPage): void {
    this.#port.postMessage(message);
  }
}

function channelOf(handed: Handed): Channel {
  if ("channel" in handed) return handed.channel;
  return new PortChannel(handed.port, { state: "connecting", acknowledges: "channel" });
}

function failureOf(peer: PeerId, why: FailureKind, reason: string): HearthError | string {
  const message = `dialling peer ${peer}: ${reason}`;
  if (why === "gone") return new PeerLostError(peer, message);
  return why === "impossible" ? new UnsupportedError(message) : message;
}

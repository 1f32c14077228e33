/**
 * A UDP proxy before a TURN server, which does to packets what networks do: real WebRTC through it meets real loss and
 * delay. Each client address has a socket of its own towards the server, as behind a router that translates addresses.
 */
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import type { Clock } from "../../src/base/clock.ts";
import type { Random } from "../../src/base/random.ts";
import { type Impairment, NO_IMPAIRMENT, passPacket, type PathState } from "./impairment.ts";

const HOST = "127.0.0.1";
/** As much as one connection may send ahead of the program. */
const SOCKET_BYTES = 4 * 1024 * 1024;

export interface ProxyOptions {
  readonly serverPort: number;
  readonly clock: Clock;
  readonly random: Random;
}

export interface ProxyCounts {
  readonly passed: number;
  /** By loss, by a full queue, and in cuts. */
  readonly dropped: number;
}

/** One client, and its port towards the server. */
interface Client {
  readonly address: RemoteInfo;
  upstream: Socket;
  /** Forth and back. */
  readonly paths: [Direction, Direction];
}

export class UdpProxy {
  readonly #options: ProxyOptions;
  readonly #front: Socket;
  readonly #clients = new Map<string, Client>();
  #impairment = NO_IMPAIRMENT;
  #isCut = false;
  #passed = 0;
  #dropped = 0;

  private constructor(front: Socket, options: ProxyOptions) {
    this.#front = front;
    this.#options = options;
    front.on("message", (packet, from) => this.#pass(packet, this.#client(from), 0));
  }

  static async open(options: ProxyOptions): Promise<UdpProxy> {
    const front = createSocket({ type: "udp4", recvBufferSize: SOCKET_BYTES, sendBufferSize: SOCKET_BYTES });
    await new Promise<void>((resolve, reject) => {
      front.once("error", reject);
      front.bind(0, HOST, resolve);
    });
    return new UdpProxy(front, options);
  }

  /** Where clients find the server. */
  get port(): number {
    return this.#front.address().port;
  }

  get counts(): ProxyCounts {
    return { passed: this.#passed, dropped: this.#dropped };
  }

  /** From now on. */
  impair(impairment: Impairment): void {
    this.#impairment = impairment;
  }

  /** Nothing passes until `mend`. */
  cut(): void {
    this.#isCut = true;
  }

  mend(): void {
    this.#isCut = false;
  }

  /** Gives every client another port: the server knows none of them any more. */
  changePorts(): void {
    for (const client of this.#clients.values()) {
      client.upstream.close();
      client.upstream = this.#openUpstream(client);
    }
  }

  close(): void {
    for (const { upstream, paths } of this.#clients.values()) {
      upstream.close();
      for (const path of paths) path.close();
    }
    this.#clients.clear();
    this.#front.close();
  }

  #client(from: RemoteInfo): Client {
    const known = this.#clients.get(`${from.port}`);
    if (known) return known;
    const { clock } = this.#options;
    const client = { address: from } as Client;
    const made = Object.assign(client, {
      upstream: this.#openUpstream(client),
      paths: [
        new Direction(clock, (packet) => client.upstream.send(packet, this.#options.serverPort, HOST)),
        new Direction(clock, (packet) => this.#front.send(packet, from.port, from.address)),
      ],
    });
    this.#clients.set(`${from.port}`, made);
    return made;
  }

  #openUpstream(client: Client): Socket {
    const upstream = createSocket({ type: "udp4", recvBufferSize: SOCKET_BYTES, sendBufferSize: SOCKET_BYTES });
    upstream.on("message", (packet) => this.#pass(packet, client, 1));
    upstream.on("error", () => {}); // The server is gone: packets are lost, as they are on a network.
    return upstream;
  }

  #pass(packet: Buffer, { paths }: Client, direction: 0 | 1): void {
    const uniform = this.#options.random.uniform();
    if (!this.#isCut && paths[direction].pass(packet, uniform, this.#impairment)) this.#passed += 1;
    else this.#dropped += 1;
  }
}

/** Packets on their way in one direction: they leave in the order in which they came. */
class Direction {
  readonly #clock: Clock;
  readonly #send: (packet: Buffer) => void;
  readonly #queue: { readonly packet: Buffer; readonly atMs: number }[] = [];
  #path: PathState = { freeAtMs: 0 };
  #cancel: (() => void) | null = null;

  constructor(clock: Clock, send: (packet: Buffer) => void) {
    this.#clock = clock;
    this.#send = send;
  }

  /** False when the packet is lost. */
  pass(packet: Buffer, uniform: number, impairment: Impairment): boolean {
    const nowMs = this.#clock.nowMs();
    const { path, arrivesAtMs } = passPacket(this.#path, packet.byteLength, nowMs, uniform, impairment);
    this.#path = path;
    if (arrivesAtMs === null) return false;
    if (arrivesAtMs <= nowMs && this.#queue.length === 0) {
      this.#send(packet);
      return true;
    }
    this.#queue.push({ packet, atMs: arrivesAtMs });
    this.#wake();
    return true;
  }

  close(): void {
    this.#cancel?.();
    this.#queue.length = 0;
  }

  #wake(): void {
    const [next] = this.#queue;
    if (next === undefined || this.#cancel !== null) return;
    this.#cancel = this.#clock.after(Math.max(0, next.atMs - this.#clock.nowMs()), () => {
      this.#cancel = null;
      const nowMs = this.#clock.nowMs();
      let due = 0;
      while (due < this.#queue.length && (this.#queue[due]?.atMs ?? 0) <= nowMs) due += 1;
      for (const { packet } of this.#queue.splice(0, due)) this.#send(packet);
      this.#wake();
    });
  }
}

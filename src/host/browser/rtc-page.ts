/**
 * The page's half of the WebRTC transport: PeerJS for signaling, one peer connection for each pair, and in each one
 * channel of our own, which is handed to the engine worker in the task that makes it; later the browser refuses.
 * PeerJS's own channel carries nothing. The page decides nothing and does no arithmetic.
 */
import { Peer } from "peerjs";
import type { DataConnection, PeerError, PeerErrorType } from "peerjs";
import { systemClock } from "../../base/clock.ts";
import { PeerLostError, UnsupportedError } from "../../base/errors.ts";
import { withDeadline } from "../../base/wait.ts";
import type { PeerId } from "../../network/transport/transport.ts";
import { LANE_MS_MAX, measureLanes } from "../../network/transport/webrtc/lane-count.ts";
import type { FailureKind, Handed, ToPage, ToWorker } from "../../network/transport/webrtc/page-line.ts";
import type { IceServer } from "../../network/wire/messages.ts";
import { relay } from "../../network/transport/webrtc/relay.ts";
import { HeldConnection } from "./held-connection.ts";

export interface RtcPageOptions {
  readonly self: PeerId;
  /** Where PeerServer runs: its host and port. */
  readonly server: URL;
  /** PeerServer's path there. */
  readonly path?: string;
  /** STUN and TURN servers besides those that the server names. None: enough in one network, and nobody else is told who trains. */
  readonly iceServers?: readonly RTCIceServer[];
  /** `relay`: by TURN servers alone, so that peers do not learn addresses of this network. */
  readonly iceTransportPolicy?: RTCIceTransportPolicy;
  /** False relays all channels through the page, as in browsers that cannot transfer them. */
  readonly transfersChannels?: boolean;
}

/** PeerJS drops what is sent while its socket is still opening. */
const SIGNALING_MS_MAX = 3_000;
const RECONNECT_MS_MIN = 200;
const RECONNECT_MS_MAX = 5_000;
/** For a channel that the worker closed to send what is in its queue. */
const FLUSH_MS = 1_000;

/** What an offer of a lane says of it: the connection that it belongs to. */
interface LaneMetadata {
  readonly laneOf: string;
}

export class RtcPage {
  /** For the worker half, to be transferred. */
  readonly port: MessagePort;
  readonly #line: MessagePort;
  readonly #options: RtcPageOptions;
  /** PeerJS makes every connection with what is in it at that time. */
  readonly #config: RTCConfiguration;
  readonly #held = new Map<string, HeldConnection>();
  #peer: Peer | null = null;
  #fatal: string | null = null;
  #reconnectMs = RECONNECT_MS_MIN;
  #incomingCount = 0;
  /** Of connections that are forgotten. */
  #iceRestarts = 0;
  readonly #lanes = new Map<PeerId, number>();
  /** What connections that are forgotten sent; counted when their last look is over. */
  readonly #sentByClosed: Promise<number>[] = [];
  #isClosed = false;

  /** Signaling begins when the worker half listens. @throws UnsupportedError where there is no WebRTC */
  static async open(options: RtcPageOptions): Promise<RtcPage> {
    if (typeof RTCPeerConnection === "undefined") {
      throw new UnsupportedError(
        "This browser has no WebRTC, or it is turned off: hearth needs it to reach other tabs.",
      );
    }
    return new RtcPage(options);
  }

  private constructor(options: RtcPageOptions) {
    const { port1, port2 } = new MessageChannel();
    this.port = port2;
    this.#line = port1;
    this.#options = options;
    const { iceServers = [], iceTransportPolicy = "all" } = options;
    this.#config = { iceServers: [...iceServers], iceTransportPolicy };
    port1.onmessage = (event: MessageEvent<ToPage>) => this.#onMessage(event.data);
  }

  /** Bytes that our channels sent since the page opened, by the browser's own count. */
  async browserBytesSent(): Promise<number> {
    const open = [...this.#held.values()].map((held) => held.bytesSent());
    const counts = await Promise.all([...open, ...this.#sentByClosed]);
    return counts.reduce((sum, bytes) => sum + bytes, 0);
  }

  /** How often this page looked for another path, since it opened. */
  get iceRestarts(): number {
    return [...this.#held.values()].reduce((sum, held) => sum + held.iceRestarts, this.#iceRestarts);
  }

  /** Over how many peer connections at once each peer was reached, at most. */
  get lanes(): ReadonlyMap<PeerId, number> {
    return this.#lanes;
  }

  close(): void {
    this.#isClosed = true;
    for (const held of this.#held.values()) held.close();
    this.#line.close();
    const peer = this.#peer;
    const isOpening = peer !== null && !peer.open && !peer.disconnected;
    // A socket that is closed while it opens makes the browser complain on its console. One that fails goes by itself.
    if (isOpening) peer.once("open", () => peer.destroy());
    else peer?.destroy();
  }

  #onMessage(message: ToPage): void {
    switch (message.kind) {
      case "start":
        return this.#start();
      case "ice":
        return this.#useIceServers(message.iceServers);
      case "dial":
        return void this.#dial(message.key, message.peer);
      case "drop":
        return void this.#drop(message.key);
      default:
        message satisfies never;
    }
  }

  #start(): void {
    const { self, server, path = "/peerjs" } = this.#options;
    const secure = server.protocol === "https:";
    const port = Number(server.port) || (secure ? 443 : 80);
    const peer = new Peer(self, { host: server.hostname, port, path, secure, config: this.#config, debug: 0 });
    peer.on("open", () => (this.#reconnectMs = RECONNECT_MS_MIN));
    peer.on("connection", (connection) => {
      if (!this.#isClosed) this.#onIncoming(connection);
    });
    peer.on("disconnected", () => this.#reconnectLater(peer));
    peer.on("error", (error) => this.#onPeerError(peer, error));
    this.#peer = peer;
  }

  #useIceServers(told: readonly IceServer[]): void {
    const servers = told.map(({ urls, ...credentials }) => ({ urls: [...urls], ...credentials }));
    this.#config.iceServers = [...(this.#options.iceServers ?? []), ...servers];
  }

  /** The server was restarted or the network is away: connections live on, new ones have to wait. */
  #reconnectLater(peer: Peer): void {
    setTimeout(() => {
      if (!this.#isClosed && !peer.destroyed && peer.disconnected) peer.reconnect();
    }, this.#reconnectMs);
    this.#reconnectMs = Math.min(2 * this.#reconnectMs, RECONNECT_MS_MAX);
  }

  #onPeerError(peer: Peer, error: PeerError<`${PeerErrorType}`>): void {
    if (error.type === "peer-unavailable") {
      const gone = error.message.split(" ").at(-1) ?? "";
      for (const [key, held] of this.#held)
        if (held.peer === gone) this.#fail(key, "gone", "no such peer at the server");
    } else if (peer.destroyed || error.type === "browser-incompatible" || error.type === "invalid-id") {
      this.#fatal = `${error.type}: ${error.message}`;
    }
  }

  async #dial(key: string, peer: PeerId): Promise<void> {
    if (!canConnect(this.#config)) return this.#fail(key, "impossible", "by TURN servers alone, and there is none");
    await this.#signaling();
    if (this.#fatal !== null) return this.#fail(key, "impossible", this.#fatal);
    const connection = this.#connect(peer);
    if (connection === undefined) this.#fail(key, "other", "the signaling server is away");
    else this.#hand(key, connection);
  }

  /** Undefined while PeerJS is disconnected. */
  #connect(peer: PeerId, metadata?: LaneMetadata): DataConnection | undefined {
    return this.#peer?.connect(peer, { serialization: "raw", reliable: true, metadata }) as DataConnection | undefined;
  }

  #onIncoming(connection: DataConnection): void {
    const { laneOf } = (connection.metadata ?? {}) as Partial<LaneMetadata>;
    if (laneOf === undefined) return this.#hand(`in-${(this.#incomingCount += 1)}`, connection);
    const main = [...this.#held].find(([, held]) => held.id === laneOf && held.peer === connection.peer);
    if (main === undefined) connection.close();
    else this.#handLane(...main, connection, () => {});
  }

  /** Resolves when PeerJS has its server, or it is time to try all the same. */
  #signaling(): Promise<void> {
    const peer = this.#peer;
    if (peer === null || peer.open || this.#fatal !== null) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, SIGNALING_MS_MAX);
      peer.once("open", () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  /** Makes our channel and gives it away: no `await` may come between. */
  #hand(key: string, connection: DataConnection): void {
    const onConnected = (): void => {
      this.#countLanes(held);
      this.#addLanes(key, held).catch(() => {}); // One lane is enough.
    };
    const held = this.#hold(connection, onConnected, (reason) => this.#fail(key, "other", reason));
    this.#held.set(key, held);
    connection.on("error", (error) => this.#fail(key, "other", error.message));
    connection.on("close", () => this.#forget(key));
    this.#give(held.makeChannel(), (handed) => ({ kind: "channel", key, peer: held.peer, ...handed }));
  }

  /** A lane that ends takes its channel with it, and so the worker learns of it. */
  #handLane(key: string, main: HeldConnection, connection: DataConnection, onConnected: () => void): void {
    const connected = (): void => {
      this.#countLanes(main);
      onConnected();
    };
    const lane = this.#hold(connection, connected, () => lane.close());
    main.lanes.push(lane);
    connection.on("error", () => lane.close());
    this.#give(lane.makeChannel(), (handed) => ({ kind: "lane", key, ...handed }));
  }

  /** A connection of the pair has connected; they do so one after another. */
  #countLanes({ peer, lanes }: HeldConnection): void {
    this.#lanes.set(peer, Math.max(this.#lanes.get(peer) ?? 0, 1 + lanes.length));
  }

  #hold(connection: DataConnection, onConnected: () => void, giveUp: (reason: string) => void): HeldConnection {
    return new HeldConnection(connection, {
      isOfferer: this.#options.self < connection.peer,
      signal: (type, payload, dst) => {
        if (this.#peer?.open) this.#peer.socket.send({ type, payload, dst });
      },
      configuration: () => this.#config,
      onConnected,
      giveUp,
    });
  }

  #give(channel: RTCDataChannel, message: (handed: Handed) => ToWorker): void {
    try {
      if (this.#options.transfersChannels === false) throw new DOMException("turned off", "DataCloneError");
      this.#post(message({ channel }), channel as unknown as Transferable);
    } catch {
      const { port1, port2 } = new MessageChannel();
      relay(channel, port1);
      this.#post(message({ port: port2 }), port2);
    }
  }

  /** Measures the path, and opens more connections where it is long, one after another: both sides count them alike. */
  async #addLanes(key: string, main: HeldConnection): Promise<void> {
    if (this.#options.self > main.peer) return;
    const isWanted = (): boolean => this.#held.get(key) === main;
    const count = await measureLanes({ isWanted, roundTripMs: () => main.roundTripMs(), clock: systemClock });
    while (main.lanes.length + 1 < count && isWanted()) {
      const connected = new Promise<void>((resolve, reject) => {
        const connection = this.#connect(main.peer, { laneOf: main.id });
        if (connection === undefined)
          return reject(new PeerLostError(main.peer, "lanes: the signaling server is away"));
        this.#handLane(key, main, connection, resolve);
      });
      await withDeadline("opening a lane", connected, systemClock, { deadlineMs: LANE_MS_MAX });
    }
  }

  #post(message: ToWorker, transfer?: Transferable): void {
    this.#line.postMessage(message, transfer === undefined ? [] : [transfer]);
  }

  #fail(key: string, why: FailureKind, reason: string): void {
    this.#post({ kind: "failed", key, why, reason });
    this.#forget(key);
  }

  async #drop(key: string): Promise<void> {
    const held = this.#held.get(key);
    if (held === undefined) return;
    await held.bytesSent();
    setTimeout(() => this.#forget(key), FLUSH_MS);
  }

  #forget(key: string): void {
    const held = this.#held.get(key);
    if (held === undefined) return;
    this.#held.delete(key);
    held.close();
    this.#iceRestarts += held.iceRestarts;
    this.#sentByClosed.push(held.bytesSent());
  }
}

/** False where no candidate will ever come: then others are reached by another way at once, and nobody waits for this one. */
function canConnect({ iceTransportPolicy, iceServers = [] }: RTCConfiguration): boolean {
  return iceTransportPolicy !== "relay" || iceServers.flatMap(({ urls }) => urls).some((url) => /^turns?:/.test(url));
}

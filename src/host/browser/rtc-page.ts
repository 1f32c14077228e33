/**
 * The page's half of the WebRTC transport: PeerJS for signaling, one peer connection for each pair, and in each one
 * channel of our own, which is handed to the engine worker in the task that makes it; later the browser refuses.
 * PeerJS's own channel carries nothing. The page decides nothing and does no arithmetic.
 */
import { Peer } from "peerjs";
import type { DataConnection, PeerError, PeerErrorType } from "peerjs";
import { UnsupportedError } from "../../base/errors.ts";
import type { PeerId } from "../../network/transport/transport.ts";
import { CHANNEL_ID } from "../../network/transport/webrtc/page-line.ts";
import type { FailureKind, ToPage, ToWorker } from "../../network/transport/webrtc/page-line.ts";
import { relay } from "../../network/transport/webrtc/relay.ts";

export interface RtcPageOptions {
  readonly self: PeerId;
  /** Where PeerServer runs: its host and port. */
  readonly server: URL;
  /** PeerServer's path there. */
  readonly path?: string;
  /** STUN and TURN servers. None by default: enough in one network, and nobody else is told who trains. */
  readonly iceServers?: readonly RTCIceServer[];
  /** False relays all channels through the page, as in browsers that cannot transfer them. */
  readonly transfersChannels?: boolean;
}

/** PeerJS drops what is sent while its socket is still opening. */
const SIGNALING_MS_MAX = 3_000;
const RECONNECT_MS_MIN = 200;
const RECONNECT_MS_MAX = 5_000;
/** For a channel that the worker closed to send what is in its queue. */
const FLUSH_MS = 1_000;

interface Held {
  readonly peer: PeerId;
  readonly connection: DataConnection;
  /** PeerJS forgets it when it closes the connection. */
  readonly peerConnection: RTCPeerConnection;
  /** As of the last look: a connection that is closed has no counts. */
  bytesSent: number;
  /** The last look, begun when the connection was told to close. */
  lastCount: Promise<void> | null;
}

export class RtcPage {
  /** For the worker half, to be transferred. */
  readonly port: MessagePort;
  readonly #line: MessagePort;
  readonly #options: RtcPageOptions;
  readonly #held = new Map<string, Held>();
  #peer: Peer | null = null;
  #fatal: string | null = null;
  #reconnectMs = RECONNECT_MS_MIN;
  #incomingCount = 0;
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
    port1.onmessage = (event: MessageEvent<ToPage>) => this.#onMessage(event.data);
  }

  /** Bytes that our channels sent since the page opened, by the browser's own count. */
  async browserBytesSent(): Promise<number> {
    await Promise.all([...this.#held.values()].map(count));
    const open = [...this.#held.values()].map(({ bytesSent }) => bytesSent);
    return [...open, ...(await Promise.all(this.#sentByClosed))].reduce((sum, bytes) => sum + bytes, 0);
  }

  close(): void {
    this.#isClosed = true;
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
      case "dial":
        return void this.#dial(message.key, message.peer);
      case "drop":
        return void this.#drop(message.key);
      default:
        message satisfies never;
    }
  }

  #start(): void {
    const { self, server, path = "/peerjs", iceServers = [] } = this.#options;
    const secure = server.protocol === "https:";
    const port = Number(server.port) || (secure ? 443 : 80);
    const config: RTCConfiguration = { iceServers: [...iceServers] };
    const peer = new Peer(self, { host: server.hostname, port, path, secure, config, debug: 0 });
    peer.on("open", () => (this.#reconnectMs = RECONNECT_MS_MIN));
    peer.on("connection", (connection) => {
      if (!this.#isClosed) this.#hand(`in-${(this.#incomingCount += 1)}`, connection);
    });
    peer.on("disconnected", () => this.#reconnectLater(peer));
    peer.on("error", (error) => this.#onPeerError(peer, error));
    this.#peer = peer;
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
    await this.#signaling();
    if (this.#fatal !== null) return this.#fail(key, "impossible", this.#fatal);
    const options = { serialization: "raw", reliable: true };
    const connection = this.#peer?.connect(peer, options) as DataConnection | undefined; // None while disconnected.
    if (connection === undefined) this.#fail(key, "other", "the signaling server is away");
    else this.#hand(key, connection);
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
    const { peer, peerConnection } = connection;
    const channel = peerConnection.createDataChannel("hearth", { negotiated: true, id: CHANNEL_ID, ordered: true });
    const held: Held = { peer, connection, peerConnection, bytesSent: 0, lastCount: null };
    this.#held.set(key, held);
    countBeforeClosing(held);
    connection.on("error", (error) => this.#fail(key, "other", error.message));
    connection.on("close", () => this.#forget(key));
    connection.on("iceStateChanged", () => void this.browserBytesSent());
    try {
      if (this.#options.transfersChannels === false) throw new DOMException("turned off", "DataCloneError");
      this.#post({ kind: "channel", key, peer, channel }, channel as unknown as Transferable);
    } catch {
      const { port1, port2 } = new MessageChannel();
      relay(channel, port1);
      this.#post({ kind: "channel", key, peer, port: port2 }, port2);
    }
  }

  #post(message: ToWorker, transfer?: Transferable): void {
    this.#line.postMessage(message, transfer === undefined ? [] : [transfer]);
  }

  #fail(key: string, why: FailureKind, reason: string): void {
    this.#post({ kind: "failed", key, why, reason });
    this.#held.get(key)?.connection.close();
    this.#forget(key);
  }

  async #drop(key: string): Promise<void> {
    const held = this.#held.get(key);
    if (held === undefined) return;
    await count(held);
    setTimeout(() => {
      held.connection.close();
      this.#forget(key);
    }, FLUSH_MS);
  }

  #forget(key: string): void {
    const held = this.#held.get(key);
    if (held === undefined) return;
    this.#held.delete(key);
    this.#sentByClosed.push(Promise.resolve(held.lastCount).then(() => held.bytesSent));
  }
}

/** PeerJS closes a connection as soon as the other side has, and a closed one has no counts: they are read first. */
function countBeforeClosing(held: Held): void {
  const { peerConnection } = held;
  peerConnection.close = () => {
    held.lastCount ??= count(held)
      .catch(() => {}) // Nothing is to be learned any more.
      .finally(() => RTCPeerConnection.prototype.close.call(peerConnection));
  };
}

async function count(held: Held): Promise<void> {
  for (const report of (await held.peerConnection.getStats()).values() as Iterable<Record<string, unknown>>) {
    const isOurs = report["type"] === "data-channel" && report["dataChannelIdentifier"] === CHANNEL_ID;
    if (isOurs) held.bytesSent = Math.max(held.bytesSent, report["bytesSent"] as number);
  }
}

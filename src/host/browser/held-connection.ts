/**
 * One peer connection that the page holds: PeerJS made it and brings its signals; hearth's channel in it, its restarts
 * and its counts are here.
 */
import type { DataConnection } from "peerjs";
import { systemClock } from "../../base/clock.ts";
import type { PeerId } from "../../network/transport/transport.ts";
import { IceKeeper, type IceSignal } from "../../network/transport/webrtc/ice-keeper.ts";
import { roundTripMsOf } from "../../network/transport/webrtc/lane-count.ts";
import { CHANNEL_ID } from "../../network/transport/webrtc/page-line.ts";

export interface HeldOptions {
  /** Sends one of PeerJS's own messages to the peer; may be lost. */
  readonly signal: (type: "CANDIDATE", payload: object, to: PeerId) => void;
  /** Of two peers the one whose id sorts first. */
  readonly isOfferer: boolean;
  readonly configuration: () => RTCConfiguration;
  readonly onConnected: () => void;
  readonly giveUp: (reason: string) => void;
}

export class HeldConnection {
  readonly peer: PeerId;
  /** The same on both sides. */
  readonly id: string;
  /** More connections to the same peer, that stand and fall with this one. */
  readonly lanes: HeldConnection[] = [];
  readonly #connection: DataConnection;
  /** PeerJS forgets it when it closes the connection. */
  readonly #peerConnection: RTCPeerConnection;
  readonly #keeper: IceKeeper;
  /** As of the last look: a connection that is closed has no counts. */
  #bytesSent = 0;
  /** The last look, begun when the connection was told to close. */
  #lastCount: Promise<void> | null = null;

  constructor(connection: DataConnection, options: HeldOptions) {
    this.peer = connection.peer;
    this.id = connection.connectionId;
    this.#connection = connection;
    this.#peerConnection = connection.peerConnection;
    this.#keeper = this.#keep(options);
    this.#countBeforeClosing();
  }

  /** Our channel. Give it away in the same task; later the browser refuses. */
  makeChannel(): RTCDataChannel {
    return this.#peerConnection.createDataChannel("hearth", { negotiated: true, id: CHANNEL_ID, ordered: true });
  }

  /** Offers that were made or asked for to find another path, lanes included. */
  get iceRestarts(): number {
    return this.lanes.reduce((sum, lane) => sum + lane.iceRestarts, this.#keeper.attempts);
  }

  /** Bytes that our channels sent, by the browser's own count: now, or when they were closed. */
  async bytesSent(): Promise<number> {
    if (this.#lastCount === null) await this.#count();
    else await this.#lastCount;
    const lanes = await Promise.all(this.lanes.map((lane) => lane.bytesSent()));
    return lanes.reduce((sum, bytes) => sum + bytes, this.#bytesSent);
  }

  /** Milliseconds, by the browser's own checks of the path; null before there was one. */
  roundTripMs(): Promise<number | null> {
    return roundTripMsOf(this.#peerConnection);
  }

  close(): void {
    for (const lane of this.lanes) lane.close();
    this.#keeper.close();
    this.#connection.close();
  }

  /** PeerJS would give a connection up when its path breaks; restarts go as one of its messages, with the rest in it. */
  #keep({ signal, isOfferer, configuration, onConnected, giveUp }: HeldOptions): IceKeeper {
    const { peer, connectionId, type } = this.#connection;
    const keeper = new IceKeeper({
      connection: this.#peerConnection,
      isOfferer,
      clock: systemClock,
      send: (hearth: IceSignal) => signal("CANDIDATE", { connectionId, type, hearth }, peer),
      configuration,
      giveUp,
    });
    const handleMessage = this.#connection.handleMessage.bind(this.#connection);
    this.#connection.handleMessage = async (message) => {
      const { hearth } = (message.payload ?? {}) as { readonly hearth?: IceSignal };
      if (hearth === undefined) await handleMessage(message);
      else keeper.onSignal(hearth);
    };
    let hasConnected = false;
    this.#peerConnection.oniceconnectionstatechange = () => {
      const state = this.#peerConnection.iceConnectionState;
      if (!hasConnected && (state === "connected" || state === "completed")) {
        hasConnected = true;
        onConnected();
      }
      void this.bytesSent();
      keeper.onIceState();
    };
    return keeper;
  }

  /** PeerJS closes a connection as soon as the other side has, and a closed one has no counts: they are read first. */
  #countBeforeClosing(): void {
    const peerConnection = this.#peerConnection;
    peerConnection.close = () => {
      this.#lastCount ??= this.#count()
        .catch(() => {}) // Nothing is to be learned any more.
        .finally(() => RTCPeerConnection.prototype.close.call(peerConnection));
    };
  }

  async #count(): Promise<void> {
    for (const report of (await this.#peerConnection.getStats()).values() as Iterable<Record<string, unknown>>) {
      const isOurs = report["type"] === "data-channel" && report["dataChannelIdentifier"] === CHANNEL_ID;
      if (isOurs) this.#bytesSent = Math.max(this.#bytesSent, report["bytesSent"] as number);
    }
  }
}

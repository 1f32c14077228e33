/**
 * One peer connection in Node, dialled or answered, with hearth's channel in it: what `HeldConnection` and PeerJS are
 * together in a page. Signals are taken one after another; what goes wrong with them ends the call.
 */
import type { Clock } from "../../../base/clock.ts";
import { describeError } from "../../../base/errors.ts";
import type { PeerId } from "../../../network/transport/transport.ts";
import { IceKeeper } from "../../../network/transport/webrtc/ice-keeper.ts";
import { CHANNEL_ID } from "../../../network/transport/webrtc/page-line.ts";
import { roundTripMsOf } from "../../../network/transport/webrtc/lane-count.ts";
import type { SignalBody } from "./peer-signals.ts";
import { PolledChannel } from "./polled-channel.ts";
import type { PeerConnections } from "./wrtc.ts";

export interface RtcCallOptions {
  readonly peer: PeerId;
  readonly id: string;
  readonly connections: PeerConnections;
  readonly configuration: () => RTCConfiguration;
  readonly clock: Clock;
  /** Of two peers the one whose id sorts first. */
  readonly isOfferer: boolean;
  readonly send: (signal: SignalBody) => void;
  readonly onConnected: () => void;
  readonly failed: (reason: string) => void;
}

/** For a channel that was closed to send what is in its queue. */
const FLUSH_MS = 1_000;

export class RtcCall {
  readonly peer: PeerId;
  /** The same on both sides. */
  readonly id: string;
  readonly channel: PolledChannel;
  /** More connections to the same peer, that stand and fall with this one. */
  readonly lanes: RtcCall[] = [];
  readonly #options: RtcCallOptions;
  readonly #connection: RTCPeerConnection;
  readonly #keeper: IceKeeper;
  /** Came before the description that they belong to. */
  #candidates: RTCIceCandidateInit[] = [];
  #queue: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(options: RtcCallOptions) {
    const { peer, id, connections, configuration, clock, isOfferer, send, failed } = options;
    this.peer = peer;
    this.id = id;
    this.#options = options;
    this.#connection = new connections(configuration());
    const channel = this.#connection.createDataChannel("hearth", { negotiated: true, id: CHANNEL_ID, ordered: true });
    this.channel = new PolledChannel(channel, clock);
    this.#keeper = new IceKeeper({
      connection: this.#connection,
      isOfferer,
      clock,
      send: (hearth) => send({ type: "CANDIDATE", payload: { connectionId: id, hearth } }),
      configuration,
      giveUp: failed,
    });
    this.#listen();
  }

  /** Milliseconds, by WebRTC's own checks of the path; null before there was one. */
  roundTripMs(): Promise<number | null> {
    return roundTripMsOf(this.#connection);
  }

  /** Dials. `laneOf`: as one more connection of that id. */
  offer(laneOf?: string): void {
    this.#then(async () => {
      await this.#connection.setLocalDescription(await this.#connection.createOffer());
      const metadata = laneOf === undefined ? {} : { metadata: { laneOf } };
      this.#options.send({ type: "OFFER", payload: { connectionId: this.id, sdp: this.#description(), ...metadata } });
    });
  }

  /** Answers a dial. */
  answer(offer: RTCSessionDescriptionInit): void {
    this.#then(async () => {
      await this.#describeRemote(offer);
      await this.#connection.setLocalDescription(await this.#connection.createAnswer());
      this.#options.send({ type: "ANSWER", payload: { connectionId: this.id, sdp: this.#description() } });
    });
  }

  onSignal(signal: Exclude<SignalBody, { type: "OFFER" }>): void {
    if (signal.type === "ANSWER") return this.#then(() => this.#describeRemote(signal.payload.sdp));
    const { hearth, candidate } = signal.payload;
    if (hearth !== undefined) return this.#keeper.onSignal(hearth);
    if (candidate === undefined || candidate === null) return;
    this.#then(async () => {
      if (this.#connection.remoteDescription === null) this.#candidates.push(candidate);
      else await this.#connection.addIceCandidate(candidate);
    });
  }

  /** Closes the connections, after what their channels still have to send. */
  release(): void {
    if (this.#connection.iceConnectionState === "new" || this.#connection.iceConnectionState === "checking")
      this.close();
    else this.#options.clock.after(FLUSH_MS, () => this.close());
  }

  close(): void {
    for (const lane of this.lanes) lane.close();
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#keeper.close();
    this.#connection.close();
  }

  #listen(): void {
    const { send, onConnected } = this.#options;
    const connection = this.#connection;
    connection.onicecandidate = ({ candidate }) => {
      // An empty one says that there are no more, which needs no saying.
      if (!candidate?.candidate) return;
      const { candidate: line, sdpMid, sdpMLineIndex } = candidate;
      send({
        type: "CANDIDATE",
        payload: { connectionId: this.id, candidate: { candidate: line, sdpMid, sdpMLineIndex } },
      });
    };
    let hasConnected = false;
    connection.oniceconnectionstatechange = () => {
      const state = connection.iceConnectionState;
      if (!hasConnected && (state === "connected" || state === "completed")) {
        hasConnected = true;
        onConnected();
      }
      this.#keeper.onIceState();
    };
  }

  async #describeRemote({ type, sdp = "" }: RTCSessionDescriptionInit): Promise<void> {
    await this.#connection.setRemoteDescription({ type, sdp });
    for (const candidate of this.#candidates.splice(0)) await this.#connection.addIceCandidate(candidate);
  }

  #description(): RTCSessionDescriptionInit {
    const { type = "offer", sdp = "" } = this.#connection.localDescription ?? {};
    return { type, sdp };
  }

  #then(work: () => Promise<void>): void {
    this.#queue = this.#queue
      .then(() => (this.#isClosed ? undefined : work()))
      .catch((error: unknown) => {
        if (!this.#isClosed) this.#options.failed(describeError(error));
      });
  }
}

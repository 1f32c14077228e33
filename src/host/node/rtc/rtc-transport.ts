/**
 * WebRTC in Node: both halves of the browser's transport in one, since here the thread that has the channels may have
 * the peer connections too. It speaks PeerJS's signals, so that tabs and programs can reach each other.
 */
import { randomUUID } from "node:crypto";
import type { Clock } from "../../../base/clock.ts";
import { PeerLostError } from "../../../base/errors.ts";
import type { HearthError } from "../../../base/errors.ts";
import { withDeadline } from "../../../base/wait.ts";
import { ChannelTransport } from "../../../network/transport/channel-transport.ts";
import type { Connection, Dial } from "../../../network/transport/channel-transport.ts";
import type { PeerId } from "../../../network/transport/transport.ts";
import { LANE_MS_MAX, measureLanes } from "../../../network/transport/webrtc/lane-count.ts";
import { StripedChannel } from "../../../network/transport/webrtc/striped-channel.ts";
import type { PeerSignal, PeerSignaling } from "./peer-signals.ts";
import { RtcCall } from "./rtc-call.ts";
import type { PeerConnections } from "./wrtc.ts";

/** What a transport of peer connections in Node needs. */
export interface NodeRtcOptions {
  readonly self: PeerId;
  readonly clock: Clock;
  /** What makes peer connections: `openWrtc()`. */
  readonly connections: PeerConnections;
  /** The transport's from then on, which closes it. */
  readonly signaling: PeerSignaling;
  /** STUN and TURN servers. None: enough in one network. */
  readonly iceServers?: readonly RTCIceServer[];
  /** `relay`: by TURN servers alone. */
  readonly iceTransportPolicy?: RTCIceTransportPolicy;
}

/** Links over WebRTC, for programs in Node. */
export class NodeRtcTransport extends ChannelTransport {
  readonly #calls: Calls;

  constructor(options: NodeRtcOptions) {
    const calls = new Calls(options, (peer, connection) => this.accept(peer, connection));
    super(options.self, options.clock, (peer, failed) => calls.dial(peer, failed));
    this.#calls = calls;
  }

  override close(): void {
    super.close();
    this.#calls.close();
  }
}

type Failed = (why: HearthError | string) => void;

/** A call that carries a link, and all its lanes as one channel. */
interface Held {
  readonly call: RtcCall;
  readonly channel: StripedChannel;
  readonly failed: Failed;
}

class Calls {
  readonly #options: NodeRtcOptions;
  readonly #incoming: (peer: PeerId, connection: Connection) => void;
  readonly #held = new Map<string, Held>();
  #isClosed = false;

  constructor(options: NodeRtcOptions, incoming: (peer: PeerId, connection: Connection) => void) {
    this.#options = options;
    this.#incoming = incoming;
    options.signaling.onSignal((signal) => {
      if (!this.#isClosed) this.#onSignal(signal);
    });
  }

  dial(peer: PeerId, failed: Failed): Dial {
    const held = this.#hold(peer, newId(), failed);
    held.call.offer();
    const connection = this.#connectionOf(held);
    return { connection: Promise.resolve(connection), abandon: () => this.#release(held) };
  }

  /** What links still have to say is said first. */
  close(): void {
    this.#isClosed = true;
    for (const held of [...this.#held.values()]) this.#release(held);
    this.#options.signaling.close();
  }

  #onSignal(signal: PeerSignal): void {
    const { src } = signal;
    if (signal.type === "EXPIRE") return this.#expire(src);
    if (signal.type === "OFFER") return this.#onOffer(src, signal);
    this.#find(src, signal.payload.connectionId)?.onSignal(signal);
  }

  #onOffer(src: PeerId, { payload }: Extract<PeerSignal, { type: "OFFER" }>): void {
    const { connectionId, sdp, metadata } = payload;
    if (this.#find(src, connectionId) !== undefined || typeof sdp !== "object" || sdp === null) return;
    const laneOf = metadata?.laneOf;
    if (laneOf === undefined) {
      const held = this.#hold(src, connectionId, () => {});
      held.call.answer(sdp);
      return this.#incoming(src, this.#connectionOf(held));
    }
    const main = this.#held.get(laneOf);
    if (main?.call.peer === src) this.#addLane(main, connectionId, () => {}).answer(sdp);
  }

  /** Signals to `peer` did not arrive: what is not connected yet will not be. */
  #expire(peer: PeerId): void {
    for (const { call, channel, failed } of [...this.#held.values()]) {
      if (call.peer !== peer || channel.readyState !== "connecting") continue;
      failed(new PeerLostError(peer, `dialling peer ${peer}: no such peer at the server`));
    }
  }

  #find(peer: PeerId, id: string): RtcCall | undefined {
    const calls = [...this.#held.values()].flatMap(({ call }) => [call, ...call.lanes]);
    return calls.find((call) => call.id === id && call.peer === peer);
  }

  #hold(peer: PeerId, id: string, failed: Failed): Held {
    const onConnected = (): void => void this.#addLanes(held).catch(() => {}); // One lane is enough.
    const call = this.#call(peer, id, onConnected, (reason) => {
      failed(`dialling peer ${peer}: ${reason}`);
      this.#end(held);
    });
    const held: Held = { call, channel: new StripedChannel(call.channel, this.#options.clock), failed };
    this.#held.set(id, held);
    return held;
  }

  #call(peer: PeerId, id: string, onConnected: () => void, failed: (reason: string) => void): RtcCall {
    const { self, connections, clock, signaling, iceServers = [], iceTransportPolicy = "all" } = this.#options;
    return new RtcCall({
      peer,
      id,
      connections,
      configuration: () => ({ iceServers: [...iceServers], iceTransportPolicy }),
      clock,
      isOfferer: self < peer,
      send: (signal) => {
        if (!this.#isClosed) signaling.send(peer, signal);
      },
      onConnected,
      failed,
    });
  }

  #connectionOf(held: Held): Connection {
    return { channel: held.channel, path: "webrtc", release: () => this.#release(held) };
  }

  #release({ call }: Held): void {
    if (this.#held.delete(call.id)) call.release();
  }

  /** The channel closes with its connection, and so the link learns of it. */
  #end({ call }: Held): void {
    this.#held.delete(call.id);
    call.close();
  }

  /** A lane that ends takes its channel with it, and so the link. */
  #addLane({ call, channel }: Held, id: string, onConnected: () => void): RtcCall {
    const lane = this.#call(call.peer, id, onConnected, () => lane.close());
    call.lanes.push(lane);
    channel.addLane(lane.channel);
    return lane;
  }

  async #addLanes(main: Held): Promise<void> {
    const { self, clock } = this.#options;
    const { call } = main;
    if (self > call.peer) return;
    const isWanted = (): boolean => this.#held.get(call.id) === main;
    const count = await measureLanes({ isWanted, roundTripMs: () => call.roundTripMs(), clock });
    while (call.lanes.length + 1 < count && isWanted()) {
      const connected = new Promise<void>((resolve) => this.#addLane(main, newId(), resolve).offer(call.id));
      await withDeadline("opening a lane", connected, clock, { deadlineMs: LANE_MS_MAX });
    }
  }
}

function newId(): string {
  return `hearth_${randomUUID()}`;
}

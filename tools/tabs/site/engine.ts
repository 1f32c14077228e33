/** The worker of a driven tab: a mux over WebRTC and one over ports, groups on them, and bare channels beside them. */
import { expose } from "comlink";
import { bytesOf } from "../../../src/base/bytes.ts";
import { systemClock } from "../../../src/base/clock.ts";
import { describeError } from "../../../src/base/errors.ts";
import { hashBytes } from "../../../src/base/hash.ts";
import { WorkerTransport } from "../../../src/host/browser/rtc-worker.ts";
import { Group } from "../../../src/network/collectives/group.ts";
import { Mux } from "../../../src/network/mux.ts";
import { exchangeTransport } from "../../../src/network/transport/message-port/exchange-transport.ts";
import type { FromExchange, ToExchange } from "../../../src/network/transport/message-port/port-exchange.ts";
import { measureMember } from "../../../bench/all-reduce/measure-member.ts";
import type { MemberRequest, MemberResult } from "../../../bench/all-reduce/measure-member.ts";
import { BarePort, BareRtcChannel, RawRing } from "../../../bench/all-reduce/raw-ring.ts";
import type { BareChannel } from "../../../bench/all-reduce/raw-ring.ts";
import { runMatrix } from "../../conformance/network/run-matrix.ts";
import type { RankReport } from "../../conformance/network/run-matrix.ts";

/** How the tabs reach each other. */
export type TabNetwork = "webrtc" | "ports";

export interface StepRequest {
  readonly members: readonly string[];
  readonly epoch: number;
  readonly parameters: number;
  readonly steps: number;
  readonly deadlineMs: number;
}

export interface StepResult {
  readonly error: string | null;
  /** SHA-256 of the gathered parameters after the last step. */
  readonly digest: string;
  readonly ms: number;
}

/** Who takes part in what the driver asks for. */
export interface GroupRequest {
  readonly network: TabNetwork;
  readonly members: readonly string[];
  readonly epoch: number;
  readonly framePayloadBytes?: number;
}

const BARE = "bare-";

let muxes: Readonly<Record<TabNetwork, Mux>> | null = null;
/** By the peer at the other end. */
const bare: Readonly<Record<TabNetwork, Map<string, BareChannel>>> = { webrtc: new Map(), ports: new Map() };

let barePorts: BarePorts | null = null;

/** The exchange without the transport: ports as they come. */
class BarePorts {
  readonly #line: MessagePort;
  readonly #dialled: string[] = [];

  constructor(self: string, line: MessagePort) {
    this.#line = line;
    line.onmessage = ({ data }: MessageEvent<FromExchange>) => {
      if (data.kind === "incoming") bare.ports.set(data.peer.slice(BARE.length), new BarePort(data.port));
      if (data.kind === "connected") bare.ports.set(this.#dialled[data.key] ?? "", new BarePort(data.port));
    };
    this.#post({ kind: "here", peer: BARE + self });
  }

  dial(peer: string): void {
    this.#post({ kind: "dial", key: this.#dialled.push(peer) - 1, peer: BARE + peer });
  }

  #post(message: ToExchange): void {
    this.#line.postMessage(message);
  }
}

function mux(network: TabNetwork = "webrtc"): Mux {
  if (muxes === null) throw new TypeError("not started");
  return muxes[network];
}

function groupOf({ network, members, epoch, ...rest }: GroupRequest): Group {
  return new Group({ mux: mux(network), members, fence: { incarnation: 1, epoch }, clock: systemClock, ...rest });
}

/** Data-parallel steps without the training: reduce-scatter the "gradients", all-gather the shares. */
async function steps(request: StepRequest): Promise<StepResult> {
  const { members, epoch, parameters, deadlineMs } = request;
  const group = groupOf({ network: "webrtc", members, epoch });
  const { size, rank } = group;
  const bounds = Array.from({ length: size + 1 }, (_, r) => Math.floor((r * parameters) / size));
  const ranks = members.map((_, r) => r);
  const startMs = systemClock.nowMs();
  let digest = "";
  try {
    for (let step = 0; step < request.steps; step++) {
      const gradients = Float32Array.from({ length: parameters }, (_, at) => Math.sin(at + rank) * 10 ** (at % 7));
      const common = { deadlineMs, operation: 2 * step };
      const share = await group.reduceScatter(gradients, bounds, ranks, { ...common, category: "gradients" });
      const byteBounds = bounds.map((bound) => 4 * bound);
      const gather = { deadlineMs, operation: 2 * step + 1, category: "parameters" } as const;
      digest = hashBytes(await group.allGather(bytesOf(share), byteBounds, gather));
    }
    return { error: null, digest, ms: systemClock.nowMs() - startMs };
  } catch (error) {
    return { error: describeError(error), digest, ms: systemClock.nowMs() - startMs };
  } finally {
    group.close("done");
  }
}

async function withGroup<T>(request: GroupRequest, work: (group: Group) => Promise<T>): Promise<T> {
  const group = groupOf(request);
  try {
    return await work(group);
  } finally {
    group.close("done");
  }
}

export interface TabEngine {
  /** `bareLine`: a second one to the exchange of ports, for bare ports. */
  start(self: string, rtc: MessagePort, line: MessagePort, bareLine: MessagePort): void;
  /** Null, or why not. */
  connect(peers: readonly string[], deadlineMs: number, network?: TabNetwork): Promise<string | null>;
  disconnect(peer: string): void;
  steps(request: StepRequest): Promise<StepResult>;
  paths(network?: TabNetwork): Readonly<Record<string, string>>;
  bytesSent(): number;
  /** A channel to a peer that nothing of ours uses. */
  bareRtc(peer: string, channel: RTCDataChannel): void;
  /** Opens a port to a peer that nothing of ours uses. */
  dialBarePort(peer: string): void;
  /** To how many peers there are bare channels. */
  bareCount(network: TabNetwork): number;
  /** This rank's part of the conformance matrix. */
  matrix(request: GroupRequest): Promise<RankReport>;
  /** Times an all-reduce and, beside it, the bare channels of the same ring. */
  measure(request: GroupRequest, what: MemberRequest): Promise<MemberResult>;
}

const engine: TabEngine = {
  start(self, rtc, line, bareLine) {
    const clock = systemClock;
    barePorts = new BarePorts(self, bareLine);
    muxes = {
      webrtc: new Mux({ transport: new WorkerTransport({ self, port: rtc, clock }) }),
      ports: new Mux({ transport: exchangeTransport(self, clock, line) }),
    };
  },
  async connect(peers, deadlineMs, network) {
    try {
      await Promise.all(peers.map((peer) => mux(network).connect(peer, { deadlineMs })));
      return null;
    } catch (error) {
      return describeError(error);
    }
  },
  disconnect: (peer) => mux().disconnect(peer, "test"),
  steps,
  paths: (network) => mux(network).paths(),
  bytesSent: () => mux().totalBytesSent(),
  bareRtc: (peer, channel) => void bare.webrtc.set(peer, new BareRtcChannel(channel)),
  dialBarePort: (peer) => barePorts?.dial(peer),
  bareCount: (network) => bare[network].size,
  matrix: (request) => withGroup(request, runMatrix),
  measure: (request, what) =>
    withGroup(request, (group) => {
      const wire = new RawRing(request.members, group.rank, bare[request.network]);
      return measureMember(group, wire, what);
    }),
};

expose(engine);

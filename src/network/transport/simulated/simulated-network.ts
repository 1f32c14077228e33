/**
 * A network in virtual time, for tests: latency, bandwidth, and every way in which browsers lose one another. All
 * randomness is seeded, all time comes from one virtual clock, so a failure comes back with its seed.
 */
import type { Clock } from "../../../base/clock.ts";
import type { Random } from "../../../base/random.ts";
import { deferred } from "../../deferred.ts";
import { ChannelTransport } from "../channel-transport.ts";
import type { Connection, Dial } from "../channel-transport.ts";
import type { PeerId, Transport } from "../transport.ts";
import { SimulatedChannel } from "./simulated-channel.ts";
import type { Arrival, Wire } from "./simulated-channel.ts";

/** How a `SimulatedNetwork` behaves. */
export interface NetworkOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly latencyMs?: number;
  /** Added to the latency, uniformly distributed; never reorders a channel. */
  readonly jitterMs?: number;
  /** Of each direction of each link. 10,000 a millisecond are 80 Mbit/s. */
  readonly bytesPerMs?: number;
  /** What the pair of two peers has of its own, both ways. */
  readonly linkOf?: (a: PeerId, b: PeerId) => { readonly latencyMs?: number; readonly bytesPerMs?: number };
  /** How long it takes until a channel to a dead or unreachable peer closes: ICE's patience. */
  readonly lossNoticeMs?: number;
}

/** How often each binary message is harmed on its way. Real channels do none of this; whatever is below them does. */
export interface NoiseRates {
  readonly loss?: number;
  readonly duplication?: number;
  /** A message arrives up to `reorderMsMax` later than those after it. */
  readonly reordering?: number;
  readonly reorderMsMax?: number;
  /** A bit of it flips. */
  readonly corruption?: number;
}

/** What can be done to a peer: its events wait while it is frozen, and never come once it is dead. */
interface Host {
  state: "alive" | "frozen" | "dead";
  /** Frozen: what happens when it thaws, in order. */
  readonly backlog: (() => void)[];
  readonly transport: ChannelTransport;
}

/** Links in virtual time, with latency, bandwidth and faults. */
export class SimulatedNetwork {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #options: Required<Omit<NetworkOptions, "clock" | "random">>;
  readonly #hosts = new Map<PeerId, Host>();
  /** "from>to" of directions in which nothing passes. */
  readonly #cuts = new Set<string>();
  #noise: NoiseRates = {};
  readonly #wires = new Set<Wire>();

  constructor({ clock, random, ...options }: NetworkOptions) {
    this.#clock = clock;
    this.#random = random;
    this.#options = {
      latencyMs: 5,
      jitterMs: 0,
      bytesPerMs: 10_000,
      lossNoticeMs: 10_000,
      linkOf: () => ({}),
      ...options,
    };
  }

  /** A new peer. */
  join(peer: PeerId): Transport {
    const transport = new ChannelTransport(peer, this.clockOf(peer), (other) => this.#dial(peer, other));
    this.#hosts.set(peer, { state: "alive", backlog: [], transport });
    return transport;
  }

  /** The clock as `peer` sees it: its timers stand still while it is frozen. */
  clockOf(peer: PeerId): Clock {
    return {
      nowMs: () => this.#clock.nowMs(),
      wallMs: () => this.#clock.wallMs(),
      after: (delayMs, callback) => {
        let isCancelled = false;
        const cancel = this.#clock.after(delayMs, () => this.#at(peer, () => (isCancelled ? undefined : callback())));
        return () => {
          isCancelled = true;
          cancel();
        };
      },
    };
  }

  /** Closes the channels between two peers at once, on both sides. */
  breakLinks(a: PeerId, b: PeerId): void {
    for (const wire of this.#between(a, b)) this.#close(wire);
  }

  /** Nothing passes between two peers until `heal`; what was sent arrives then, unless the channels closed before. */
  cut(a: PeerId, b: PeerId): void {
    this.#cuts.add(`${a}>${b}`).add(`${b}>${a}`);
    for (const wire of this.#between(a, b)) this.#closeLater(wire, () => this.#isCut(a, b) && this.#isCut(b, a));
  }

  /** What `from` sends does not arrive at `to` any more, and neither is told: a half-open channel. */
  cutOneWay(from: PeerId, to: PeerId): void {
    this.#cuts.add(`${from}>${to}`);
  }

  /** Harms messages from now on. */
  disturb(noise: NoiseRates): void {
    this.#noise = noise;
  }

  /** Ends a cut. */
  heal(a: PeerId, b: PeerId): void {
    this.#cuts.delete(`${a}>${b}`);
    this.#cuts.delete(`${b}>${a}`);
    for (const wire of this.#between(a, b)) wire.flush();
  }

  /** SIGSTOP: nothing happens at `peer` until it thaws. */
  freeze(peer: PeerId): void {
    const host = this.#host(peer);
    if (host?.state === "alive") host.state = "frozen";
  }

  /** Ends a freeze. */
  thaw(peer: PeerId): void {
    const host = this.#host(peer);
    if (host?.state !== "frozen") return;
    host.state = "alive";
    for (const happen of host.backlog.splice(0)) happen();
  }

  /** SIGKILL: nothing happens at `peer` any more, and others notice late. */
  kill(peer: PeerId): void {
    const host = this.#host(peer);
    if (host === undefined) return;
    host.state = "dead";
    host.backlog.length = 0;
    for (const wire of this.#wires) if (wire.ends.includes(peer)) this.#closeLater(wire, () => true);
  }

  #host(peer: PeerId): Host | undefined {
    return this.#hosts.get(peer);
  }

  /** Lets something happen at a peer: now, when it thaws, or never. */
  #at(peer: PeerId, happen: () => void): void {
    const host = this.#host(peer);
    if (host === undefined || host.state === "alive") happen();
    else if (host.state === "frozen") host.backlog.push(happen);
  }

  /** An offer travels there, an answer back: the dialled side has its channel after one latency, this one after two. */
  #dial(from: PeerId, to: PeerId): Dial {
    const { promise, resolve } = deferred<Connection>();
    let isAbandoned = false;
    let wire: Wire | null = null;
    this.#clock.after(this.#latencyMs(), () =>
      this.#at(to, () => {
        const host = this.#host(to);
        if (host === undefined || isAbandoned || this.#isCut(from, to) || this.#isCut(to, from)) return;
        const [near, far] = this.#channels(from, to);
        wire = near.wire;
        host.transport.accept(from, connectionOver(far));
        this.#clock.after(this.#latencyMs(), () => this.#at(from, () => resolve(connectionOver(near))));
      }),
    );
    return {
      connection: promise,
      abandon: () => {
        isAbandoned = true;
        if (wire !== null) this.#close(wire);
      },
    };
  }

  #channels(a: PeerId, b: PeerId): [SimulatedChannel, SimulatedChannel] {
    const own = this.#options.linkOf(a, b);
    const wire: Wire = {
      ends: [a, b],
      clock: this.#clock,
      bytesPerMs: own.bytesPerMs ?? this.#options.bytesPerMs,
      latencyMs: () => this.#latencyMs(own.latencyMs),
      isCut: (from) => this.#isCut(from, from === a ? b : a),
      disturb: (data) => this.#arrivalsOf(data),
      at: (peer, happen) => this.#at(peer, happen),
      flush: () => {
        near.flush();
        far.flush();
      },
      close: () => {
        this.#wires.delete(wire);
        near.closeFromOutside();
        far.closeFromOutside();
      },
    };
    const near = new SimulatedChannel(wire, a);
    const far = new SimulatedChannel(wire, b);
    near.other = far;
    far.other = near;
    this.#wires.add(wire);
    return [near, far];
  }

  #isCut(from: PeerId, to: PeerId): boolean {
    return this.#cuts.has(`${from}>${to}`);
  }

  #arrivalsOf(data: ArrayBuffer): Arrival[] {
    const { loss = 0, duplication = 0, reordering = 0, reorderMsMax = 100, corruption = 0 } = this.#noise;
    const happens = (rate: number): boolean => rate > 0 && this.#random.uniform() < rate;
    const delayMs = (): number => (happens(reordering) ? reorderMsMax * this.#random.uniform() : 0);
    if (happens(loss)) return [];
    const arrivals = [{ data: happens(corruption) ? this.#flipped(data) : data, delayMs: delayMs() }];
    return happens(duplication) ? [...arrivals, { data: data.slice(0), delayMs: delayMs() }] : arrivals;
  }

  #flipped(data: ArrayBuffer): ArrayBuffer {
    const bytes = new Uint8Array(data.slice(0));
    const at = this.#random.below(bytes.length);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << this.#random.below(8));
    return bytes.buffer;
  }

  #latencyMs(latencyMs = this.#options.latencyMs): number {
    return latencyMs + this.#options.jitterMs * this.#random.uniform();
  }

  #between(a: PeerId, b: PeerId): Wire[] {
    return [...this.#wires].filter((wire) => wire.ends.includes(a) && wire.ends.includes(b));
  }

  #closeLater(wire: Wire, isStillLost: () => boolean): void {
    this.#clock.after(this.#options.lossNoticeMs, () => (isStillLost() ? this.#close(wire) : undefined));
  }

  #close(wire: Wire): void {
    wire.close();
  }
}

function connectionOver(channel: SimulatedChannel): Connection {
  return { channel, path: "simulated", release: () => {} };
}

/**
 * A room in one process and virtual time: the real coordinator, real members, real collectives and chunk stores, over a
 * simulated network; only the model is small enough to check by hand.
 */
import type { Bytes } from "../../src/base/bytes.ts";
import { bytesOf } from "../../src/base/bytes.ts";
import { Random } from "../../src/base/random.ts";
import { BlobExchange } from "../../src/network/blob-exchange.ts";
import { Mux } from "../../src/network/mux.ts";
import { parseClientMessage, parseServerMessage } from "../../src/network/wire/validate.ts";
import type { ClientMessage, ServerMessage } from "../../src/network/wire/messages.ts";
import type { RunLine } from "../../src/network/wire/run-line.ts";
import type { RunSpec } from "../../src/network/wire/run-spec.ts";
import type { StateLayout } from "../../src/network/wire/state-record.ts";
import { MemoryStore } from "../../src/storage/memory/memory-store.ts";
import type { Store } from "../../src/storage/store.ts";
import { ChunkStore } from "../../src/training/checkpoint/chunk-store.ts";
import { DEFAULT_LIMITS, type Event, type Limits, type LogRecord } from "../../src/training/coordinator/protocol.ts";
import { initialState, replay, type State } from "../../src/training/coordinator/state.ts";
import { transition } from "../../src/training/coordinator/transition.ts";
import type { Chosen } from "../../src/training/link-choice.ts";
import { Member, type CoordinatorLink, type MemberEngine } from "../../src/training/member.ts";
import type { Version } from "../../src/training/recovery/replica.ts";
import { simulatedNetwork } from "../network/support/virtual.ts";
import type { NetworkOptions, SimulatedNetwork } from "../../src/network/transport/simulated/simulated-network.ts";
import type { VirtualClock } from "../../src/network/transport/simulated/virtual-clock.ts";

const PARAMETERS = 1_003;
const LATENCY_MS = 3;

const SLOT_MS = 20;

/** Pulls every parameter towards a target drawn for each slot; the optimizer is Adam without its corrections. */
export class ToyEngine implements MemberEngine {
  readonly name: string = "toy";
  readonly parameterCount: number = PARAMETERS;
  readonly stateFloats: number = 2;
  readonly slots: number = 8;
  readonly slotsPerSecond: number = 10;
  /** How many times longer than usual a slot of a step takes. */
  slowness: (step: number) => number = () => 1;
  readonly layout: StateLayout = {
    tensors: [
      { name: "weight", dtype: "float32", shape: [17, 50], offset: 0 },
      { name: "bias", dtype: "float32", shape: [PARAMETERS - 850], offset: 850 },
    ],
    optimizer: { name: "toy", options: { lr: 0.05 }, vectors: ["exp_avg", "exp_avg_sq"] },
    lossScale: null,
  };
  readonly #wait: (ms: number) => Promise<void>;

  constructor(wait: (ms: number) => Promise<void>) {
    this.#wait = wait;
  }

  initialParameters(): Float32Array<ArrayBuffer> {
    return Float32Array.from({ length: PARAMETERS }, (_, i) => Math.sin(i));
  }

  async slot(parameters: Float32Array, step: number, slot: number): Promise<{ loss: number; gradient: Float32Array }> {
    await this.#wait(SLOT_MS * this.slowness(step));
    const target = new Random("target", step, slot).uniform();
    const gradient = parameters.map((value) => value - target);
    const loss = gradient.reduce((sum, value) => sum + value * value, 0) / PARAMETERS;
    return { loss, gradient };
  }

  async update(input: Parameters<MemberEngine["update"]>[0]): ReturnType<MemberEngine["update"]> {
    const { parameters, gradient, state } = input;
    const count = parameters.length;
    const nextState = new Float32Array(state.length);
    const next = parameters.map((value, i) => {
      const m = 0.9 * (state[i] ?? 0) + 0.1 * (gradient[i] ?? 0);
      const v = 0.99 * (state[count + i] ?? 0) + 0.01 * (gradient[i] ?? 0) ** 2;
      nextState[i] = m;
      nextState[count + i] = v;
      return value - (0.05 * m) / (Math.sqrt(v) + 1e-3);
    });
    return { parameters: next, state: nextState };
  }

  async readBack(parameters: Float32Array<ArrayBuffer>): Promise<Bytes> {
    await this.#wait(1);
    return bytesOf(parameters.slice());
  }
}

export interface Tab {
  readonly peer: string;
  readonly member: Member;
  readonly store: Store;
  readonly engine: MemberEngine;
  kill(): void;
  connect(): void;
}

interface RoomOptions {
  readonly limits?: Partial<Limits>;
  readonly log?: LogRecord[];
  /** The state that it begins with, where its spec says so. */
  readonly first?: Version;
  readonly network?: Partial<NetworkOptions>;
}

export class Room {
  readonly clock: VirtualClock;
  readonly network: SimulatedNetwork;
  readonly lines: RunLine[] = [];
  readonly notes: string[] = [];
  /** What tabs were told that had to stop. */
  readonly refusals: string[] = [];
  readonly log: LogRecord[];
  /** What members began to choose their programs by. */
  readonly chosen: (Chosen & { readonly peer: string })[] = [];
  state: State = initialState();
  isUp = true;
  readonly #sockets = new Map<string, (message: ServerMessage | null) => void>();
  #conns = 0;
  #peers = 0;

  readonly #limits: Limits;
  readonly #first: Version | undefined;

  /** A new room, or one that goes on from the log of another. */
  constructor(spec: Partial<RunSpec>, seed: number, options: RoomOptions = {}) {
    this.#first = options.first;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    ({ clock: this.clock, network: this.network } = simulatedNetwork(seed, {
      latencyMs: LATENCY_MS,
      jitterMs: 2,
      ...options.network,
    }));
    const full: RunSpec = {
      run: "toy",
      seed: 1,
      steps: 20,
      checkpointEvery: 5,
      startWith: 1,
      data: null,
      settings: {},
      ...spec,
    };
    this.log = options.log ?? [{ kind: "room", room: "room", spec: full }];
    this.start();
  }

  /** The server's process, from its log. */
  start(): void {
    this.isUp = true;
    this.state = this.log.reduce(replay, initialState());
    this.#feed({ kind: "start", wallMs: this.clock.wallMs() });
    this.#tick(this.state.durable.incarnation);
  }

  /** Dead at once: what was not in the log is gone. */
  crash(): void {
    this.isUp = false;
    const sockets = [...this.#sockets.values()];
    this.#sockets.clear();
    for (const socket of sockets) this.clock.after(LATENCY_MS, () => socket(null));
  }

  /** A tab with its own disk, or that of one that was here before; `engineOf` makes what it computes with. */
  open(
    store: Store = new MemoryStore(),
    device?: string,
    engineOf: (wait: (ms: number) => Promise<void>) => MemberEngine = (wait) => new ToyEngine(wait),
  ): Tab {
    const peer = `peer-${this.#peers++}`;
    const clock = this.network.clockOf(peer);
    const mux = new Mux({ transport: this.network.join(peer) });
    const chunks = new ChunkStore({ store, clock, id: peer });
    let conn: string | null = null;
    let isAlive = true;
    const link: CoordinatorLink = {
      send: (message) => this.#deliver(conn, message),
      reconnect: () => conn && this.#closed(conn),
    };
    const member = new Member({
      onChosen: (chosen) => void this.chosen.push({ peer, ...chosen }),
      room: "room",
      info: { peer, device: device ?? `device-of-${peer}`, engine: "toy" },
      link,
      mux,
      blobs: new BlobExchange({ mux, clock }),
      chunks,
      clock,
      scrubEveryMs: 0,
      note: (text) => void this.notes.push(`${peer}: ${text}`),
    });
    const connect = (): void => {
      if (!isAlive) return;
      if (!this.isUp) return void clock.after(300, connect);
      const own = `c${this.#conns++}`;
      conn = own;
      this.#sockets.set(own, (message) => {
        clock.after(LATENCY_MS, () => {
          if (!isAlive || conn !== own) return;
          if (message?.kind === "refused") return stop(message.reason); // As the page does, for good.
          if (message) return void member.onMessage(message);
          conn = null;
          member.onDisconnected();
          clock.after(300, connect);
        });
      });
      link.send(member.hello());
    };
    const stop = (reason: string): void => {
      isAlive = false;
      this.refusals.push(`${peer}: ${reason}`);
    };
    connect();
    const engine = engineOf((ms) => new Promise((resolve) => clock.after(ms, resolve)));
    void member.prepared(engine, this.#first);
    const beat = (): void => {
      link.send({ kind: "heartbeat" });
      clock.after(1_500, beat);
    };
    beat();
    const kill = (): void => {
      isAlive = false;
      this.network.kill(peer);
      const own = conn;
      if (own) this.clock.after(LATENCY_MS, () => this.#closed(own));
    };
    return { peer, member, store, engine, kill, connect };
  }

  /** Lets time pass until the run ended or `ms` are over. */
  async until(isDone: () => boolean, ms: number): Promise<void> {
    for (const endMs = this.clock.nowMs() + ms; !isDone() && this.clock.nowMs() < endMs;) await this.clock.advance(20);
  }

  get isEnded(): boolean {
    return this.state.durable.endDigests !== null;
  }

  get step(): number {
    return this.state.durable.record?.step ?? -1;
  }

  /** The loss of each step, the last time it was committed. */
  losses(): Map<number, number> {
    return new Map(this.lines.flatMap((line) => (line.type === "step" ? [[line.step, line.loss] as const] : [])));
  }

  linesOf<T extends RunLine["type"]>(type: T): Extract<RunLine, { type: T }>[] {
    return this.lines.filter((line) => line.type === type) as Extract<RunLine, { type: T }>[];
  }

  /** Messages cross as text, as they do on a real socket. */
  #deliver(conn: string | null, message: ClientMessage): void {
    if (conn === null) return;
    const text = JSON.stringify(message);
    this.clock.after(LATENCY_MS, () => {
      if (this.isUp && this.#sockets.has(conn))
        this.#feed({ kind: "message", conn, message: parseClientMessage(text) });
    });
  }

  #closed(conn: string): void {
    const socket = this.#sockets.get(conn);
    if (!this.#sockets.delete(conn)) return;
    socket?.(null);
    if (this.isUp) this.#feed({ kind: "closed", conn });
  }

  #tick(incarnation: number): void {
    if (!this.isUp || this.state.durable.incarnation < incarnation) return;
    this.#feed({ kind: "tick" });
    this.clock.after(250, () => this.#tick(incarnation));
  }

  #feed(event: Event): void {
    const { state, effects } = transition(this.state, event, this.clock.nowMs(), this.#limits);
    this.state = state;
    const seen = new Set<RunLine>();
    for (const effect of effects) {
      if (effect.kind === "append") this.log.push(effect.record);
      else if (effect.kind === "close") this.#closed(effect.conn);
      else {
        if (effect.message.kind === "event" && !seen.has(effect.message.line)) {
          seen.add(effect.message.line);
          this.lines.push(effect.message.line);
        }
        this.#sockets.get(effect.conn)?.(parseServerMessage(JSON.stringify(effect.message)));
      }
    }
  }
}

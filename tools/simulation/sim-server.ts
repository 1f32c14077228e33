/** The signaling server of a simulation: the real coordinator over a log that survives crashes and sockets that do not. */
import type { ClientMessage, ServerMessage } from "../../src/network/wire/messages.ts";
import type { RunLine } from "../../src/network/wire/run-line.ts";
import type { RunSpec } from "../../src/network/wire/run-spec.ts";
import type { Effect, Event, Limits, LogRecord } from "../../src/training/coordinator/protocol.ts";
import { initialState, replay, type State } from "../../src/training/coordinator/state.ts";
import { SteadyClock } from "../../src/training/coordinator/steady-clock.ts";
import type { CoordinatorStep } from "./plants/plant.ts";
import type { World } from "./world.ts";

const TICK_MS = 250;
/** The wall's time when a simulation begins. */
const SIM_WALL_MS = 1_700_000_000_000;

export interface Socket {
  readonly onMessage: (message: ServerMessage) => void;
  readonly onClose: () => void;
}

/** The log on disk, and the fence in it: of two coordinators only one can append to the length that it read. */
export class SimLog {
  readonly records: LogRecord[] = [];
  /** A planted bug: whoever appends, appends. */
  isUnfenced = false;
  readonly #check: (record: LogRecord, server: SimServer) => void;

  constructor(spec: RunSpec, check: (record: LogRecord, server: SimServer) => void) {
    this.#check = check;
    this.records.push({ kind: "room", room: "room", spec });
  }

  /** False when the log is not as long as the caller believes. */
  appendIf(expectedLength: number, record: LogRecord, server: SimServer): boolean {
    if (this.records.length !== expectedLength && !this.isUnfenced) return false;
    this.records.push(record);
    this.#check(record, server);
    return true;
  }
}

export interface SimServerOptions {
  readonly world: World;
  readonly log: SimLog;
  readonly limits: Limits;
  /** `transition`, or one with a bug planted. */
  readonly coordinator: CoordinatorStep;
  /** Told each line of the run's record once. */
  readonly onLine: (line: RunLine) => void;
  /** What a planted bug does to the state that a start reads. */
  readonly onReplayed?: ((state: State) => State) | undefined;
  /** Told of each effect before it is carried out, and of the state that its event found. */
  readonly onEffect?: (effect: Effect, before: State) => void;
}

export class SimServer {
  isUp = false;
  state: State = initialState();
  /** How far the platform's clock is off. */
  skewMs = 0;
  readonly #options: SimServerOptions;
  readonly #sockets = new Map<string, Socket>();
  static #conns = 0;
  #life = 0;
  #lastLine: RunLine | null = null;
  #length = 0;
  #time = new SteadyClock(0);
  #nowMs = 0;
  /** Effects left before a planned crash: it falls between an append and its announcement as well as anywhere else. */
  #crashIn: number | null = null;

  constructor(options: SimServerOptions) {
    this.#options = options;
  }

  /** What the coordinator takes the time since 1970 to be. */
  get wallMs(): number {
    return this.#nowMs + this.state.wallOffsetMs;
  }

  start(): void {
    const { log, world, onReplayed } = this.#options;
    this.isUp = true;
    this.#life += 1;
    this.#length = log.records.length;
    this.#time = new SteadyClock(world.nowMs + this.skewMs);
    const replayed = log.records.reduce(replay, initialState());
    this.state = onReplayed ? onReplayed(replayed) : replayed;
    this.#feed({ kind: "start", wallMs: SIM_WALL_MS + world.nowMs + this.skewMs });
    this.#tick(this.#life);
  }

  crash(): void {
    const { world } = this.#options;
    this.isUp = false;
    this.#crashIn = null;
    const sockets = [...this.#sockets.values()];
    this.#sockets.clear();
    for (const socket of sockets) world.after(world.between(1, 50), socket.onClose);
  }

  /** Crashes after so many more effects; null: not any more. */
  crashAfter(effects: number | null): void {
    this.#crashIn = effects;
  }

  /** A new socket, or null while the server is away. */
  connect(socket: Socket): string | null {
    if (!this.isUp) return null;
    const conn = `c${SimServer.#conns++}`;
    this.#sockets.set(conn, socket);
    return conn;
  }

  receive(conn: string, message: ClientMessage): void {
    if (this.isUp && this.#sockets.has(conn)) this.#feed({ kind: "message", conn, message });
  }

  disconnect(conn: string): void {
    if (this.#sockets.delete(conn) && this.isUp) this.#feed({ kind: "closed", conn });
  }

  #tick(life: number): void {
    if (!this.isUp || life !== this.#life) return;
    this.#feed({ kind: "tick" });
    this.#options.world.after(TICK_MS, () => this.#tick(life));
  }

  #feed(event: Event): void {
    const { coordinator, limits, world, onEffect } = this.#options;
    const nowMs = this.#time.advance(world.nowMs + this.skewMs);
    const before = this.state;
    this.#nowMs = nowMs;
    const { state, effects } = coordinator(before, event, nowMs, limits);
    this.state = state;
    for (const effect of effects) {
      if (this.#crashIn !== null && this.#crashIn-- <= 0) return this.crash();
      onEffect?.(effect, before);
      if (!this.#carryOut(effect)) return this.crash();
    }
  }

  /** False when another coordinator leads. */
  #carryOut(effect: Effect): boolean {
    switch (effect.kind) {
      case "append":
        if (!this.#options.log.appendIf(this.#length, effect.record, this)) return false;
        this.#length += 1;
        return true;
      case "send":
        this.#send(effect.conn, effect.message);
        return true;
      case "close": {
        const socket = this.#sockets.get(effect.conn);
        this.#sockets.delete(effect.conn);
        if (socket) this.#options.world.after(1, socket.onClose);
        return true;
      }
    }
  }

  #send(conn: string, message: ServerMessage): void {
    // Lines for people; members do not look at them.
    if (message.kind === "roster" || message.kind === "waiting") return;
    if (message.kind !== "event") return this.#sockets.get(conn)?.onMessage(message);
    if (this.#lastLine === message.line) return;
    this.#lastLine = message.line;
    this.#options.onLine(message.line);
  }
}

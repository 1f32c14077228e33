/** The signaling server of a simulation: the real coordinator over a log that survives crashes and sockets that do not. */
import type { ClientMessage, RunLine, RunSpec, ServerMessage } from "../../src/network/wire/messages.ts";
import type { Effect, Event, Limits, LogRecord } from "../../src/training/coordinator/protocol.ts";
import { initialState, replay, type State } from "../../src/training/coordinator/state.ts";
import { transition } from "../../src/training/coordinator/transition.ts";
import type { World } from "./world.ts";

const TICK_MS = 250;

export interface Socket {
  readonly onMessage: (message: ServerMessage) => void;
  readonly onClose: () => void;
}

export class SimServer {
  readonly log: LogRecord[] = [];
  readonly lines: RunLine[] = [];
  isUp = false;
  state: State = initialState();
  readonly #world: World;
  readonly #limits: Limits;
  readonly #sockets = new Map<string, Socket>();
  readonly #check: (record: LogRecord) => void;
  #connCount = 0;
  #life = 0;
  /** Effects left before a planned crash: it falls between an append and its announcement as well as anywhere else. */
  #crashIn: number | null = null;

  constructor(world: World, spec: RunSpec, limits: Limits, check: (record: LogRecord) => void) {
    this.#world = world;
    this.#limits = limits;
    this.#check = check;
    this.log.push({ kind: "room", room: "room", spec });
  }

  start(): void {
    this.isUp = true;
    this.#life += 1;
    this.state = this.log.reduce(replay, initialState());
    this.#feed({ kind: "start" });
    this.#tick(this.#life);
  }

  crash(): void {
    this.isUp = false;
    this.#crashIn = null;
    const sockets = [...this.#sockets.values()];
    this.#sockets.clear();
    for (const socket of sockets) this.#world.after(this.#world.between(1, 50), socket.onClose);
  }

  /** Crashes after so many more effects. */
  crashAfter(effects: number): void {
    this.#crashIn = effects;
  }

  /** A new socket, or null while the server is away. */
  connect(socket: Socket): string | null {
    if (!this.isUp) return null;
    const conn = `c${this.#connCount++}`;
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
    this.#world.after(TICK_MS, () => this.#tick(life));
  }

  #feed(event: Event): void {
    const { state, effects } = transition(this.state, event, this.#world.nowMs, this.#limits);
    this.state = state;
    for (const effect of effects) {
      if (this.#crashIn !== null && this.#crashIn-- <= 0) return this.crash();
      this.#carryOut(effect);
    }
  }

  #carryOut(effect: Effect): void {
    switch (effect.kind) {
      case "append":
        this.log.push(effect.record);
        this.#check(effect.record);
        return;
      case "send":
        if (effect.message.kind === "event") this.lines.push(effect.message.line);
        this.#sockets.get(effect.conn)?.onMessage(effect.message);
        return;
      case "close": {
        const socket = this.#sockets.get(effect.conn);
        this.#sockets.delete(effect.conn);
        if (socket) this.#world.after(1, socket.onClose);
        return;
      }
    }
  }
}

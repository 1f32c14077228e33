/**
 * The pool at work: what rooms and tabs do goes in as events, one at a time; what follows goes out to tabs and rooms.
 *
 * Nothing here is kept on a disk: after a restart the runs come from the rooms' logs, and tabs say where they are.
 */
import type { Clock } from "../../src/base/clock.ts";
import type { RunSpec } from "../../src/network/wire/run-spec.ts";
import type { PoolServerMessage } from "../../src/network/wire/pool-message.ts";
import {
  emptyPool,
  poolTransition,
  queueView,
  type PoolEffect,
  type PoolEvent,
  type PoolLimits,
  type PoolState,
  type QueueView,
} from "../../src/training/coordinator/pool.ts";
import type { LogRecord } from "../../src/training/coordinator/protocol.ts";
import type { StoredUnits } from "../../src/training/coordinator/stored-units.ts";
import { repeat } from "../repeat.ts";

const TICK_MS = 1_000;
const LABEL_LETTERS = 4;

/** A tab's connection, as the pool sees it. */
export interface PoolConn {
  readonly id: string;
  send(message: PoolServerMessage): void;
  /** Ends it, with a sentence. */
  close(reason: string): void;
}

export interface PoolDriverOptions {
  readonly clock: Clock;
  readonly limits: PoolLimits;
  /** Tells a room's coordinator to stand still after its next commit, or to go on. */
  readonly hold: (room: string, isHeld: boolean) => void;
}

/** A run as its log tells it. */
export interface LoggedRun {
  readonly room: string;
  readonly spec: RunSpec;
  readonly step: number;
  readonly checkpoint: StoredUnits | null;
}

export class PoolDriver {
  readonly #options: PoolDriverOptions;
  readonly #conns = new Map<string, PoolConn>();
  readonly #endTicks: () => void;
  #state: PoolState;

  constructor(options: PoolDriverOptions) {
    this.#options = options;
    this.#state = emptyPool(options.clock.nowMs());
    this.#endTicks = repeat(options.clock, TICK_MS, () => this.#happened({ kind: "tick" }));
  }

  /** Takes a run into the queue; one that asks for no pool is none. */
  add({ room, spec, step, checkpoint }: LoggedRun): void {
    const { queue, run: program, steps } = spec;
    if (!queue) return;
    const label = `${program} ${room.slice(0, LABEL_LETTERS)}`;
    this.#happened({ kind: "run", run: { run: room, label, program, steps, step, checkpoint, ...queue } });
  }

  /** A record that became durable in a room's log. */
  logged(room: string, record: LogRecord): void {
    if (!this.#state.runs.has(room)) return;
    if (record.kind === "commit") this.#happened({ kind: "step", run: room, step: record.record.step });
    if (record.kind === "rollback") this.#happened({ kind: "step", run: room, step: record.step });
    if (record.kind === "end") this.#happened({ kind: "end", run: room });
    if (record.kind !== "checkpoint") return;
    const { holders, stripes = [] } = record;
    this.#happened({ kind: "checkpoint", run: room, step: record.record.step, checkpoint: { holders, stripes } });
  }

  /** A tab that said hello; what it hears goes to `conn` until `leave`. */
  enter(conn: PoolConn, hello: Omit<Extract<PoolEvent, { kind: "hello" }>, "kind" | "member">): void {
    this.#conns.set(conn.id, conn);
    this.#happened({ kind: "hello", member: conn.id, ...hello });
  }

  idle(conn: PoolConn, problem: string | null): void {
    this.#happened({ kind: "idle", member: conn.id, problem });
  }

  leave(conn: PoolConn): void {
    if (this.#conns.delete(conn.id)) this.#happened({ kind: "gone", member: conn.id });
  }

  view(): QueueView {
    return queueView(this.#state, this.#options.clock.nowMs());
  }

  stop(): void {
    this.#endTicks();
  }

  #happened(event: PoolEvent): void {
    const { clock, limits } = this.#options;
    const { state, effects } = poolTransition(this.#state, event, clock.nowMs(), limits);
    this.#state = state;
    for (const effect of effects) this.#carryOut(effect);
  }

  #carryOut(effect: PoolEffect): void {
    if (effect.kind === "hold") return this.#options.hold(effect.run, effect.isHeld);
    const conn = this.#conns.get(effect.member);
    const { reason } = effect;
    switch (effect.kind) {
      case "assign":
        return conn?.send({ kind: "assign", room: effect.run, reason });
      case "release":
        return conn?.send({ kind: "release", reason });
      case "wait":
        return conn?.send({ kind: "waiting", reason });
      case "drop":
        this.#conns.delete(effect.member);
        return conn?.close(reason);
      default:
        effect satisfies never;
    }
  }
}

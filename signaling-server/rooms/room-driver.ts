/**
 * One room's coordinator at work: events in one at a time, effects out in order, the log before the announcement.
 *
 * It knows nothing of sockets, HTTP or files. When the coordinator or the log fails, everybody in the room is told and
 * the room ends; what was committed is in the log, and the next hello starts it again from there.
 */
import type { Clock } from "../../src/base/clock.ts";
import { AbortedError, QuotaError } from "../../src/base/errors.ts";
import type { RefusalCode, ServerMessage } from "../../src/network/wire/messages.ts";
import type { RunLine } from "../../src/network/wire/run-line.ts";
import type { CommitLog } from "../../src/training/coordinator/commit-log.ts";
import type { Effect, Event, Limits, LogRecord } from "../../src/training/coordinator/protocol.ts";
import { initialState, replay } from "../../src/training/coordinator/state.ts";
import { SteadyClock } from "../../src/training/coordinator/steady-clock.ts";
import { transition } from "../../src/training/coordinator/transition.ts";
import { repeat } from "../repeat.ts";

const TICK_MS = 250;
/** A tick this late says that the process slept: what members said meanwhile is read before anybody is called silent. */
const LATE_MS_MAX = 1_000;

/** A client's connection, as a room sees it. */
export interface Conn {
  readonly id: string;
  readonly role: "member" | "observer";
  send(text: string): void;
  /** Ends it for good, with a sentence. */
  refuse(code: RefusalCode, reason: string): void;
  close(reason: string): void;
}

/** The pure coordinator with its state inside: an event in, effects out. */
export type Coordinator = (event: Event, nowMs: number) => readonly Effect[];

/** A coordinator that goes on from `records`. */
export type OpenCoordinator = (records: readonly LogRecord[], limits: Limits) => Coordinator;

export const openCoordinator: OpenCoordinator = (records, limits) => {
  let state = records.reduce(replay, initialState());
  return (event, nowMs) => {
    const step = transition(state, event, nowMs, limits);
    state = step.state;
    return step.effects;
  };
};

export interface RoomDriverOptions {
  readonly log: CommitLog;
  readonly open: OpenCoordinator;
  readonly limits: Limits;
  readonly clock: Clock;
  /** Each line of the run's public record once, however many hear it. */
  readonly onLine: (line: RunLine) => void;
  readonly onRefusal: (code: RefusalCode) => void;
  /** The room ended by itself. */
  readonly onFailed: (error: unknown) => void;
}

export class RoomDriver {
  readonly #options: RoomDriverOptions;
  readonly #coordinator: Coordinator;
  readonly #conns = new Map<string, Conn>();
  readonly #queue: Event[];
  readonly #endTicks: () => void;
  readonly #endWatch: () => void;
  readonly #time: SteadyClock;
  #length: number;
  #pumping: Promise<void> | null = null;
  #isTickQueued = false;
  #isAppending = false;
  #isEnded = false;
  #emptySinceMs: number;
  /** The message sent last and its text: a broadcast is the same object to everyone. */
  #sent: { message: ServerMessage; text: string } | null = null;

  private constructor(options: RoomDriverOptions, coordinator: Coordinator) {
    this.#options = options;
    this.#coordinator = coordinator;
    this.#queue = [{ kind: "start", wallMs: options.clock.wallMs() }];
    this.#length = options.log.length;
    this.#emptySinceMs = options.clock.nowMs();
    this.#time = new SteadyClock(options.clock.nowMs());
    this.#endTicks = repeat(options.clock, TICK_MS, (lateMs) => this.#tick(lateMs));
    this.#endWatch = options.log.watch((_, length) => this.#onLogged(length));
    this.#pump();
  }

  /** Reads the log and goes on from there. @throws CorruptDataError, QuotaError, InvariantError */
  static async start(options: RoomDriverOptions): Promise<RoomDriver> {
    const records = await options.log.read();
    return new RoomDriver(options, options.open(records, options.limits));
  }

  /** Connections that follow the run, by role. */
  count(role: Conn["role"]): number {
    let count = 0;
    for (const conn of this.#conns.values()) if (conn.role === role) count += 1;
    return count;
  }

  /** True once it takes no more events: it failed, or was stopped. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Since when nobody has been here; null while somebody is. */
  get emptySinceMs(): number | null {
    return this.#conns.size > 0 ? null : this.#emptySinceMs;
  }

  /** From now on `conn` hears what the coordinator sends it. */
  attach(conn: Conn): void {
    if (this.#isEnded) return conn.refuse("busy", failureReason(null));
    this.#conns.set(conn.id, conn);
  }

  detach(conn: Conn): void {
    this.#conns.delete(conn.id);
    this.#emptySinceMs = this.#options.clock.nowMs();
    this.post({ kind: "closed", conn: conn.id });
  }

  /** Queues an event. After the end it is dropped: nobody is left to answer. */
  post(event: Event): void {
    if (this.#isEnded) return;
    this.#queue.push(event);
    this.#pump();
  }

  /** Ends between two events, leaving connections as they are: members keep their state and come back. */
  async stop(): Promise<void> {
    this.#isEnded = true;
    this.#endTicks();
    this.#endWatch();
    this.#queue.length = 0;
    await this.#pumping;
  }

  #tick(lateMs: number): void {
    if (this.#isTickQueued || lateMs > LATE_MS_MAX) return;
    this.#isTickQueued = true;
    this.post({ kind: "tick" });
  }

  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = this.#run()
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        this.#pumping = null;
        if (this.#queue.length > 0) this.#pump();
      });
  }

  async #run(): Promise<void> {
    for (let event = this.#queue.shift(); event; event = this.#queue.shift()) {
      if (event.kind === "tick") this.#isTickQueued = false;
      const effects = this.#coordinator(event, this.#time.advance(this.#options.clock.nowMs()));
      this.#countLines(effects);
      for (const effect of effects) {
        if (effect.kind === "append") await this.#append(effect.record);
        else this.#speak(effect);
      }
    }
  }

  async #append(record: LogRecord): Promise<void> {
    this.#isAppending = true;
    await this.#options.log.appendIf(this.#length, record).finally(() => (this.#isAppending = false));
    this.#length += 1;
  }

  /** A record that is not this coordinator's: another one leads, and members here would wait for nothing. */
  #onLogged(length: number): void {
    if (length <= this.#length + (this.#isAppending ? 1 : 0)) return;
    this.#fail(new AbortedError(`log: expected ${this.#length} records, found ${length}: another server leads`));
  }

  #speak(effect: Exclude<Effect, { kind: "append" }>): void {
    const conn = this.#conns.get(effect.conn);
    if (!conn) return; // It closed meanwhile, and the coordinator will hear of it.
    if (effect.kind === "close") return conn.close(effect.reason);
    const { message } = effect;
    if (message.kind === "refused") this.#options.onRefusal(message.code);
    if (this.#sent?.message !== message) this.#sent = { message, text: JSON.stringify(message) };
    conn.send(this.#sent.text);
  }

  #countLines(effects: readonly Effect[]): void {
    const seen = new Set<RunLine>();
    for (const effect of effects) {
      if (effect.kind !== "send" || effect.message.kind !== "event" || seen.has(effect.message.line)) continue;
      seen.add(effect.message.line);
      this.#options.onLine(effect.message.line);
    }
  }

  #fail(error: unknown): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#endTicks();
    this.#endWatch();
    this.#queue.length = 0;
    for (const conn of this.#conns.values()) conn.refuse("busy", failureReason(error));
    this.#conns.clear();
    this.#options.onFailed(error);
  }
}

function failureReason(error: unknown): string {
  if (error instanceof AbortedError) return "Another server leads this room now: reload the page.";
  return error instanceof QuotaError
    ? "The server's disk is full or refuses to write, so this room has stopped: what was committed is kept."
    : "This room has stopped because of an error in the server: what was committed is kept. Reload the page to go on.";
}

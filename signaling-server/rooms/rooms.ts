/**
 * All rooms of one server: made, loaded from their logs when somebody comes, and put away when nobody has been there
 * for a while. A room that fails takes no other with it.
 */
import type { Clock } from "../../src/base/clock.ts";
import { describeError, HearthError } from "../../src/base/errors.ts";
import type { RandomSource } from "../../src/base/random.ts";
import type { RefusalCode } from "../../src/network/wire/messages.ts";
import type { RunLine } from "../../src/network/wire/run-line.ts";
import type { RunSpec } from "../../src/network/wire/run-spec.ts";
import type { Limits, LogRecord } from "../../src/training/coordinator/protocol.ts";
import type { LogStore, LogSummary, RoomLog } from "../log/log-store.ts";
import { repeat } from "../repeat.ts";
import { type Conn, type OpenCoordinator, RoomDriver } from "./room-driver.ts";
import { isRoomId, makeRoomId } from "./room-id.ts";

const SWEEP_MS = 5_000;

export interface RoomsOptions {
  readonly logs: LogStore;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly limits: Limits;
  readonly open: OpenCoordinator;
  /** Rooms that have a log, and rooms in memory (about 1 MB each). */
  readonly storedMax: number;
  readonly loadedMax: number;
  /** Members, and as many who only watch, in one room at a time. */
  readonly membersMax: number;
  /** A room that has been empty for so long leaves the memory. */
  readonly idleMsMax: number;
  readonly log: (line: string) => void;
  readonly onLine: (line: RunLine) => void;
  /** A room was made, or a record became durable in the log of one that is loaded. */
  readonly onMade: (room: string, spec: RunSpec) => void;
  readonly onAppend: (record: LogRecord, room: string) => void;
  readonly onRefusal: (code: RefusalCode) => void;
}

/** What anybody with the link may know of a room. */
export interface RoomSummary {
  readonly run: string;
  readonly step: number;
  readonly members: number;
  readonly spec: RunSpec;
}

/** Why a room cannot be entered, as the client will be told. */
export interface Refusal {
  readonly code: RefusalCode;
  readonly reason: string;
}

/** A room in memory. */
interface LoadedRoom {
  readonly driver: RoomDriver;
  readonly log: RoomLog;
  /** When its newest checkpoint was logged, since it was loaded. */
  checkpointAtMs: number | null;
}

export const UNKNOWN_ROOM: Refusal = { code: "unknown-room", reason: "There is no such room: check the link." };

export class Rooms {
  readonly #options: RoomsOptions;
  readonly #stored: Set<string>;
  readonly #loaded = new Map<string, LoadedRoom>();
  /** Of rooms that are not loaded. */
  readonly #summaries = new Map<string, LogSummary>();
  /** Loading, reading and putting away the same room wait for each other. */
  readonly #busy = new Map<string, Promise<unknown>>();
  readonly #endSweeps: () => void;
  #making = 0;
  #isEnded = false;

  private constructor(options: RoomsOptions, stored: readonly string[]) {
    this.#options = options;
    this.#stored = new Set(stored);
    this.#endSweeps = repeat(options.clock, SWEEP_MS, () => this.#sweep());
  }

  /** The rooms of `logs`, none of them loaded. @throws QuotaError */
  static async open(options: RoomsOptions): Promise<Rooms> {
    const names = await options.logs.list();
    return new Rooms(options, names.filter(isRoomId));
  }

  get stored(): number {
    return this.#stored.size;
  }

  loaded(): IterableIterator<LoadedRoom> {
    return this.#loaded.values();
  }

  /** A new room, durable when this resolves; a refusal when there are too many. @throws QuotaError */
  async create(spec: RunSpec): Promise<string | Refusal> {
    if (this.#stored.size + this.#making >= this.#options.storedMax) {
      return { code: "busy", reason: `This server keeps ${this.#options.storedMax} rooms at most, and has as many.` };
    }
    this.#making += 1;
    try {
      const room = makeRoomId(this.#options.random);
      await this.#options.logs.create(room, { kind: "room", room, spec });
      this.#stored.add(room);
      this.#options.onMade(room, spec);
      return room;
    } finally {
      this.#making -= 1;
    }
  }

  /** Null when there is no such room. Reads a room's log the first time only. @throws CorruptDataError, QuotaError */
  async summary(room: string): Promise<RoomSummary | null> {
    const found = await this.#summary(room);
    if (!found) return null;
    const { spec } = found.room;
    const members = this.#loaded.get(room)?.driver.count("member") ?? 0;
    return { run: spec.run, step: found.step, members, spec };
  }

  /** What every room's log tells, one after another; a log that cannot be read is left out. */
  async *summaries(): AsyncGenerator<LogSummary> {
    for (const room of [...this.#stored]) {
      if (this.#isEnded) return;
      const found = await this.#summary(room).catch((error: unknown) => void this.#loadRefusal(room, error));
      if (found) yield found;
    }
  }

  /** The room's coordinator stands still after its next commit, which is a checkpoint; or goes on. */
  hold(room: string, isHeld: boolean): void {
    this.#loaded.get(room)?.driver.post({ kind: "hold", isHeld });
  }

  async #summary(room: string): Promise<LogSummary | null> {
    if (!(await this.#isStored(room))) return null;
    return this.#exclusively(room, async () => {
      const loaded = this.#loaded.get(room);
      if (loaded) return loaded.log.summary;
      const known = this.#summaries.get(room);
      if (known) return known;
      const log = await this.#options.logs.open(room);
      await log.close();
      return this.#remember(room, log);
    });
  }

  /** Attaches `conn` to the room, which is loaded if it was not; or says why not. A broken room is a refusal too. */
  async enter(room: string, conn: Conn): Promise<RoomDriver | Refusal> {
    const isStored = await this.#isStored(room).catch((error: unknown) => this.#loadRefusal(room, error));
    if (isStored !== true) return isStored || UNKNOWN_ROOM;
    // Attaching is part of the exclusive work: a room that somebody is about to enter must not be put away.
    return this.#exclusively(room, async () => {
      const entered = await this.#ready(room);
      if (!(entered instanceof RoomDriver)) return entered;
      const { membersMax } = this.#options;
      if (entered.count(conn.role) >= membersMax) {
        return { code: "busy", reason: `This room is full: it has ${membersMax} ${conn.role}s, as many as may be.` };
      }
      entered.attach(conn);
      return entered;
    });
  }

  async #ready(room: string): Promise<RoomDriver | Refusal> {
    const loaded = this.#loaded.get(room);
    if (loaded && !loaded.driver.isEnded) return loaded.driver;
    try {
      await this.#unload(room);
      if (this.#isEnded) return { code: "busy", reason: "The server is shutting down: try again in a moment." };
      if (this.#loaded.size >= this.#options.loadedMax) {
        return {
          code: "busy",
          reason: `${this.#loaded.size} rooms are at work here, as many as may be: try again later.`,
        };
      }
      return await this.#load(room);
    } catch (error) {
      return this.#loadRefusal(room, error);
    }
  }

  /** One that another server made counts too, where servers share their logs. */
  async #isStored(room: string): Promise<boolean> {
    if (!this.#stored.has(room) && isRoomId(room) && (await this.#options.logs.has(room))) this.#stored.add(room);
    return this.#stored.has(room);
  }

  #loadRefusal(room: string, error: unknown): Refusal {
    this.#options.log(`room ${shorten(room)} cannot be loaded: ${failureOf(error)}`);
    return { code: "busy", reason: loadFailure(error) };
  }

  /** Ends all rooms between two of their events; their logs are whole and closed then. */
  async stop(): Promise<void> {
    this.#isEnded = true;
    this.#endSweeps();
    await Promise.all(this.#busy.values());
    await Promise.all([...this.#loaded.keys()].map((room) => this.#unload(room)));
  }

  async #load(room: string): Promise<RoomDriver> {
    const { clock, open, limits, onLine, onRefusal, onAppend } = this.#options;
    const log = await this.#options.logs.open(room);
    try {
      const onFailed = (error: unknown): void => {
        this.#options.log(`room ${shorten(room)} has failed: ${failureOf(error)}`);
        this.#putAway(room, () => driver.isEnded);
      };
      const driver = await RoomDriver.start({ log, open, limits, clock, onLine, onRefusal, onFailed });
      const loaded: LoadedRoom = { driver, log, checkpointAtMs: null };
      log.watch((record) => {
        if (record.kind === "checkpoint") loaded.checkpointAtMs = clock.nowMs();
        onAppend(record, room);
      });
      this.#loaded.set(room, loaded);
      this.#summaries.delete(room);
      return driver;
    } catch (error) {
      await log.close();
      throw error;
    }
  }

  async #unload(room: string): Promise<void> {
    const loaded = this.#loaded.get(room);
    if (!loaded) return;
    await loaded.driver.stop();
    await loaded.log.close();
    this.#remember(room, loaded.log);
    this.#loaded.delete(room);
  }

  #remember(room: string, log: RoomLog): LogSummary {
    const { summary } = log;
    this.#summaries.set(room, summary);
    return summary;
  }

  #sweep(): void {
    const { clock, idleMsMax } = this.#options;
    for (const [room, { driver }] of this.#loaded) {
      const isIdle = (): boolean => clock.nowMs() - (driver.emptySinceMs ?? clock.nowMs()) >= idleMsMax;
      if (!isIdle()) continue;
      this.#putAway(room, isIdle);
    }
  }

  /** Unloads the room if `isDue` still holds when its turn comes. */
  #putAway(room: string, isDue: () => boolean): void {
    this.#exclusively(room, async () => {
      if (isDue()) await this.#unload(room);
    }).catch((error: unknown) => this.#options.log(`room ${shorten(room)}: ${failureOf(error)}`));
  }

  #exclusively<T>(room: string, work: () => Promise<T>): Promise<T> {
    const before = this.#busy.get(room) ?? Promise.resolve();
    const result = before.then(work);
    const settled = result
      .catch(() => {})
      .then(() => {
        if (this.#busy.get(room) === settled) this.#busy.delete(room);
      });
    this.#busy.set(room, settled);
    return result;
  }
}

/** A room's name is its key: logs show its beginning only. */
function shorten(room: string): string {
  return room.slice(0, 6);
}

/** An error that is not ours is a bug: its stack is worth having. */
function failureOf(error: unknown): string {
  if (error instanceof HearthError && error.code !== "invariant") return describeError(error);
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function loadFailure(error: unknown): string {
  return error instanceof HearthError && error.code === "corrupt-data"
    ? "This room's log on the server is damaged, so that it cannot go on: start another room."
    : "The server cannot open this room: its log says why.";
}

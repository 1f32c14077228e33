/** Where a server's rooms keep their logs: in files of its own, or in JetStream, which several servers share. */
import type { CommitLog } from "../../src/training/coordinator/commit-log.ts";
import type { LogRecord } from "../../src/training/coordinator/protocol.ts";
import type { StoredUnits } from "../../src/training/coordinator/stored-units.ts";

/**
 * Grows when a reader of the version before could not make sense of a log. 2 brought quarantines; all versions before
 * are read, and what is written is of this one.
 */
export const LOG_VERSION = 2;

/** Whether a log of `version` can be read. */
export function isReadableVersion(version: unknown): boolean {
  return typeof version === "number" && Number.isInteger(version) && version >= 1 && version <= LOG_VERSION;
}

/** What was expected where a log of `version` is refused, and what was found. */
export function versionFault(version: unknown): string {
  return `expected version ${LOG_VERSION} or an older one, found ${String(version)}`;
}

export type RoomRecord = Extract<LogRecord, { kind: "room" }>;

/** What is known of a room without folding its log. */
export interface LogSummary {
  readonly room: RoomRecord;
  /** The step last committed. */
  readonly step: number;
  /** True once the run's last step is logged. */
  readonly hasEnded: boolean;
  /** The newest whole checkpoint, by where its parts are. */
  readonly checkpoint: StoredUnits | null;
}

/** One room's log, open. */
export interface RoomLog extends CommitLog {
  /** Kept up to date, so that nobody has to read the log for it. @throws InvariantError when the log does not say */
  readonly summary: LogSummary;
  /** What it takes where it is stored. */
  readonly bytes: number;
  /** Waits for the append under way, then lets go. */
  close(): Promise<void>;
}

export interface LogStore {
  /** Names of the rooms that have a log. @throws QuotaError */
  list(): Promise<readonly string[]>;
  /** Whether `room` has a log, asked anew: where several servers share a store, another one may have made it. */
  has(room: string): Promise<boolean>;
  /** A new log that holds `first`, durable when this resolves. @throws QuotaError */
  create(room: string, first: RoomRecord): Promise<void>;
  /** @throws CorruptDataError, QuotaError */
  open(room: string): Promise<RoomLog>;
  /** Lets go of folder or connection; its logs are closed before. */
  close(): Promise<void>;
}

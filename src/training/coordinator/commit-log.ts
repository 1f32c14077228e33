/**
 * Where a coordinator's records become durable. The coordinator itself never sees it: the driver carries out `append`
 * effects against one of these, and folds what `read` gives when it starts.
 */
import type { LogRecord } from "./protocol.ts";

/** One room's durable history: records in order, appended one at a time by whoever knows how long it is. */
export interface CommitLog {
  /** Records appended since the log began. It never shrinks: records that a compaction folded away still count. */
  readonly length: number;
  /**
   * Appends `record` if the log holds exactly `expectedLength` records, and resolves when it is on the disk.
   *
   * This is the fence. Of two coordinators that believe they lead the same room, each knows the length up to which it
   * read; only one of their appends can find the log still that long, and the other learns that it no longer leads.
   * @throws AbortedError when the log is longer or shorter; QuotaError when the storage is full or refuses. After a
   * QuotaError the log takes no more records until it is opened again.
   */
  appendIf(expectedLength: number, record: LogRecord): Promise<void>;
  /** All records, oldest first; folding them rebuilds the state. After a compaction they are fewer than `length`. */
  read(): Promise<readonly LogRecord[]>;
  /** Calls `onAppend` with each record that becomes durable from now on; the result ends it. */
  watch(onAppend: (record: LogRecord, length: number) => void): () => void;
}

/**
 * A room's log as one JetStream stream, for where one server is not enough: an append is a publish that expects the last
 * sequence to be what this coordinator read, so of two that believe to lead only one can go on.
 *
 * Past 16 MiB an append carries what the records before it fold to, and these are purged: sequences go on, so the fence
 * stays. Source: docs.nats.io, "JetStream API": `Nats-Expected-Last-Sequence`.
 */
import { randomUUID } from "node:crypto";
import { AbortedError, CorruptDataError, describeError, ProtocolError, QuotaError } from "../../src/base/errors.ts";
import type { LogRecord } from "../../src/training/coordinator/protocol.ts";
import { Compaction } from "./compaction.ts";
import { isReadableVersion, LOG_VERSION, versionFault, type LogSummary, type RoomLog } from "./log-store.ts";
import type { NatsConnection, NatsMessage } from "./nats-connection.ts";

const NAME = /^[A-Za-z0-9_-]+$/;
const STREAM_PREFIX = "hearth_";
const SUBJECT_PREFIX = "hearth.log.";
/** JetStream's numbers for "wrong last sequence", "stream not found" and "no message found". */
const WRONG_SEQUENCE = 10_071;
const NO_STREAM = 10_059;
const NO_MESSAGE = 10_037;
const COMPACT_ABOVE_BYTES = 16 * 1024 * 1024;
/** Left for headers in a message. */
const HEADER_BYTES_MAX = 1024;
/** Records asked for at once. */
const READ_WINDOW = 64;

interface StreamAnswer {
  readonly error?: { readonly code: number; readonly err_code?: number; readonly description: string };
  readonly seq?: number;
  readonly state?: { readonly first_seq: number; readonly last_seq: number; readonly bytes: number };
  readonly message?: { readonly seq: number; readonly data: string };
  readonly streams?: readonly string[] | null;
  readonly total?: number;
}

/** What is published: one record, and where the log was shortened what those before it fold to. */
interface Entry {
  readonly version: number;
  /** The server's name for itself: it does not watch its own appends. */
  readonly writer?: string;
  readonly record: LogRecord;
  readonly kept?: readonly LogRecord[];
}

export interface JetStreamLogOptions {
  /** Copies of each record among the servers of a NATS cluster; 1 unless told. */
  readonly replicas?: number;
  /** Shortened when it has grown past this; 16 MiB unless a test says otherwise. */
  readonly compactAboveBytes?: number;
}

export class JetStreamLog implements RoomLog {
  readonly #connection: NatsConnection;
  readonly #stream: string;
  readonly #writer = randomUUID();
  readonly #compactAboveBytes: number;
  readonly #watchers = new Set<(record: LogRecord, length: number) => void>();
  readonly #endWatch: () => void;
  #compaction = new Compaction();
  #length = 0;
  #bytes = 0;
  #compactAtBytes: number;
  #appending: Promise<unknown> = Promise.resolve();
  #broken: QuotaError | null = null;

  private constructor(connection: NatsConnection, room: string, options: JetStreamLogOptions) {
    this.#connection = connection;
    this.#stream = streamOf(room);
    this.#compactAboveBytes = options.compactAboveBytes ?? COMPACT_ABOVE_BYTES;
    this.#compactAtBytes = this.#compactAboveBytes;
    this.#endWatch = connection.subscribe(subjectOf(this.#stream), (message) => this.#onPublished(message));
  }

  /** A new log of `room` that holds `first`. @throws QuotaError, AbortedError; ProtocolError without JetStream */
  static async create(
    connection: NatsConnection,
    room: string,
    first: LogRecord,
    options: JetStreamLogOptions = {},
  ): Promise<JetStreamLog> {
    const stream = streamOf(room);
    const config = {
      name: stream,
      subjects: [subjectOf(stream)],
      retention: "limits",
      storage: "file",
      max_consumers: -1,
      num_replicas: options.replicas ?? 1,
      discard: "new",
    };
    const { error } = await ask(connection, `$JS.API.STREAM.CREATE.${stream}`, JSON.stringify(config));
    if (error) throw new QuotaError(`log ${stream}: expected JetStream to make it, found ${error.description}`);
    const log = new JetStreamLog(connection, room, options);
    await log.appendIf(0, first);
    return log;
  }

  /** The log of `room`, read once. @throws CorruptDataError, QuotaError when there is none, AbortedError, DeadlineError */
  static async open(
    connection: NatsConnection,
    room: string,
    options: JetStreamLogOptions = {},
  ): Promise<JetStreamLog> {
    const log = new JetStreamLog(connection, room, options);
    await log.read();
    return log;
  }

  /** Whether there is a log of `room`. */
  static async exists(connection: NatsConnection, room: string): Promise<boolean> {
    const { error } = await ask(connection, `$JS.API.STREAM.INFO.${streamOf(room)}`, "");
    if (error && error.err_code !== NO_STREAM) throw new QuotaError(`log of a room: ${error.description}`);
    return !error;
  }

  /** Rooms that have a log. */
  static async list(connection: NatsConnection): Promise<readonly string[]> {
    const rooms: string[] = [];
    for (;;) {
      const query = JSON.stringify({ subject: `${SUBJECT_PREFIX}>`, offset: rooms.length });
      const { error, streams, total = 0 } = await ask(connection, "$JS.API.STREAM.NAMES", query);
      if (error) throw new QuotaError(`logs: expected JetStream to list them, found ${error.description}`);
      rooms.push(...(streams ?? []).map((stream) => stream.slice(STREAM_PREFIX.length)));
      if (rooms.length >= total || !streams?.length) return rooms;
    }
  }

  get length(): number {
    return this.#length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get summary(): LogSummary {
    return this.#compaction.summary;
  }

  appendIf(expectedLength: number, record: LogRecord): Promise<void> {
    const appended = this.#append(expectedLength, record);
    this.#appending = appended.catch(() => {});
    return appended;
  }

  /** @throws CorruptDataError for a record of another version, and for one that is missing in the middle */
  async read(): Promise<readonly LogRecord[]> {
    for (let tries = 0; ; tries++) {
      const { first_seq: first, last_seq: last, bytes } = await this.#state();
      const entries = await this.#entries(first, last);
      // Another server may have shortened the log meanwhile.
      if (entries === null && tries === 0) continue;
      const newest = entries?.findLastIndex(({ kept }) => kept !== undefined) ?? -1;
      if (entries === null || (first > 1 && newest < 0)) {
        throw new CorruptDataError(`log ${this.#stream}: expected records 1 to ${last}, found some missing`);
      }
      const after = entries.slice(Math.max(0, newest)).map(({ record }) => record);
      const records = [...(entries[newest]?.kept ?? []), ...after];
      this.#compaction = new Compaction();
      for (const record of records) this.#compaction.note(record);
      this.#length = last;
      this.#bytes = bytes;
      return records;
    }
  }

  watch(onAppend: (record: LogRecord, length: number) => void): () => void {
    this.#watchers.add(onAppend);
    return () => this.#watchers.delete(onAppend);
  }

  async close(): Promise<void> {
    this.#broken ??= new QuotaError(`log ${this.#stream}: expected an open log, found it closed`);
    this.#endWatch();
    await this.#appending;
  }

  async #append(expectedLength: number, record: LogRecord): Promise<void> {
    if (this.#broken) throw this.#broken;
    const headers = { "Nats-Expected-Last-Sequence": String(expectedLength) };
    const isDue = this.#bytes > this.#compactAtBytes;
    const kept = isDue ? this.#shortened(record) : null;
    const text = kept ?? this.#encode({ record });
    const { error, seq } = await ask(this.#connection, subjectOf(this.#stream), text, headers).catch(
      (cause: unknown) => {
        // Whether it was stored is unknown until the log is read again.
        throw (this.#broken = new QuotaError(
          `log ${this.#stream}: expected JetStream to store a record, found ${describeError(cause)}`,
          { cause },
        ));
      },
    );
    if (error?.err_code === WRONG_SEQUENCE) {
      throw new AbortedError(
        `appendIf: expected ${expectedLength} records, ${error.description}: another server leads`,
      );
    }
    if (error || seq !== expectedLength + 1) {
      throw (this.#broken = new QuotaError(
        `appendIf: expected JetStream to store it, found ${error?.description ?? `sequence ${seq}`}`,
      ));
    }
    this.#bytes += Buffer.byteLength(text);
    if (isDue) this.#compactAtBytes = this.#bytes + this.#compactAboveBytes;
    if (kept !== null) await this.#purge(seq, Buffer.byteLength(text));
    this.#noteAppended(record, seq);
  }

  #noteAppended(record: LogRecord, length: number): void {
    this.#length = length;
    this.#compaction.note(record);
    for (const onAppend of this.#watchers) onAppend(record, length);
  }

  /** The record with what those before it fold to; null where that is more than one message takes. */
  #shortened(record: LogRecord): string | null {
    const text = this.#encode({ record, kept: this.#compaction.records() });
    return Buffer.byteLength(text) + HEADER_BYTES_MAX <= this.#connection.payloadBytesMax ? text : null;
  }

  /** Removes what the entry of `seq` stands for. If that fails they stay, and readers skip them. */
  async #purge(seq: number, bytes: number): Promise<void> {
    const purged = ask(this.#connection, `$JS.API.STREAM.PURGE.${this.#stream}`, JSON.stringify({ seq }));
    const { error } = await purged.catch(() => ({ error: true }));
    if (error) return;
    this.#bytes = bytes;
    this.#compactAtBytes = bytes + this.#compactAboveBytes;
  }

  /**
   * Something was published, maybe in vain: the subject carries also what the stream refuses. So the stream is asked.
   * What is no record of ours is found out by the next append.
   */
  #onPublished({ payload }: NatsMessage): void {
    if (payload.includes(this.#writer)) return;
    this.#tellNew().catch(() => {});
  }

  async #tellNew(): Promise<void> {
    const { last_seq: last } = await this.#state();
    const from = this.#length + 1;
    const entries = last >= from ? await this.#entries(from, last) : null;
    entries?.forEach(({ record }, at) => {
      for (const onAppend of this.#watchers) onAppend(record, from + at);
    });
  }

  async #state(): Promise<NonNullable<StreamAnswer["state"]>> {
    const { error, state } = await ask(this.#connection, `$JS.API.STREAM.INFO.${this.#stream}`, "");
    if (!state) throw new QuotaError(`log ${this.#stream}: expected a stream, found ${error?.description ?? "none"}`);
    return state;
  }

  /** Null when one is missing. */
  async #entries(first: number, last: number): Promise<Entry[] | null> {
    const entries: Entry[] = [];
    for (let from = Math.max(1, first); from <= last; from += READ_WINDOW) {
      const count = Math.min(READ_WINDOW, last - from + 1);
      const window = await Promise.all(Array.from({ length: count }, (_, at) => this.#entry(from + at)));
      for (const entry of window) {
        if (entry === null) return null;
        entries.push(entry);
      }
    }
    return entries;
  }

  async #entry(seq: number): Promise<Entry | null> {
    const subject = `$JS.API.STREAM.MSG.GET.${this.#stream}`;
    const { error, message } = await ask(this.#connection, subject, JSON.stringify({ seq }));
    if (error?.err_code === NO_MESSAGE) return null;
    const what = `log ${this.#stream}: record ${seq}`;
    if (!message) throw new QuotaError(`${what}: expected JetStream to have it, found ${error?.description ?? "none"}`);
    return decode(what, Buffer.from(message.data, "base64").toString("utf8"));
  }

  #encode(entry: Omit<Entry, "version" | "writer">): string {
    return JSON.stringify({ version: LOG_VERSION, writer: this.#writer, ...entry });
  }
}

function decode(what: string, text: string): Entry {
  let found: Partial<Entry>;
  try {
    found = JSON.parse(text) as Partial<Entry>;
  } catch (cause) {
    throw new CorruptDataError(`${what}: expected JSON`, { cause });
  }
  if (!isReadableVersion(found.version)) throw new CorruptDataError(`${what}: ${versionFault(found.version)}`);
  if (!found.record) throw new CorruptDataError(`${what}: expected a record, found none`);
  return found as Entry;
}

function streamOf(room: string): string {
  if (!NAME.test(room)) throw new ProtocolError(`JetStreamLog: expected a room's id, found ${JSON.stringify(room)}`);
  return `${STREAM_PREFIX}${room}`;
}

function subjectOf(stream: string): string {
  return `${SUBJECT_PREFIX}${stream}`;
}

async function ask(
  connection: NatsConnection,
  subject: string,
  payload: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<StreamAnswer> {
  const message = await connection.request(subject, payload, headers);
  return JSON.parse(message.payload.toString("utf8")) as StreamAnswer;
}

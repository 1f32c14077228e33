/**
 * A room's log as one JetStream stream, for where one server is not enough: an append is a publish that expects the last
 * sequence to be what this coordinator read, so of two that believe to lead only one can go on.
 *
 * Source: docs.nats.io, "JetStream API": `Nats-Expected-Last-Sequence`.
 */
import { AbortedError, CorruptDataError, ProtocolError, QuotaError } from "../../src/base/errors.ts";
import type { CommitLog } from "../../src/training/coordinator/commit-log.ts";
import type { LogRecord } from "../../src/training/coordinator/protocol.ts";
import type { NatsConnection, NatsMessage } from "./nats-connection.ts";

/** Grows when records change their meaning. */
const LOG_VERSION = 1;
const NAME = /^[A-Za-z0-9_-]+$/;
/** JetStream's number for "wrong last sequence". */
const WRONG_SEQUENCE = 10_071;

interface StreamAnswer {
  readonly error?: { readonly code: number; readonly err_code?: number; readonly description: string };
  readonly seq?: number;
  readonly state?: { readonly last_seq: number };
  readonly message?: { readonly seq: number; readonly data: string };
}

export class JetStreamLog implements CommitLog {
  readonly #connection: NatsConnection;
  readonly #stream: string;
  #length: number;

  private constructor(connection: NatsConnection, stream: string, length: number) {
    this.#connection = connection;
    this.#stream = stream;
    this.#length = length;
  }

  /** The log of `room`, made where there is none. @throws ProtocolError without JetStream; AbortedError, DeadlineError */
  static async open(connection: NatsConnection, room: string): Promise<JetStreamLog> {
    if (!NAME.test(room)) throw new ProtocolError(`JetStreamLog: expected a room's id, found ${JSON.stringify(room)}`);
    const stream = `hearth_${room}`;
    const config = {
      name: stream,
      subjects: [subjectOf(stream)],
      retention: "limits",
      storage: "file",
      max_consumers: -1,
    };
    await ask(connection, `$JS.API.STREAM.CREATE.${stream}`, JSON.stringify({ ...config, discard: "new" }));
    const info = await ask(connection, `$JS.API.STREAM.INFO.${stream}`, "");
    if (info.error) throw new ProtocolError(`JetStreamLog: ${info.error.description}`);
    return new JetStreamLog(connection, stream, info.state?.last_seq ?? 0);
  }

  get length(): number {
    return this.#length;
  }

  async appendIf(expectedLength: number, record: LogRecord): Promise<void> {
    const headers = { "Nats-Expected-Last-Sequence": String(expectedLength) };
    const text = JSON.stringify({ version: LOG_VERSION, record });
    const { error, seq } = await ask(this.#connection, subjectOf(this.#stream), text, headers);
    if (error?.err_code === WRONG_SEQUENCE) {
      throw new AbortedError(
        `appendIf: expected ${expectedLength} records, ${error.description}: another server leads`,
      );
    }
    if (error || seq !== expectedLength + 1) {
      throw new QuotaError(
        `appendIf: expected JetStream to store it, found ${error?.description ?? `sequence ${seq}`}`,
      );
    }
    this.#length = seq;
  }

  /** @throws CorruptDataError for a record of another version, and for one that is missing in the middle */
  async read(): Promise<readonly LogRecord[]> {
    const records: LogRecord[] = [];
    const info = await ask(this.#connection, `$JS.API.STREAM.INFO.${this.#stream}`, "");
    this.#length = info.state?.last_seq ?? 0;
    for (let seq = 1; seq <= this.#length; seq++) {
      const { message } = await ask(
        this.#connection,
        `$JS.API.STREAM.MSG.GET.${this.#stream}`,
        JSON.stringify({ seq }),
      );
      if (!message)
        throw new CorruptDataError(`log ${this.#stream}: expected record ${seq} of ${this.#length}, found none`);
      records.push(this.#record(seq, Buffer.from(message.data, "base64").toString("utf8")));
    }
    return records;
  }

  watch(onAppend: (record: LogRecord, length: number) => void): () => void {
    let length = this.#length;
    return this.#connection.subscribe(subjectOf(this.#stream), ({ payload }: NatsMessage) => {
      length += 1;
      onAppend(this.#record(length, payload.toString("utf8")), length);
    });
  }

  #record(seq: number, text: string): LogRecord {
    const what = `log ${this.#stream}: record ${seq}`;
    let found: { readonly version?: unknown; readonly record?: LogRecord };
    try {
      found = JSON.parse(text) as typeof found;
    } catch (cause) {
      throw new CorruptDataError(`${what}: expected JSON`, { cause });
    }
    if (found.version !== LOG_VERSION || !found.record) {
      throw new CorruptDataError(`${what}: expected version ${LOG_VERSION}, found ${String(found.version)}`);
    }
    return found.record;
  }
}

function subjectOf(stream: string): string {
  return `hearth.log.${stream}`;
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

/** Logs in JetStream: several servers see the same rooms, and whoever leads one is found out by the fence of its log. */
import { describeError, OptionError, QuotaError } from "../../src/base/errors.ts";
import { JetStreamLog } from "./jet-stream-log.ts";
import type { LogStore, RoomLog, RoomRecord } from "./log-store.ts";
import { type NatsAddress, NatsConnection } from "./nats-connection.ts";

const NATS_PORT = 4_222;

/** Where the logs are, as `--log nats://[user:password@]host[:port][?replicas=3]` names it. */
export interface JetStreamAddress extends NatsAddress {
  readonly replicas: number;
}

/** @throws OptionError with one sentence */
export function parseLogAddress(text: string): JetStreamAddress {
  const url = URL.canParse(text) ? new URL(text) : null;
  const replicas = Number(url?.searchParams.get("replicas") ?? 1);
  if (url?.protocol !== "nats:" || url.hostname === "" || ![1, 3, 5].includes(replicas)) {
    throw new OptionError(
      `--log: expected an address like nats://host:${NATS_PORT} or nats://user:password@host?replicas=3, found "${text}".`,
    );
  }
  const rights =
    url.username === "" ? {} : { user: decodeURIComponent(url.username), password: decodeURIComponent(url.password) };
  return { host: url.hostname, port: Number(url.port || NATS_PORT), replicas, ...rights };
}

export class JetStreamStore implements LogStore {
  readonly #address: JetStreamAddress;
  #connection: NatsConnection | null = null;
  #opening: Promise<NatsConnection> | null = null;

  private constructor(address: JetStreamAddress) {
    this.#address = address;
  }

  /** @throws OptionError when nobody answers at `address`, or has no JetStream */
  static async open(address: JetStreamAddress): Promise<JetStreamStore> {
    const store = new JetStreamStore(address);
    try {
      await store.list();
      return store;
    } catch (cause) {
      await store.close();
      throw new OptionError(`--log: expected NATS with JetStream there, found ${describeError(cause)}.`, { cause });
    }
  }

  list(): Promise<readonly string[]> {
    return this.#with((connection) => JetStreamLog.list(connection));
  }

  has(room: string): Promise<boolean> {
    return this.#with((connection) => JetStreamLog.exists(connection, room));
  }

  async create(room: string, first: RoomRecord): Promise<void> {
    const { replicas } = this.#address;
    const log = await this.#with((connection) => JetStreamLog.create(connection, room, first, { replicas }));
    await log.close();
  }

  open(room: string): Promise<RoomLog> {
    return this.#with((connection) => JetStreamLog.open(connection, room));
  }

  async close(): Promise<void> {
    await this.#opening?.catch(() => {});
    this.#connection?.close();
  }

  async #with<T>(work: (connection: NatsConnection) => Promise<T>): Promise<T> {
    try {
      return await work(await this.#connected());
    } catch (cause) {
      const { code } = cause as { code?: string };
      if (code !== "aborted" && code !== "deadline" && code !== "protocol") throw cause;
      throw new QuotaError(`logs: expected JetStream to answer, found ${describeError(cause)}`, { cause });
    }
  }

  /** The connection at hand, or a new one where that has ended: rooms on the old one end with their next append. */
  async #connected(): Promise<NatsConnection> {
    if (this.#connection?.isOpen) return this.#connection;
    this.#opening ??= NatsConnection.open(this.#address).finally(() => (this.#opening = null));
    this.#connection = await this.#opening;
    return this.#connection;
  }
}

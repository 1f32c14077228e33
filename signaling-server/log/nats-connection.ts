/**
 * As much of NATS's client protocol as a log needs: one TCP connection, requests and their answers, headers.
 *
 * Text lines end with CR LF; a payload follows the line that announces its length. Source: docs.nats.io, "Client
 * Protocol". Chosen over a package: it is a hundred lines, and the log uses three verbs of it.
 */
import { randomUUID } from "node:crypto";
import { connect as connectTcp, type Socket } from "node:net";
import { AbortedError, DeadlineError, ProtocolError } from "../../src/base/errors.ts";

const END = "\r\n";
const ANSWER_MS_MAX = 5_000;
/** What a server takes in one message unless it says otherwise. */
const PAYLOAD_BYTES_MAX = 1024 * 1024;
/** Of answers to requests; subscriptions have other numbers. */
const INBOX_ID = "1";

/** Where a server is, and who asks. */
export interface NatsAddress {
  readonly host: string;
  readonly port: number;
  readonly user?: string;
  readonly password?: string;
}

/** An answer: its headers' first line where it has any ("NATS/1.0 503"), and its payload. */
export interface NatsMessage {
  readonly subject: string;
  readonly status: string;
  readonly payload: Buffer;
}

export class NatsConnection {
  readonly #socket: Socket;
  readonly #address: NatsAddress;
  readonly #inbox = `_INBOX.${randomUUID()}`;
  readonly #waiting = new Map<string, (message: NatsMessage | Error) => void>();
  readonly #listeners = new Map<number, (message: NatsMessage) => void>();
  readonly #onReady: (error: Error | null) => void;
  #buffer: Buffer = Buffer.alloc(0);
  #count = 1;
  #payloadBytesMax = PAYLOAD_BYTES_MAX;
  /** What the server objected to last. */
  #objection = "";

  private constructor(socket: Socket, address: NatsAddress, onReady: (error: Error | null) => void) {
    this.#socket = socket;
    this.#address = address;
    this.#onReady = onReady;
    socket.on("data", (data: Buffer) => this.#take(data));
    socket.on("error", (cause) => this.#fail(cause)).on("close", () => this.#fail(undefined));
  }

  /** Resolves when the server has let us in. @throws AbortedError when it is not there or refuses; DeadlineError */
  static open(address: NatsAddress): Promise<NatsConnection> {
    const where = `${address.host}:${address.port}`;
    return new Promise((resolve, reject) => {
      const socket = connectTcp({ host: address.host, port: address.port });
      const timer = setTimeout(() => {
        socket.destroy();
        reject(new DeadlineError(`NATS: expected ${where} to answer within ${ANSWER_MS_MAX} ms`));
      }, ANSWER_MS_MAX);
      const connection = new NatsConnection(socket, address, (error) => {
        clearTimeout(timer);
        if (error) reject(error);
        else resolve(connection);
      });
    });
  }

  /** False once it has ended, for good. */
  get isOpen(): boolean {
    return !this.#socket.destroyed;
  }

  /** What the server takes in one message, headers included. */
  get payloadBytesMax(): number {
    return this.#payloadBytesMax;
  }

  /** One request and its answer. @throws DeadlineError, AbortedError; ProtocolError when nobody serves `subject` */
  async request(
    subject: string,
    payload: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<NatsMessage> {
    if (!this.isOpen) throw this.#closed(undefined);
    const id = String(this.#count++);
    const answer = new Promise<NatsMessage>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(new DeadlineError(`NATS: expected an answer to ${subject} within ${ANSWER_MS_MAX} ms`));
      }, ANSWER_MS_MAX);
      this.#waiting.set(id, (result) => {
        clearTimeout(timer);
        if (result instanceof Error) reject(result);
        else resolve(result);
      });
    });
    this.#publish(subject, `${this.#inbox}.${id}`, payload, headers);
    const message = await answer;
    if (message.status.includes("503")) throw new ProtocolError(`NATS: nobody answers ${subject}: is JetStream on?`);
    return message;
  }

  /** Calls `onMessage` with everything published under `subject` from now on; the result ends it. */
  subscribe(subject: string, onMessage: (message: NatsMessage) => void): () => void {
    const id = ++this.#count;
    this.#listeners.set(id, onMessage);
    this.#write(`SUB ${subject} ${id}${END}`);
    return () => {
      this.#listeners.delete(id);
      this.#write(`UNSUB ${id}${END}`);
    };
  }

  close(): void {
    this.#socket.destroy();
  }

  #publish(subject: string, reply: string, payload: string, headers: Readonly<Record<string, string>>): void {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}${END}`);
    const body = Buffer.from(payload);
    if (lines.length === 0) {
      this.#write(`PUB ${subject} ${reply} ${body.length}${END}`);
    } else {
      const head = Buffer.from(`NATS/1.0${END}${lines.join("")}${END}`);
      this.#write(`HPUB ${subject} ${reply} ${head.length} ${head.length + body.length}${END}`);
      this.#socket.write(head);
    }
    this.#socket.write(body);
    this.#write(END);
  }

  #write(text: string): void {
    if (!this.#socket.destroyed) this.#socket.write(text);
  }

  #take(data: Buffer): void {
    this.#buffer = Buffer.concat([this.#buffer, data]);
    for (let end = this.#buffer.indexOf(END); end >= 0; end = this.#buffer.indexOf(END)) {
      const line = this.#buffer.toString("utf8", 0, end);
      const words = line.split(" ");
      const from = end + END.length;
      if (words[0] !== "MSG" && words[0] !== "HMSG") {
        this.#buffer = this.#buffer.subarray(from);
        this.#control(words[0] ?? "", line);
        continue;
      }
      const total = Number(words.at(-1));
      if (this.#buffer.length < from + total + END.length) return;
      this.#deliver(words, this.#buffer.subarray(from, from + total));
      this.#buffer = this.#buffer.subarray(from + total + END.length);
    }
  }

  #control(verb: string, line: string): void {
    if (verb === "PING") this.#write(`PONG${END}`);
    else if (verb === "PONG") this.#onReady(null);
    else if (verb === "-ERR") this.#objection = line.slice(verb.length + 1);
    else if (verb === "INFO") this.#greet(line.slice(verb.length + 1));
  }

  /** The server speaks first, and again when its cluster changes. */
  #greet(info: string): void {
    const { max_payload: payloadBytesMax } = JSON.parse(info) as { max_payload?: number };
    const isFirst = this.#objection === "" && this.#count === 1;
    this.#payloadBytesMax = payloadBytesMax ?? PAYLOAD_BYTES_MAX;
    if (!isFirst) return;
    this.#count += 1;
    const { user, password } = this.#address;
    const rights = user === undefined ? {} : { user, pass: password ?? "" };
    const options = { verbose: false, pedantic: false, headers: true, no_responders: true, lang: "ts", version: "1" };
    this.#write(`CONNECT ${JSON.stringify({ ...options, ...rights })}${END}`);
    // The answer to the PING says that we are in.
    this.#write(`SUB ${this.#inbox}.* ${INBOX_ID}${END}PING${END}`);
  }

  /** MSG subject sid [reply] bytes; HMSG subject sid [reply] header-bytes bytes. */
  #deliver(words: readonly string[], body: Buffer): void {
    const [verb, subject = "", sid = ""] = words;
    const headerBytes = verb === "HMSG" ? Number(words.at(-2)) : 0;
    const status = body.toString("utf8", 0, headerBytes).split(END)[0] ?? "";
    const message: NatsMessage = { subject, status, payload: Buffer.from(body.subarray(headerBytes)) };
    if (sid !== INBOX_ID) return this.#listeners.get(Number(sid))?.(message);
    const id = subject.slice(this.#inbox.length + 1);
    this.#waiting.get(id)?.(message);
    this.#waiting.delete(id);
  }

  #closed(cause: Error | undefined): AbortedError {
    const { host, port } = this.#address;
    const found = this.#objection || cause?.message || "it closed";
    return new AbortedError(`NATS: expected a connection to ${host}:${port}, found ${found}`, { cause });
  }

  #fail(cause: Error | undefined): void {
    const error = this.#closed(cause);
    this.#onReady(error);
    for (const settle of this.#waiting.values()) settle(error);
    this.#waiting.clear();
  }
}

/**
 * As much of NATS's client protocol as a log needs: one TCP connection, requests and their answers, headers.
 *
 * Text lines end with CR LF; a payload follows the line that announces its length. Source: docs.nats.io, "Client
 * Protocol". Chosen over a package: it is a hundred lines, and the log uses three verbs of it.
 */
import { connect as connectTcp, type Socket } from "node:net";
import { AbortedError, DeadlineError, ProtocolError } from "../../src/base/errors.ts";

const END = "\r\n";
const ANSWER_MS_MAX = 5_000;

/** An answer: its headers' first line where it has any ("NATS/1.0 503"), and its payload. */
export interface NatsMessage {
  readonly subject: string;
  readonly status: string;
  readonly payload: Buffer;
}

export class NatsConnection {
  readonly #socket: Socket;
  readonly #inbox: string;
  readonly #waiting = new Map<string, (message: NatsMessage | Error) => void>();
  readonly #listeners = new Map<number, (message: NatsMessage) => void>();
  #buffer: Buffer = Buffer.alloc(0);
  #count = 1;

  private constructor(socket: Socket, inbox: string) {
    this.#socket = socket;
    this.#inbox = inbox;
    socket.on("data", (data: Buffer) => this.#take(data));
    const fail = (): void => this.#fail(new AbortedError("NATS: the connection closed"));
    socket.on("error", fail).on("close", fail);
    const options = { verbose: false, pedantic: false, headers: true, no_responders: true, lang: "ts", version: "1" };
    this.#write(`CONNECT ${JSON.stringify(options)}${END}SUB ${inbox}.* 1${END}`);
  }

  /** @throws AbortedError when nobody listens there */
  static open(host: string, port: number, name: string): Promise<NatsConnection> {
    return new Promise((resolve, reject) => {
      const socket = connectTcp({ host, port });
      socket.once("error", (cause) => reject(new AbortedError(`NATS: no server at ${host}:${port}`, { cause })));
      socket.once("connect", () => resolve(new NatsConnection(socket, `_INBOX.${name}`)));
    });
  }

  /** One request and its answer. @throws DeadlineError, AbortedError; ProtocolError when nobody serves `subject` */
  async request(
    subject: string,
    payload: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<NatsMessage> {
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
      const words = this.#buffer.toString("utf8", 0, end).split(" ");
      const from = end + END.length;
      if (words[0] !== "MSG" && words[0] !== "HMSG") {
        this.#buffer = this.#buffer.subarray(from);
        if (words[0] === "PING") this.#write(`PONG${END}`);
        continue;
      }
      const total = Number(words.at(-1));
      if (this.#buffer.length < from + total + END.length) return;
      this.#deliver(words, this.#buffer.subarray(from, from + total));
      this.#buffer = this.#buffer.subarray(from + total + END.length);
    }
  }

  /** MSG subject sid [reply] bytes; HMSG subject sid [reply] header-bytes bytes. */
  #deliver(words: readonly string[], body: Buffer): void {
    const [verb, subject = "", sid = ""] = words;
    const headerBytes = verb === "HMSG" ? Number(words.at(-2)) : 0;
    const status = body.toString("utf8", 0, headerBytes).split(END)[0] ?? "";
    const message: NatsMessage = { subject, status, payload: Buffer.from(body.subarray(headerBytes)) };
    if (sid !== "1") return this.#listeners.get(Number(sid))?.(message);
    const id = subject.slice(this.#inbox.length + 1);
    this.#waiting.get(id)?.(message);
    this.#waiting.delete(id);
  }

  #fail(error: Error): void {
    for (const settle of this.#waiting.values()) settle(error);
    this.#waiting.clear();
  }
}

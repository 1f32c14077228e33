/** A whole server on a port of its own, and sockets that remember what they heard. */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WebSocket } from "ws";
import { openCoordinator } from "../../signaling-server/rooms/room-driver.ts";
import { type RunningServer, type ServerOptions, startServer } from "../../signaling-server/server.ts";
import { systemClock } from "../../src/base/clock.ts";
import { DeadlineError, PeerLostError } from "../../src/base/errors.ts";
import { withDeadline } from "../../src/base/wait.ts";
import type { ClientMessage, ServerMessage } from "../../src/network/wire/messages.ts";
import { DEFAULT_LIMITS } from "../../src/training/coordinator/protocol.ts";

const WAIT_MS = 5_000;

export interface TestServer extends RunningServer {
  readonly origin: string;
  readonly data: string;
  readonly logged: string[];
  /** Stops it and removes its data. */
  end(): Promise<void>;
}

export async function testServer(options: Partial<ServerOptions> = {}): Promise<TestServer> {
  const data = options.dataDirectory ?? (await mkdtemp(join(tmpdir(), "hearth-server-")));
  const logged: string[] = [];
  const server = await startServer({
    port: 0,
    dataDirectory: data,
    appDirectory: null,
    version: "1.2.3",
    clock: systemClock,
    random: randomBytes,
    limits: DEFAULT_LIMITS,
    open: openCoordinator,
    log: (line) => logged.push(line),
    ...options,
  });
  const end = async (): Promise<void> => {
    await server.stop();
    await rm(data, { recursive: true });
  };
  return { ...server, origin: `http://localhost:${server.port}`, data, logged, end };
}

export async function createRoom(origin: string, body: object = { run: "char-gpt", steps: 60 }): Promise<string> {
  const response = await fetch(`${origin}/api/rooms`, { method: "POST", body: JSON.stringify(body) });
  const { room } = (await response.json()) as { room: string };
  return room;
}

/** The value of a metric, 0 when it has no sample. */
export async function metric(origin: string, sample: string): Promise<number> {
  const text = await (await fetch(`${origin}/metrics`)).text();
  const line = text.split("\n").find((candidate) => candidate.startsWith(`${sample} `));
  return Number(line?.split(" ")[1] ?? 0);
}

export class TestSocket {
  readonly heard: ServerMessage[] = [];
  closed: { code: number; reason: string } | null = null;
  readonly socket: WebSocket;
  #wake: () => void = () => {};

  private constructor(url: string) {
    this.socket = new WebSocket(url);
    this.socket.on("message", (data: Buffer) => {
      this.heard.push(JSON.parse(data.toString()) as ServerMessage);
      this.#wake();
    });
    this.socket.on("close", (code, reason) => {
      this.closed = { code, reason: reason.toString() };
      this.#wake();
    });
    this.socket.on("error", () => {});
  }

  static async open(origin: string, ...messages: ClientMessage[]): Promise<TestSocket> {
    const opened = new TestSocket(`${origin.replace("http", "ws")}/coordinator`);
    await opened.#until("an open socket", () => opened.socket.readyState !== WebSocket.CONNECTING);
    for (const message of messages) opened.say(message);
    return opened;
  }

  say(message: ClientMessage | object): void {
    this.socket.send(JSON.stringify(message));
  }

  /** The first message of this kind, heard or to come. */
  async hear<K extends ServerMessage["kind"]>(kind: K): Promise<Extract<ServerMessage, { kind: K }>> {
    const find = (): ServerMessage | undefined => this.heard.find((message) => message.kind === kind);
    await this.#until(`"${kind}"`, () => find() !== undefined || this.closed !== null);
    const found = find();
    if (!found) throw new PeerLostError("server", `waiting for "${kind}": found ${JSON.stringify(this.closed)}`);
    return found as Extract<ServerMessage, { kind: K }>;
  }

  async untilClosed(): Promise<{ code: number; reason: string }> {
    await this.#until("a closed socket", () => this.closed !== null);
    return this.closed ?? { code: 0, reason: "" };
  }

  close(): void {
    this.socket.terminate();
  }

  async #until(what: string, isDone: () => boolean): Promise<void> {
    const endMs = systemClock.nowMs() + WAIT_MS;
    this.socket.once("open", () => this.#wake());
    while (!isDone()) {
      if (systemClock.nowMs() > endMs)
        throw new DeadlineError(`waiting for ${what}: found ${JSON.stringify(this.heard)}`);
      await withDeadline(what, new Promise<void>((resolve) => (this.#wake = resolve)), systemClock, {
        deadlineMs: WAIT_MS,
      });
    }
  }
}

/** Waits until `isDone`, looking again every 20 ms. */
export async function eventually(what: string, isDone: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = systemClock.nowMs() + WAIT_MS;
  while (!(await isDone())) {
    if (systemClock.nowMs() > endMs) throw new DeadlineError(`waiting for ${what}: expected it in ${WAIT_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

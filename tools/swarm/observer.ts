/**
 * An observer's connection to the coordinator: the run's lines as they come, through restarts of the server. It takes no
 * part in the run and the coordinator never waits for it.
 */
import { WebSocket } from "ws";
import type { Clock } from "../../src/base/clock.ts";
import { ProtocolError } from "../../src/base/errors.ts";
import { withDeadline } from "../../src/base/wait.ts";
import { PROTOCOL_VERSION, type RosterEntry, type ServerMessage } from "../../src/network/wire/messages.ts";
import type { RunLine } from "../../src/network/wire/run-line.ts";
import { LineRecorder, type Recorded } from "./line-recorder.ts";

const RECONNECT_MS = 250;
const WELCOME_MS_MAX = 20_000;
/** A server that says nothing, not even to a ping, is as good as away. */
const PING_MS = 5_000;

export interface ObserverOptions {
  readonly origin: string;
  readonly room: string;
  /** Of the run's earlier part, when it is resumed. */
  readonly earlier: readonly RunLine[];
  readonly clock: Clock;
  readonly onRecorded: (recorded: Recorded) => void;
  readonly onRoster: (members: readonly RosterEntry[]) => void;
  /** Final: the server will not have us. */
  readonly onRefused: (reason: string) => void;
}

export class Observer {
  readonly recorder: LineRecorder;
  readonly #options: ObserverOptions;
  readonly #peer: string;
  #socket: WebSocket | null = null;
  #isClosed = false;
  #cancel: () => void = () => {};
  #hasWelcome = false;
  readonly #welcomed: Promise<void>;
  #onWelcomed: () => void = () => {};
  #onFailed: (error: Error) => void = () => {};

  constructor(options: ObserverOptions) {
    this.#options = options;
    this.#peer = `observer-${crypto.randomUUID()}`;
    this.recorder = new LineRecorder(options.earlier);
    this.#welcomed = new Promise((resolve, reject) => {
      this.#onWelcomed = resolve;
      this.#onFailed = reject;
    });
    this.#welcomed.catch(() => {});
    this.#connect();
  }

  /** Resolves when the room has let us in. @throws DeadlineError, ProtocolError when it refuses */
  welcomed(): Promise<void> {
    return withDeadline("observing the room", this.#welcomed, this.#options.clock, { deadlineMs: WELCOME_MS_MAX });
  }

  get isConnected(): boolean {
    return this.#hasWelcome;
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel();
    this.#socket?.terminate();
  }

  #connect(): void {
    const socket = new WebSocket(`${this.#options.origin.replace("http", "ws")}/coordinator`);
    this.#socket = socket;
    socket.on("open", () => {
      const info = { peer: this.#peer, device: "observer", engine: "observer" };
      const { room } = this.#options;
      socket.send(JSON.stringify({ kind: "hello", protocol: PROTOCOL_VERSION, room, role: "observer", info }));
      this.#ping(socket);
    });
    socket.on("message", (data: Buffer) => {
      if (!this.#isClosed && socket === this.#socket) this.#receive(data.toString());
    });
    socket.on("error", () => {}); // "close" follows, and says enough.
    socket.on("close", () => {
      if (this.#isClosed || socket !== this.#socket) return;
      this.#hasWelcome = false;
      this.#cancel();
      this.#cancel = this.#options.clock.after(RECONNECT_MS, () => this.#connect());
    });
  }

  #ping(socket: WebSocket): void {
    let isAnswered = true;
    socket.on("pong", () => (isAnswered = true));
    const beat = (): void => {
      if (socket !== this.#socket || socket.readyState !== WebSocket.OPEN) return;
      if (!isAnswered) return socket.terminate();
      isAnswered = false;
      socket.ping();
      this.#cancel = this.#options.clock.after(PING_MS, beat);
    };
    this.#cancel = this.#options.clock.after(PING_MS, beat);
  }

  #receive(text: string): void {
    const message = parse(text);
    if (!message) return this.#socket?.terminate(); // And connect again.
    switch (message.kind) {
      case "welcome":
        this.#hasWelcome = true;
        this.#options.onRecorded(this.recorder.onWelcome(message));
        return this.#onWelcomed();
      case "event":
        return this.#options.onRecorded(this.recorder.onLine(message.line));
      case "roster":
        return this.#options.onRoster(message.members);
      case "refused":
        this.#onFailed(new ProtocolError(`observing the room: ${message.reason}`));
        this.close();
        return this.#options.onRefused(message.reason);
      default: // The rest is for members.
    }
  }
}

/** Our own child's words, which checked what it was told: this end only reports. */
function parse(text: string): ServerMessage | null {
  try {
    return JSON.parse(text) as ServerMessage;
  } catch {
    return null;
  }
}

/** A tab that helps any run of a server: waits in its pool, and is told which room to join, when to leave it, and why. */
import { wrap } from "comlink";
import { systemClock } from "../../base/clock.ts";
import { UnsupportedError } from "../../base/errors.ts";
import { withDeadline } from "../../base/wait.ts";
import { PROTOCOL_VERSION } from "../../network/wire/messages.ts";
import {
  parsePoolServerMessage,
  POOL_PATH,
  type PoolClientMessage,
  type PoolServerMessage,
} from "../../network/wire/pool-message.ts";
import type { DiskService } from "./disk.ts";

const RETRY_MS_MIN = 250;
const RETRY_MS_MAX = 4_000;
const OPEN_MS_MAX = 8_000;
const NAME_MS_MAX = 20_000;

/** What this tab can help with, and for how long. */
export interface PoolOptions {
  /** Names of the runs that this site serves. */
  readonly programs: readonly string[];
  readonly signal?: AbortSignal;
}

/** Where this tab stands in the pool. */
export interface PoolView {
  readonly phase: "connecting" | "waiting" | "assigned" | "stopped";
  /** The room to be in; null for none. */
  readonly room: string | null;
  /** The server's reason, one sentence or two. */
  readonly reason: string;
}

/** One tab in a pool. Dispatches "view" whenever `view` changed; whoever shows it joins and leaves the room that it names. */
export class PoolTab extends EventTarget {
  readonly #url: URL;
  readonly #device: string;
  readonly #programs: readonly string[];
  #socket: WebSocket | null = null;
  #cancelTimer: () => void = () => {};
  #retryMs = RETRY_MS_MIN;
  #view: PoolView = { phase: "connecting", room: null, reason: "Connecting to the server." };

  constructor(origin: URL, device: string, programs: readonly string[]) {
    super();
    this.#url = new URL(POOL_PATH, origin);
    this.#url.protocol = origin.protocol === "https:" ? "wss:" : "ws:";
    this.#device = device;
    this.#programs = programs;
  }

  get view(): PoolView {
    return this.#view;
  }

  /** Opens the socket, and again with growing pauses for as long as this tab is in the pool. */
  open(): void {
    if (this.#view.phase === "stopped" || this.#socket) return;
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    this.#after(OPEN_MS_MAX, () => this.#drop(socket));
    socket.onopen = () => {
      this.#cancelTimer();
      const { room } = this.#view;
      const who = { protocol: PROTOCOL_VERSION, device: this.#device, programs: this.#programs };
      this.#say({ kind: "hello", ...who, room });
    };
    socket.onmessage = ({ data }: MessageEvent<unknown>) => this.#receive(socket, data);
    socket.onclose = () => this.#drop(socket);
  }

  /** Out of the room that it was in; `problem` where it could not take part. */
  idle(problem: string | null): void {
    if (this.#view.phase === "stopped") return;
    this.#show({ phase: "waiting", room: null, reason: problem ?? "Waiting for a run that needs this tab." });
    this.#say({ kind: "idle", problem: problem === null ? null : problem.slice(0, 500) });
  }

  /** Helps no more. */
  close(reason = "This tab helps no more."): void {
    this.#show({ phase: "stopped", room: null, reason });
    this.#cancelTimer();
    this.#socket?.close(1000, "leaving");
    this.#socket = null;
  }

  #say(message: PoolClientMessage): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #receive(socket: WebSocket, data: unknown): void {
    if (socket !== this.#socket) return;
    this.#retryMs = RETRY_MS_MIN;
    try {
      this.#hear(parsePoolServerMessage(String(data)));
    } catch {
      this.#drop(socket); // Something else than expected: a fresh socket begins anew.
    }
  }

  #hear(message: PoolServerMessage): void {
    const { reason } = message;
    switch (message.kind) {
      case "waiting":
        return this.#show({ phase: "waiting", room: null, reason });
      case "assign":
        return this.#show({ phase: "assigned", room: message.room, reason });
      case "release":
        // Whoever shows the view leaves the room now, and then says `idle`.
        return this.#show({ phase: "waiting", room: null, reason });
      case "refused":
        return this.close(reason);
      default:
        message satisfies never;
    }
  }

  #drop(socket: WebSocket): void {
    if (socket !== this.#socket) return;
    this.#socket = null;
    socket.onclose = null;
    socket.close();
    if (this.#view.room === null) {
      this.#show({ phase: "connecting", room: null, reason: "The server does not answer: this tab tries again." });
    }
    this.#after(this.#retryMs, () => this.open());
    this.#retryMs = Math.min(RETRY_MS_MAX, this.#retryMs * 2);
  }

  #after(ms: number, callback: () => void): void {
    this.#cancelTimer();
    this.#cancelTimer = systemClock.after(ms, callback);
  }

  #show(view: PoolView): void {
    this.#view = view;
    this.dispatchEvent(new Event("view"));
  }
}

/** Enters the pool of the server at `origin`; views follow. @throws UnsupportedError and others where this browser stores nothing */
export async function joinPool(origin: string | URL, options: PoolOptions): Promise<PoolTab> {
  const tab = new PoolTab(new URL(origin), await ownDeviceId(), options.programs);
  options.signal?.addEventListener("abort", () => tab.close(), { once: true });
  if (options.signal?.aborted) tab.close();
  tab.open();
  return tab;
}

/**
 * The name that this browser's tabs have in rooms too: the pool knows by it who holds which part of a checkpoint. The
 * worker that keeps checkpoints tells it, since pages carry no stores.
 */
async function ownDeviceId(): Promise<string> {
  const worker = new Worker(new URL("./disk-worker.ts", import.meta.url), { type: "module", name: "hearth disk" });
  const failure = new Promise<never>((_, reject) => {
    worker.onerror = ({ message }) =>
      reject(new UnsupportedError(`The worker that keeps checkpoints could not be started: ${message}`));
  });
  try {
    const opened = wrap<DiskService>(worker).open(crypto.randomUUID());
    const { device } = await withDeadline("opening the disk", Promise.race([opened, failure]), systemClock, {
      deadlineMs: NAME_MS_MAX,
    });
    return device;
  } finally {
    worker.terminate();
  }
}

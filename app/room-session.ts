/** One tab's part in one room, from opening to leaving: a Lit controller around `join`. */
import type { ReactiveController, ReactiveControllerHost } from "lit";
import { join } from "hearth/swarm";
import type { Run } from "hearth/swarm";
import type { RoomView } from "hearth/elements";
import { missingFeature } from "./platform.ts";
import { SERVER_AWAY, isServerThere, untilServerThere } from "./server-health.ts";

const DEVICES = ["auto", "webgpu", "wasm", "reference"] as const;
const PATHS = ["auto", "webrtc"] as const;

/** Joins when its host appears and knows the room, and leaves when it goes. */
export class RoomSession implements ReactiveController {
  /** The newest view; null until the room answers. */
  view: RoomView | null = null;
  /** Why this tab is not in the room, in one sentence. */
  problem: string | null = null;

  readonly #host: ReactiveControllerHost;
  readonly #changed: () => void;
  readonly #room: () => string;
  #end = new AbortController();
  #run: Run | null = null;
  /** The room that was last to be joined. */
  #entered = "";
  /** As people set it: it holds for the next join too. */
  #memoryBudgetMiB: number | null = null;
  #share = 1;

  constructor(host: ReactiveControllerHost, room: () => string, changed: () => void) {
    this.#host = host;
    this.#room = room;
    this.#changed = changed;
    host.addController(this);
  }

  hostConnected(): void {
    this.enter();
  }

  /** Joins the room unless that has been done: a page whose code loads late knows its room only at its first update. */
  enter(): void {
    if (this.#room() !== "" && this.#room() !== this.#entered) void this.join();
  }

  hostDisconnected(): void {
    this.#entered = "";
    this.#end.abort();
    this.#run = null;
  }

  /** Joins the room, and leaves the one before. */
  async join(): Promise<void> {
    this.#end.abort();
    this.#end = new AbortController();
    this.#entered = this.#room();
    const { signal } = this.#end;
    this.#run = null;
    this.view = null;
    this.#say(missingFeature());
    if (this.problem !== null) return;
    try {
      const memoryBudgetMiB = this.#memoryBudgetMiB;
      const asked = {
        device: askedFor("device", DEVICES),
        paths: askedFor("paths", PATHS),
        iceTransportPolicy: iceTransportPolicyAsked(),
      };
      const run = await join(new URL(`/room/${this.#room()}`, location.origin), {
        worker: startEngine,
        ...asked,
        memoryBudgetMiB,
        share: this.#share,
        signal,
      });
      if (signal.aborted) return void run.leave();
      this.#run = run;
      run.addEventListener("view", () => this.#show(run));
      this.#show(run);
    } catch (error) {
      if (!signal.aborted) await this.#explain(error, signal);
    }
  }

  /** Runs one of the run's commands; a failure becomes the sentence that people see. */
  async command(act: (run: Run) => Promise<void>): Promise<void> {
    if (!this.#run) return;
    try {
      await act(this.#run);
      this.#say(null);
    } catch (error) {
      this.#say(sentenceOf(error));
    }
  }

  /** The most device memory that this tab takes, in this room and the next; null for no limit. */
  async setMemoryBudget(mebibytes: number | null): Promise<void> {
    this.#memoryBudgetMiB = mebibytes;
    await this.command((run) => run.setMemoryBudget(mebibytes));
  }

  /** The part of the device's time that this tab gives, in this room and the next. */
  async setShare(share: number): Promise<void> {
    this.#share = share;
    await this.command((run) => run.setShare(share));
  }

  /** So many minutes from now this tab leaves by itself; null for no end. */
  async setMinutes(minutes: number | null): Promise<void> {
    await this.command((run) => run.setMinutes(minutes));
  }

  #show(run: Run): void {
    if (run !== this.#run) return;
    this.view = run.view;
    this.#changed();
  }

  #say(problem: string | null): void {
    this.problem = problem;
    this.#host.requestUpdate();
  }

  /** A failed join is the server's absence more often than anything else: then this waits, and joins by itself. */
  async #explain(error: unknown, signal: AbortSignal): Promise<void> {
    if (await isServerThere()) return this.#say(sentenceOf(error));
    if (signal.aborted) return;
    this.#say(`${SERVER_AWAY} This tab joins as soon as it answers.`);
    await untilServerThere(signal);
    if (!signal.aborted) await this.join();
  }
}

/** `?device=webgpu`, `?paths=webrtc` and so on; anything else is left to hearth. */
function askedFor<T extends string>(name: string, choices: readonly T[]): T | "auto" {
  const asked = new URLSearchParams(location.search).get(name);
  return choices.find((choice) => choice === asked) ?? "auto";
}

/** `?ice=relay`: by TURN servers alone. */
function iceTransportPolicyAsked(): RTCIceTransportPolicy {
  return new URLSearchParams(location.search).get("ice") === "relay" ? "relay" : "all";
}

function startEngine(): Worker {
  return new Worker(new URL("./engine.ts", import.meta.url), { type: "module", name: "hearth engine" });
}

/** The message that hearth's errors carry; they are written for people. */
function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The page's side of a room: starts the engine worker, keeps what only a page can (WebRTC), and shows views. */
import { proxy, transfer, wrap, type Remote } from "comlink";
import { OptionError } from "../../base/errors.ts";
import type { DeviceChoice, EngineApi } from "./engine-api.ts";
import { offeredFiles } from "./create-room.ts";
import { initialView } from "./room-model.ts";
import type { RoomView } from "./room-view.ts";
import { RtcPage } from "./rtc-page.ts";

/** How a page takes part. */
export interface JoinOptions {
  /** The app's engine worker: it calls `serveEngine` with the runs that the app serves. */
  readonly worker: () => Worker;
  /** `auto` by default: a hardware GPU where there is one, else the CPU. */
  readonly device?: DeviceChoice;
  /** The most device memory that this tab takes; no limit unless told. `Run.setMemoryBudget` changes it. */
  readonly memoryBudgetMiB?: number | null;
  readonly signal?: AbortSignal;
}

/** What a run is started with. */
export interface StartOptions {
  readonly device: DeviceChoice;
  /** What may be taken from the GPU; null for no limit. */
  readonly memoryBudgetMiB: number | null;
}

/** How often the page tells the engine what the browser counted. */
const COUNT_MS = 2_000;

/** One tab's part in a room. Dispatches "view" whenever `view` changed. */
export class Run extends EventTarget {
  #view: RoomView;
  readonly #worker: Worker;
  readonly #engine: Remote<EngineApi>;
  readonly #page: RtcPage;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(worker: Worker, page: RtcPage, self: string) {
    super();
    this.#worker = worker;
    this.#engine = wrap<EngineApi>(worker);
    this.#page = page;
    this.#view = initialView(self);
  }

  /** The newest view of the room. */
  get view(): RoomView {
    return this.#view;
  }

  /** Starts the engine; views follow. */
  async start(room: string, url: URL, options: StartOptions): Promise<void> {
    const coordinator = new URL("/coordinator", url);
    coordinator.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    this.#worker.addEventListener("error", (event) => this.#fail(event.message || "The engine could not be loaded."));
    addEventListener("pagehide", this.#farewell);
    const rtc = this.#page.port;
    const { device, memoryBudgetMiB } = options;
    const start = { room, peer: this.#view.self, coordinatorUrl: coordinator.href, device, memoryBudgetMiB, rtc };
    await this.#engine.start(
      transfer(start, [rtc]),
      proxy((view: RoomView) => this.#show(view)),
    );
    this.#timer = setInterval(() => void this.#count(), COUNT_MS);
    for (const file of offeredFiles()) await this.#engine.offerFile(file).catch(() => {}); // Another room's file.
  }

  /** Out until `resume`; the others go on. */
  async pause(): Promise<void> {
    await this.#engine.pause();
  }

  /** Goes on after `pause`. */
  async resume(): Promise<void> {
    await this.#engine.resume();
  }

  /** Leaves for good and frees everything. */
  async leave(): Promise<void> {
    await this.#engine.leave();
    this.#end();
  }

  /** The room's data file, when `view.needsFile` asks for it. @throws OptionError */
  async offerFile(file: Blob): Promise<void> {
    await this.#engine.offerFile(file);
  }

  /** Asks for a sample of the model as it is now. */
  async sampleNow(): Promise<void> {
    await this.#engine.sampleNow();
  }

  /** The most device memory that this tab takes from now on; null for no limit. @throws OptionError */
  async setMemoryBudget(mebibytes: number | null): Promise<void> {
    await this.#engine.setMemoryBudget(checkedBudget(mebibytes));
  }

  readonly #farewell = (): void => void this.#engine.leave();

  async #count(): Promise<void> {
    await this.#engine.browserCounted(await this.#page.browserBytesSent());
  }

  #show(view: RoomView): void {
    const hasFinished = view.phase === "finished" && this.#view.phase !== "finished";
    this.#view = view;
    document.documentElement.dataset["phase"] = view.phase;
    document.documentElement.dataset["peer"] = view.self;
    document.documentElement.dataset["note"] = view.problem ?? view.note;
    document.documentElement.dataset["bytes"] = `${view.bytesSent}/${view.bytesSentByBrowser}`;
    document.documentElement.dataset["engine"] = view.engine ? `${view.engine.kind}: ${view.engine.reason}` : "";
    this.dispatchEvent(new Event("view"));
    if (hasFinished) void this.#count();
    if (view.phase === "stopped") this.#end();
  }

  #fail(problem: string): void {
    this.#show({ ...this.#view, phase: "stopped", note: problem, problem });
  }

  #end(): void {
    clearInterval(this.#timer);
    removeEventListener("pagehide", this.#farewell);
    this.#page.close();
    // The engine says its last words to the server before it goes.
    setTimeout(() => this.#worker.terminate(), 500);
  }
}

/**
 * Joins the room at `roomUrl` (`https://host/room/<id>`): this tab becomes a member as soon as it is prepared.
 * @throws OptionError when the address is no room's
 */
export async function join(roomUrl: string | URL, options: JoinOptions): Promise<Run> {
  const url = new URL(roomUrl);
  const room = /^\/room\/([\w-]+)\/?$/.exec(url.pathname)?.[1];
  if (!room) throw new OptionError(`join: expected an address like ${url.origin}/room/<id>, found ${url.pathname}`);
  const memoryBudgetMiB = checkedBudget(options.memoryBudgetMiB ?? null);
  options.signal?.throwIfAborted();
  const peer = `tab-${crypto.randomUUID()}`;
  const page = await RtcPage.open({ self: peer, server: url });
  const run = new Run(options.worker(), page, peer);
  options.signal?.addEventListener("abort", () => void run.leave(), { once: true });
  await run.start(room, url, { device: options.device ?? "auto", memoryBudgetMiB });
  return run;
}

/** @throws OptionError when it is no amount of memory */
function checkedBudget(mebibytes: number | null): number | null {
  if (mebibytes === null || (Number.isFinite(mebibytes) && mebibytes > 0)) return mebibytes;
  throw new OptionError(`memory budget: expected mebibytes above 0, or null for no limit, found ${mebibytes}`);
}

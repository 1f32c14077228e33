/** The page's side of a room: starts the engine worker, keeps what only a page can (WebRTC), and shows views. */
import type { Bytes } from "../../base/bytes.ts";
import { proxy, transfer, wrap, type Remote } from "comlink";
import { systemClock } from "../../base/clock.ts";
import { OptionError } from "../../base/errors.ts";
import { createIdentity, type Identity } from "../../network/transport/websocket-relay/identity.ts";
import type { DeviceChoice, EngineApi } from "./engine-api.ts";
import { offeredFiles } from "./create-room.ts";
import { initialView } from "./room-model.ts";
import type { RoomView } from "./room-view.ts";
import { openPortExchange } from "./port-exchange.ts";
import { checkedShare, OfferWatch, pageSources, type OfferHooks, type OwnLimits } from "./offer-watch.ts";
import { RtcPage } from "./rtc-page.ts";

/** How a page takes part. */
export interface JoinOptions {
  /** The app's engine worker: it calls `serveEngine` with the runs that the app serves. */
  readonly worker: () => Worker;
  /** `auto` by default: a hardware GPU where there is one, else the CPU. */
  readonly device?: DeviceChoice;
  /** The most device memory that this tab takes; no limit unless told. `Run.setMemoryBudget` changes it. */
  readonly memoryBudgetMiB?: number | null;
  /** The part of the device's time that this tab gives, more than 0 and at most 1, which is what it is unless told. */
  readonly share?: number;
  /** After so many minutes this tab hands over and leaves by itself. */
  readonly minutes?: number | null;
  /** `auto` by default: MessagePorts to tabs of the same browser, WebRTC to all others. */
  readonly paths?: PathChoice;
  /** STUN and TURN servers besides those that the room's server names. */
  readonly iceServers?: readonly RTCIceServer[];
  /** `relay`: by TURN servers alone, so that others do not learn this network's addresses. `all` unless told. */
  readonly iceTransportPolicy?: RTCIceTransportPolicy;
  readonly signal?: AbortSignal;
}

/** How other tabs may be reached. */
export type PathChoice = "auto" | "webrtc";

/** What a run is started with. */
export interface StartOptions {
  readonly device: DeviceChoice;
  /** What may be taken from the GPU; null for no limit. */
  readonly memoryBudgetMiB: number | null;
  readonly share: number;
  readonly minutes: number | null;
  readonly paths: PathChoice;
}

/** Two weeks: timers of browsers end at 24 days. */
const MINUTES_MAX = 14 * 24 * 60;
/** How often the page tells the engine what the browser counted. */
const COUNT_MS = 2_000;

/** One tab's part in a room. Dispatches "view" whenever `view` changed. */
export class Run extends EventTarget {
  #view: RoomView;
  readonly #worker: Worker;
  readonly #engine: Remote<EngineApi>;
  readonly #page: RtcPage;
  readonly #identity: Identity;
  #timer: ReturnType<typeof setInterval> | undefined;
  #isAbandoned = false;
  #offers: OfferWatch | null = null;

  constructor(worker: Worker, page: RtcPage, identity: Identity) {
    super();
    this.#identity = identity;
    this.#worker = worker;
    this.#engine = wrap<EngineApi>(worker);
    this.#page = page;
    this.#view = initialView(identity.peer);
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
    const { device, memoryBudgetMiB, share, minutes, paths } = options;
    const ports = paths === "webrtc" ? null : openPortExchange();
    const start = {
      room,
      identity: this.#identity,
      coordinatorUrl: coordinator.href,
      device,
      memoryBudgetMiB,
      share,
      rtc,
      ports,
    };
    await this.#engine.start(
      transfer(start, ports === null ? [rtc] : [rtc, ports]),
      proxy((view: RoomView) => this.#show(view)),
    );
    this.#timer = setInterval(() => void this.#count(), COUNT_MS);
    this.#watchOffer({ memoryBudgetMiB, share, minutes });
    void this.#askToKeep();
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

  /**
   * The newest checkpoint since this tab took part, as a safetensors file: parameters by name, optimizer state under
   * "optimizer.<vector>.<name>". Training goes on.
   * @throws UnsupportedError where there is none yet; MissingDataError when members that have parts of it left
   */
  async exportCheckpoint(): Promise<Bytes> {
    return this.#engine.exportCheckpoint();
  }

  /**
   * Hands this tab's part over to the others, which takes a step and a few seconds more, then leaves for good and frees
   * everything. Called again meanwhile, it leaves at once.
   */
  async leave(): Promise<void> {
    await this.#engine.leave(false);
  }

  /** Leaves in peace, without a word to the page, which shows something else by now. */
  async abandon(): Promise<void> {
    document.documentElement.dataset["phase"] = "stopped";
    this.#isAbandoned = true;
    await this.#engine.leave(false);
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
    const memoryBudgetMiB = checkedBudget(mebibytes);
    this.#offers?.change({ memoryBudgetMiB });
    await this.#engine.setMemoryBudget(memoryBudgetMiB);
  }

  /** The part of the device's time that this tab gives from the next slot on, over 0 and at most 1. @throws OptionError */
  async setShare(share: number): Promise<void> {
    this.#offers?.change({ share: checkedShare(share) });
    await this.#engine.setShare(share);
  }

  /** So many minutes from now this tab hands over and leaves by itself; null for no end. @throws OptionError */
  async setMinutes(minutes: number | null): Promise<void> {
    this.#offers?.change({ minutes: checkedMinutes(minutes) });
  }

  #watchOffer(limits: OwnLimits): void {
    if (this.#view.phase === "stopped") return;
    const hooks: OfferHooks = {
      tell: (offer) => void this.#engine.offered(offer),
      leave: (reason) => void this.#engine.leave(false, reason),
      pause: () => {
        if (this.#view.phase === "paused") return false;
        void this.pause();
        return true;
      },
      resume: () => void this.resume(),
    };
    this.#offers = new OfferWatch(limits, hooks, pageSources(systemClock));
  }

  readonly #farewell = (): void => void this.#engine.leave(true);

  /** Some browsers ask the person, who may take their time. */
  async #askToKeep(): Promise<void> {
    const isPersistent = await navigator.storage?.persist?.().catch(() => false);
    if (isPersistent !== undefined) await this.#engine.storagePersists(isPersistent);
  }

  async #count(): Promise<void> {
    await this.#engine.browserCounted(await this.#page.browserBytesSent());
  }

  #show(view: RoomView): void {
    const hasFinished = view.phase === "finished" && this.#view.phase !== "finished";
    this.#view = view;
    if (view.phase === "stopped") this.#end();
    if (this.#isAbandoned) return;
    document.documentElement.dataset["phase"] = view.phase;
    document.documentElement.dataset["peer"] = view.self;
    document.documentElement.dataset["note"] = view.problem ?? view.note;
    document.documentElement.dataset["bytes"] = `${view.bytesSent}/${view.bytesSentByBrowser}`;
    document.documentElement.dataset["iceRestarts"] = `${this.#page.iceRestarts}`;
    document.documentElement.dataset["lanes"] = [...this.#page.lanes.values()].join(" ");
    document.documentElement.dataset["engine"] = view.engine ? `${view.engine.kind}: ${view.engine.reason}` : "";
    this.dispatchEvent(new Event("view"));
    if (hasFinished) void this.#count();
  }

  #fail(problem: string): void {
    this.#show({ ...this.#view, phase: "stopped", note: problem, problem });
  }

  #end(): void {
    clearInterval(this.#timer);
    this.#offers?.close();
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
  const share = checkedShare(options.share ?? 1);
  const minutes = checkedMinutes(options.minutes ?? null);
  options.signal?.throwIfAborted();
  const identity = await createIdentity("tab");
  const { iceServers = [], iceTransportPolicy = "all" } = options;
  const page = await RtcPage.open({ self: identity.peer, server: url, iceServers, iceTransportPolicy });
  const run = new Run(options.worker(), page, identity);
  options.signal?.addEventListener("abort", () => void run.abandon(), { once: true });
  const { device = "auto", paths = "auto" } = options;
  await run.start(room, url, { device, memoryBudgetMiB, share, minutes, paths });
  return run;
}

/** @throws OptionError when it is no time */
function checkedMinutes(minutes: number | null): number | null {
  if (minutes === null || (minutes > 0 && minutes <= MINUTES_MAX)) return minutes;
  throw new OptionError(
    `minutes: expected a time above 0 and at most ${MINUTES_MAX}, or null for no end, found ${minutes}`,
  );
}

/** @throws OptionError when it is no amount of memory */
function checkedBudget(mebibytes: number | null): number | null {
  if (mebibytes === null || (Number.isFinite(mebibytes) && mebibytes > 0)) return mebibytes;
  throw new OptionError(`memory budget: expected mebibytes above 0, or null for no limit, found ${mebibytes}`);
}

/**
 * The engine worker: device, model, links, disk and the member that drives them, behind `EngineApi`. It owns the clock of
 * the run, since the timers of a hidden page slow down and a worker's do not.
 */
import { expose, transfer, type Remote } from "comlink";
import type { Bytes } from "../../base/bytes.ts";
import { systemClock } from "../../base/clock.ts";
import { describeError, OptionError } from "../../base/errors.ts";
import type { Device } from "../../compute/device/device.ts";
import { RuntimeTuning } from "../../compute/runtime/runtime-tuning.ts";
import { memorySnapshot } from "../../compute/tensor/memory.ts";
import { BlobExchange } from "../../network/blob-exchange.ts";
import { Mux } from "../../network/mux.ts";
import type { PeerId } from "../../network/transport/transport.ts";
import type { ByteCounts } from "../../network/wire/run-line.ts";
import type { Offer, ServerMessage } from "../../network/wire/messages.ts";
import type { RunSpec } from "../../network/wire/run-spec.ts";
import type { Chunks } from "../../training/checkpoint/chunks.ts";
import { importVersion } from "../../training/checkpoint/import-state.ts";
import { Member } from "../../training/member.ts";
import { throttled } from "../../training/throttle.ts";
import { Trainer } from "../../training/parallel/data/trainer.ts";
import type { RunDefinition } from "../../training/run-definition.ts";
import { CoordinatorSocket } from "./coordinator-socket.ts";
import { openDisk } from "./disk.ts";
import type { EngineApi, EngineStart } from "./engine-api.ts";
import { tuneWhenIdle } from "../tune-when-idle.ts";
import type { ChosenDevice } from "../choice/choose-device.ts";
import { openDevice } from "./open-device.ts";
import { openSoundDevice } from "./open-sound-device.ts";
import { replaceDevice } from "./replace-device.ts";
import { LinkWatch } from "./link-watch.ts";
import { MemoryWatch } from "./memory-watch.ts";
import { RoomData } from "./room-data.ts";
import { initialView, logged, phase, viewAfter } from "./room-model.ts";
import type { RoomView } from "./room-view.ts";
import { RoomTransport } from "./room-transport.ts";
import { tuningDatabase } from "./tuning-database.ts";

/** Views go to the page this seldom: people read no faster, and the page has better things to do. */
const VIEW_MS = 250;
/** Samples of the model come this many steps apart, and take at most this share of the time: they are for people. */
const SAMPLE_STEPS = 20;
const SAMPLE_SHARE_MAX = 0.03;

const MEBIBYTE = 1024 * 1024;

type AnyRun = RunDefinition;

/** Serves the page that made this worker. `runs` are all that the room may ask for: peers send data, never code. */
export function serveEngine(runs: Readonly<Record<string, AnyRun>>): void {
  let engine: Engine | null = null;
  const started = (): Engine => {
    if (!engine) throw new OptionError("engine: not started");
    return engine;
  };
  const api: EngineApi = {
    start: async (options, onView) => {
      engine = await Engine.start(runs, options, onView as unknown as Remote<(view: RoomView) => void>);
    },
    pause: async () => started().pause(),
    resume: async () => started().resume(),
    offered: async (offer) => started().offered(offer),
    leave: async (isHasty, reason) => started().leave(isHasty, reason),
    exportCheckpoint: async () => {
      const file = await started().exportCheckpoint();
      return transfer(file, [file.buffer]);
    },
    offerFile: async (file) => started().offerFile(file),
    sampleNow: async () => started().sample(),
    setMemoryBudget: async (mebibytes) => started().setMemoryBudget(mebibytes),
    setShare: async (share) => started().setShare(share),
    browserCounted: async (bytes) => started().browserCounted(bytes),
    storagePersists: async (isPersistent) => started().storagePersists(isPersistent),
  };
  expose(api);
}

class Engine {
  readonly #runs: Readonly<Record<string, AnyRun>>;
  readonly #options: EngineStart;
  readonly #onView: Remote<(view: RoomView) => void>;
  readonly #end = new AbortController();
  readonly #socket: CoordinatorSocket;
  readonly #transport: RoomTransport;
  readonly #mux: Mux;
  readonly #data: RoomData;
  readonly #member: Member;
  #view: RoomView;
  #cancelView: (() => void) | null = null;
  #peers: readonly PeerId[] = [];
  #trainer: Trainer | null = null;
  #memoryBudgetBytes: number | null;
  #memoryWatch: MemoryWatch | null = null;
  #share: number;
  readonly #linkWatch: LinkWatch;
  #isPreparing = false;
  #isLeaving = false;
  #offer: Offer | null = null;
  #sampledAt = 0;
  #nextSampleMs = 0;

  static async start(
    runs: Readonly<Record<string, AnyRun>>,
    options: EngineStart,
    onView: Remote<(view: RoomView) => void>,
  ): Promise<Engine> {
    const { chunks, kind, reason, device } = await openDisk(options.identity.peer);
    const engine = new Engine(runs, options, onView, chunks, device);
    engine.update({ storage: { kind, reason, isPersistent: null } });
    return engine;
  }

  private constructor(
    runs: Readonly<Record<string, AnyRun>>,
    options: EngineStart,
    onView: Remote<(view: RoomView) => void>,
    chunks: Chunks,
    device: string,
  ) {
    const clock = systemClock;
    this.#runs = runs;
    this.#options = options;
    this.#onView = onView;
    this.#memoryBudgetBytes = bytesOfMebibytes(options.memoryBudgetMiB);
    this.#share = options.share;
    this.#view = initialView(options.identity.peer);
    const note = (text: string): void => this.#log(text);
    this.#socket = new CoordinatorSocket(
      options.coordinatorUrl,
      { hello: () => this.#member.hello(), onMessage: (m) => this.#onMessage(m), onDown: (why) => this.#onDown(why) },
      clock,
    );
    this.#transport = new RoomTransport(options, clock);
    this.#mux = new Mux({ transport: this.#transport });
    this.#linkWatch = new LinkWatch({ clock, mux: this.#mux, show: (links) => this.update({ links }) });
    const blobs = new BlobExchange({ mux: this.#mux, clock });
    this.#data = new RoomData({
      chunks,
      blobs,
      clock,
      signal: this.#end.signal,
      peers: () => this.#peers,
      onMissing: (needsFile) => this.update({ needsFile }),
      note,
    });
    this.#member = new Member({
      room: options.room,
      info: { peer: options.identity.peer, device, engine: options.device },
      link: this.#socket,
      mux: this.#mux,
      blobs,
      chunks,
      clock,
      note,
      findBlob: (hash) => this.#data.find(hash),
      onCommitted: (name) => this.#afterCommit(name.step),
      onChosen: ({ peers, matrix, program }) => this.update({ choice: { peers, links: matrix.links, program } }),
    });
    this.#socket.open();
  }

  update(change: Partial<RoomView>): void {
    this.#show({ ...this.#view, ...change });
  }

  async pause(): Promise<void> {
    this.#show(phase(this.#view, "paused", "Pausing: the others take over this tab's part."));
    if (await this.#member.pause("paused")) {
      this.#show(phase(this.#view, "paused", "Paused: the others go on without this tab."));
    }
  }

  async resume(): Promise<void> {
    this.#show(phase(this.#view, "waiting", "Back; waiting for the next step."));
    await this.#member.resume();
  }

  offered(offer: Offer): void {
    this.#offer = offer;
    this.#socket.send({ kind: "offer", offer });
  }

  exportCheckpoint(): Promise<Bytes> {
    return this.#member.exportCheckpoint();
  }

  /** Without `isHasty` after handing its part over; said a second time it goes at once. */
  async leave(isHasty: boolean, reason = "left"): Promise<void> {
    if (this.#end.signal.aborted) return;
    if (!isHasty && !this.#isLeaving) {
      this.#isLeaving = true;
      this.#show(
        phase(this.#view, "paused", "Leaving: the others take over this tab's part. Leave again to go at once."),
      );
      const isGoing = await this.#member.retire(reason);
      this.#isLeaving = false;
      if (!isGoing || this.#end.signal.aborted) return;
    }
    this.#socket.send({ kind: "leave", reason });
    this.#stop("stopped", reason === "left" ? "You left the room." : `This tab left the room: ${reason}.`, null);
  }

  async offerFile(file: Blob): Promise<void> {
    await this.#data.offer(new Uint8Array(await file.arrayBuffer()));
  }

  /** Holds for the device at hand, or else for the one that is being opened. */
  setMemoryBudget(mebibytes: number | null): void {
    this.#memoryBudgetBytes = bytesOfMebibytes(mebibytes);
    this.#trainer?.runtime.setBudget(this.#memoryBudgetBytes);
  }

  setShare(share: number): void {
    this.#share = share;
  }

  /** Our own count is taken at the same moment, so that the two can be compared. */
  browserCounted(bytesSentByBrowser: number): void {
    this.update({ bytesSentByBrowser, bytesSent: totalOf(this.#mux.bytesSent()) });
  }

  storagePersists(isPersistent: boolean): void {
    const { storage } = this.#view;
    if (storage) this.update({ storage: { ...storage, isPersistent } });
  }

  /** A sample of the newest committed model, for people to read. */
  async sample(): Promise<void> {
    const version = this.#member.committed;
    if (!version || !this.#trainer) return;
    this.#sampledAt = version.step;
    const startMs = systemClock.nowMs();
    this.#nextSampleMs = Number.POSITIVE_INFINITY;
    const text = await this.#trainer.sample(version.step);
    const endMs = systemClock.nowMs();
    this.#nextSampleMs = endMs + (endMs - startMs) / SAMPLE_SHARE_MAX;
    if (text !== null) this.update({ sample: { step: version.step, text } });
  }

  #onMessage(message: ServerMessage): void {
    if (message.kind === "welcome") {
      this.#peers = message.peers;
      this.#memoryWatch?.forget();
      if (this.#offer) this.#socket.send({ kind: "offer", offer: this.#offer });
    }
    if (message.kind === "network") this.#transport.onNetwork(message);
    if (message.kind === "roster") {
      this.#peers = message.members.map(({ peer }) => peer).filter((peer) => peer !== this.#options.identity.peer);
    }
    this.#show(viewAfter(this.#view, message, this.#trainer !== null));
    if (message.kind === "refused") return this.#stop("stopped", message.reason, message.reason);
    if (message.kind === "welcome") this.#prepareOnce(message.spec);
    this.#member.onMessage(message).catch((error: unknown) => this.#fail(error));
  }

  #onDown(reason: string): void {
    this.#member.onDisconnected();
    if (this.#view.phase !== "stopped" && this.#view.phase !== "paused") {
      this.#show(phase(this.#view, "reconnecting", `Reconnecting: ${reason}. This tab keeps its state.`));
    }
  }

  #prepareOnce(spec: RunSpec): void {
    if (this.#isPreparing) return;
    this.#isPreparing = true;
    this.#prepare(spec).catch((error: unknown) => this.#fail(error));
  }

  async #prepare(spec: RunSpec): Promise<void> {
    const definition = this.#runs[spec.run];
    if (!definition)
      throw new OptionError(`This site has no run named “${spec.run}”: reload the page, or start another room.`);
    const { data, from } = spec;
    const files = await this.#data.load([data, from].filter((file) => file != null));
    const bytes: Bytes | null = data ? (files[0] ?? null) : null;
    const { device, reason } = await openSoundDevice(this.#options.device);
    const { kind, name } = device.info;
    this.update({ engine: { kind, name, reason }, note: "Building the model and compiling its kernels." });
    const tuning = await RuntimeTuning.load(device.info, tuningDatabase());
    const memoryBudgetBytes = this.#memoryBudgetBytes;
    const clock = systemClock;
    const reopen = replaceDevice(this.#options.device, kind, (chosen) => this.#replaced(chosen), clock);
    const trainer = await Trainer.create({ definition, device, bytes, spec, clock, tuning, memoryBudgetBytes, reopen });
    void trainer.runtime.lost.then((error) => this.#fail(error));
    const state = files.at(-1);
    const first = from && state ? await importVersion(state, from, trainer.layout) : undefined;
    this.#end.signal.throwIfAborted();
    this.#trainer = trainer;
    // Meanwhile somebody may have asked for another one.
    if (this.#memoryBudgetBytes !== memoryBudgetBytes) trainer.runtime.setBudget(this.#memoryBudgetBytes);
    this.#watchMemory(trainer);
    // A GPU in software is the processor, which the page and training want for themselves.
    if (!device.info.isSoftware) this.#tuneWhenIdle(trainer);
    this.#show(phase(this.#view, "waiting", "Ready; waiting for the next step."));
    await this.#member.prepared(
      throttled(trainer, () => this.#share, clock),
      first,
    );
  }

  #replaced({ device: { info }, reason }: ChosenDevice): void {
    this.#log(`The device was lost; this tab goes on with ${info.name}.`);
    this.update({ engine: { kind: info.kind, name: info.name, reason } });
  }

  /** For the next time that this tab is here: a run keeps the kernels that it began with. */
  #tuneWhenIdle({ runtime }: Trainer): void {
    const openOther = async (): Promise<Device> => (await openDevice(this.#options.device, { races: false })).device;
    tuneWhenIdle(runtime, { signal: this.#end.signal, openDevice: openOther }).catch((error: unknown) => {
      if (!this.#end.signal.aborted) this.#log(`tuning ended: ${describeError(error)}`);
    });
  }

  #watchMemory({ runtime }: Trainer): void {
    this.#memoryWatch = new MemoryWatch({
      clock: systemClock,
      snapshot: () => memorySnapshot(runtime),
      show: (memory) => this.update({ memory }),
      tell: (memory) => this.#socket.send({ kind: "memory", memory }),
    });
  }

  #afterCommit(step: number): void {
    this.update({ bytesSent: totalOf(this.#mux.bytesSent()), paths: this.#mux.paths() });
    const isLast = step === this.#view.spec?.steps;
    const isDue = step - this.#sampledAt >= SAMPLE_STEPS && systemClock.nowMs() >= this.#nextSampleMs;
    if (isLast || isDue) {
      this.sample().catch((error: unknown) => this.#log(`sampling failed: ${describeError(error)}`));
    }
  }

  /** Nothing can go on in this tab: it leaves, says why, and harms nobody. */
  #fail(error: unknown): void {
    if (this.#end.signal.aborted) return;
    const problem = error instanceof Error ? error.message : String(error);
    this.#socket.send({ kind: "leave", reason: problem.slice(0, 200) });
    this.#stop("stopped", problem, problem);
  }

  #stop(name: "stopped", note: string, problem: string | null): void {
    this.#show({ ...phase(this.#view, name, note), problem });
    this.#end.abort();
    this.#memoryWatch?.close();
    this.#linkWatch.close();
    this.#member.onDisconnected();
    this.#socket.close();
    this.#mux.close();
    this.#transport.close();
    this.#trainer?.destroy();
  }

  #log(text: string): void {
    this.#show(logged(this.#view, text));
  }

  #show(view: RoomView): void {
    const isUrgent = view.phase !== this.#view.phase;
    this.#view = view;
    if (isUrgent) this.#push();
    else this.#cancelView ??= systemClock.after(VIEW_MS, () => this.#push());
  }

  #push(): void {
    this.#cancelView?.();
    this.#cancelView = null;
    void this.#onView(this.#view);
  }
}

function bytesOfMebibytes(mebibytes: number | null): number | null {
  return mebibytes === null ? null : Math.floor(mebibytes * MEBIBYTE);
}

function totalOf(counts: ByteCounts): number {
  return Object.values(counts).reduce((sum, bytes) => sum + bytes, 0);
}

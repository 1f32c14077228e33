/**
 * One member of a run: carries out what the pure core (`recovery/member.ts`) decides, over a coordinator's link, peers'
 * links, a disk and an engine. The browser's engine worker, Node and the tests all run this class.
 */
import type { Bytes } from "../base/bytes.ts";
import type { Clock } from "../base/clock.ts";
import { describeError, MissingDataError, PeerLostError } from "../base/errors.ts";
import { hashBytes, type Hash } from "../base/hash.ts";
import type { BlobExchange } from "../network/blob-exchange.ts";
import { Group } from "../network/collectives/group.ts";
import { bytesSince } from "../network/byte-ledger.ts";
import type { Mux } from "../network/mux.ts";
import type { PathKind, PeerId } from "../network/transport/transport.ts";
import type {
  ByteCounts,
  CheckpointOrder,
  ClientMessage,
  MemberInfo,
  ServerMessage,
} from "../network/wire/messages.ts";
import { PROTOCOL_VERSION } from "../network/wire/messages.ts";
import type { ChunkStore } from "./checkpoint/chunk-store.ts";
import { saveCheckpoint } from "./checkpoint/save.ts";
import { runDataParallelStep, type StepEngine } from "./parallel/data/data-parallel-step.ts";
import {
  INITIAL_MEMBER,
  isAtFence,
  memberStep,
  type EpochMessage,
  type Fence,
  type MemberEffect,
  type MemberEvent,
  type MemberState,
  type PlanMessage,
  type VersionName,
} from "./recovery/member.ts";
import { genesisVersion, Replica, type Version } from "./recovery/replica.ts";
import { SyncError, syncToEpoch } from "./recovery/sync.ts";

/** A step engine that can also show what its device holds. */
export interface MemberEngine extends StepEngine {
  /** The state of step 0, from the run's seed. */
  initialParameters(): Float32Array<ArrayBuffer>;
  /** What it computes on, for people: "webgpu: SwiftShader". */
  readonly name: string;
  /** Slots a second, as measured by the warm-up. */
  readonly slotsPerSecond: number;
  /** Puts `parameters` on the device and reads them back from it. */
  readBack(parameters: Float32Array<ArrayBuffer>): Promise<Bytes>;
}

/** The way to the coordinator: one socket at a time, reopened by its owner. */
export interface CoordinatorLink {
  /** Dropped when not connected: whatever matters is said again after the next welcome. */
  send(message: ClientMessage): void;
  /** Closes the socket so that a fresh one is opened. */
  reconnect(reason: string): void;
}

export interface MemberOptions {
  readonly room: string;
  readonly info: MemberInfo;
  readonly link: CoordinatorLink;
  readonly mux: Mux;
  readonly blobs: BlobExchange;
  readonly chunks: ChunkStore;
  readonly clock: Clock;
  /** Tells people; never read by the protocol. */
  readonly note: (text: string) => void;
  /** Other bytes that peers may ask for by content: the run's data. */
  readonly findBlob?: (hash: Hash) => Bytes | undefined;
  /** A new committed version: for samples and displays. */
  readonly onCommitted?: (name: VersionName) => void;
}

/** Checkpoints are written in the background for at most so long. */
const SAVE_MS_MAX = 25_000;

interface Work {
  readonly fence: Fence;
  readonly controller: AbortController;
  readonly group: Group;
}

export class Member {
  readonly #options: MemberOptions;
  #engine: MemberEngine | null = null;
  #replica: Replica | null = null;
  #state: MemberState = INITIAL_MEMBER;
  #work: Work | null = null;
  #isPaused = false;
  #isWelcome = false;
  #countedBytes: ByteCounts;

  constructor(options: MemberOptions) {
    this.#options = options;
    this.#countedBytes = options.mux.bytesSent();
    options.blobs.serve(
      async (hash) => this.#replica?.find(hash) ?? options.findBlob?.(hash) ?? options.chunks.readChunk(hash),
    );
  }

  get state(): MemberState {
    return this.#state;
  }

  /** The committed parameters, for samples. */
  get committed(): Version | null {
    return this.#replica?.committed ?? null;
  }

  /** What a fresh socket says first. */
  hello(): ClientMessage {
    const { room, info } = this.#options;
    return { kind: "hello", protocol: PROTOCOL_VERSION, room, role: "member", info };
  }

  /** Prepared: from now on the member joins whenever it is welcome. */
  async prepared(engine: MemberEngine): Promise<void> {
    this.#engine = engine;
    this.#replica = new Replica(genesisVersion(engine.initialParameters(), engine.stateFloats));
    await this.#join();
  }

  async onMessage(message: ServerMessage): Promise<void> {
    if (message.kind === "welcome") {
      this.#isWelcome = true;
      await this.#join();
    } else if (!this.#isPaused) {
      this.#dispatch({ kind: "server", message });
    }
  }

  onDisconnected(): void {
    this.#isWelcome = false;
    this.#dispatch({ kind: "disconnected" });
  }

  /** Out of the run until `resume`, connection kept: the others go on without this tab. */
  pause(reason: string): void {
    this.#isPaused = true;
    this.#options.link.send({ kind: "leave", reason });
    this.#dispatch({ kind: "disconnected" });
  }

  async resume(): Promise<void> {
    this.#isPaused = false;
    await this.#join();
  }

  async #join(): Promise<void> {
    const { chunks, room, link } = this.#options;
    const stored = await chunks.generations(room);
    const engine = this.#engine;
    const replica = this.#replica;
    if (!engine || !replica || !this.#isWelcome || this.#isPaused) return;
    const { genesis } = replica;
    link.send({
      kind: "join",
      engine: engine.name,
      slots: engine.slots,
      slotsPerSecond: engine.slotsPerSecond,
      inventory: replica.inventory(stored),
      genesis: {
        parameters: genesis.parameterHashes,
        optimizer: [...genesis.optimizer.values()].map(({ hash }) => hash),
      },
    });
  }

  #dispatch(event: MemberEvent): void {
    const { state, effects } = memberStep(this.#state, event);
    this.#state = state;
    for (const effect of effects) this.#carryOut(effect);
  }

  #carryOut(effect: MemberEffect): void {
    switch (effect.kind) {
      case "cancel":
        return this.#cancel(effect.reason);
      case "sync":
        return this.#begin(effect.epoch);
      case "step":
        return this.#run(effect.epoch, "the step", (work) => this.#step(work, effect.plan, effect.epoch));
      case "promote":
        this.#promote(effect.name);
        return;
      case "digest":
        this.#digest(effect.name);
        return;
      case "checkpoint":
        this.#checkpoint(effect.name, effect.order, effect.epoch);
        return;
      case "send":
        this.#options.link.send(effect.message);
        return;
      case "reconnect":
        this.#options.note(effect.reason);
        this.#options.link.reconnect(effect.reason);
        return;
      default:
        effect satisfies never;
    }
  }

  #cancel(reason: string): void {
    this.#work?.controller.abort(reason);
    this.#work?.group.close(reason);
    this.#work = null;
  }

  #begin(epoch: EpochMessage): void {
    const { mux, clock } = this.#options;
    const members = epoch.members.map((member) => member.peer);
    const fence: Fence = { incarnation: epoch.incarnation, epoch: epoch.epoch };
    this.#work = { fence, controller: new AbortController(), group: new Group({ mux, members, fence, clock }) };
    this.#run(fence, "the epoch", (work) => this.#sync(work, epoch));
  }

  /** Runs `job` under the fence at hand; its failure is an event, never an exception. */
  #run(fence: Fence, what: string, job: (work: Work) => Promise<MemberEvent>): void {
    const work = this.#work;
    if (!work) return;
    job(work).then(
      (event) => this.#dispatch(event),
      (error: unknown) => {
        if (work.controller.signal.aborted) return;
        const unreachable = error instanceof SyncError ? error.unreachable : lostPeers(error);
        const missing = missingHashes(error);
        this.#options.note(`${what} failed: ${describeError(error)}`);
        const reason = describeError(error).slice(0, 400);
        const { incarnation, epoch } = fence;
        this.#dispatch({ kind: "workFailed", fence: { incarnation, epoch }, reason, unreachable, missing });
      },
    );
  }

  async #sync(work: Work, epoch: EpochMessage): Promise<MemberEvent> {
    const { mux, blobs, chunks, room, info } = this.#options;
    const replica = this.#replica;
    if (!replica) throw new SyncError("an epoch came before this tab was prepared", [], []);
    const rank = epoch.members.findIndex((member) => member.peer === info.peer);
    const version = await syncToEpoch({
      epoch,
      rank,
      mux,
      blobs,
      find: (hash) => replica.find(hash),
      readChunk: (hash) => chunks.readChunk(hash),
      signal: work.controller.signal,
    });
    const stored = await chunks.generations(room);
    work.controller.signal.throwIfAborted();
    if (isAtFence(this.#state, work.fence)) replica.replace(version);
    if (version) {
      const { step, chain, parameterRoot } = epoch.record;
      this.#options.onCommitted?.({ step, chain, parameterRoot });
    }
    return { kind: "synced", fence: work.fence, inventory: replica.inventory(stored) };
  }

  async #step(work: Work, plan: PlanMessage, epoch: EpochMessage): Promise<MemberEvent> {
    const { clock, mux } = this.#options;
    const { engine, replica } = this.#ready();
    replica.settle();
    const output = await runDataParallelStep({
      engine,
      group: work.group,
      map: epoch.map,
      step: plan.step,
      slots: plan.slots,
      committed: replica.committed,
      deadlineMs: plan.deadlineMs,
      signal: work.controller.signal,
      clock,
    });
    work.controller.signal.throwIfAborted();
    replica.setPending(output.version);
    const sent = mux.bytesSent();
    const bytesSent = bytesSince(sent, this.#countedBytes);
    this.#countedBytes = sent;
    const optimizer = [...output.version.optimizer].map(([shard, { hash }]) => [shard, hash] as const);
    return {
      kind: "stepped",
      fence: work.fence,
      vote: {
        kind: "vote",
        incarnation: plan.incarnation,
        epoch: plan.epoch,
        step: plan.step,
        parameterRoot: output.version.parameterRoot,
        parameters: output.parameters,
        optimizer,
        losses: output.losses,
        times: output.times,
        bytesSent,
        paths: this.#paths(epoch),
      },
    };
  }

  #paths(epoch: EpochMessage): Record<PeerId, PathKind> {
    const paths = this.#options.mux.paths();
    return Object.fromEntries(epoch.members.flatMap(({ peer }) => (paths[peer] ? [[peer, paths[peer]]] : [])));
  }

  #promote(name: VersionName): void {
    this.#replica?.promote();
    this.#options.onCommitted?.(name);
  }

  #digest({ step, chain }: VersionName): void {
    const { link, note } = this.#options;
    const { engine, replica } = this.#ready();
    if (!replica.committed) return;
    engine.readBack(replica.committed.parameters).then(
      (bytes) => link.send({ kind: "digest", step, chain, digest: hashBytes(bytes) }),
      (error: unknown) => note(`reading the parameters back failed: ${describeError(error)}`),
    );
  }

  /** Runs beside training, on a version that nothing changes any more. */
  #checkpoint(name: VersionName, order: CheckpointOrder, epoch: EpochMessage): void {
    const { link, chunks, blobs, clock, room, note, info } = this.#options;
    const { replica } = this.#ready();
    const version = replica.committed;
    if (!version) return;
    replica.pin(version);
    const { step, chain } = name;
    const startMs = clock.nowMs();
    const report = (shards: readonly number[], error: string | null): void =>
      link.send({ kind: "stored", step, chain, shards, error, ms: clock.nowMs() - startMs });
    const options = { deadlineMs: SAVE_MS_MAX };
    saveCheckpoint({ room, self: info.peer, name, version, epoch, order, blobs, chunks, options, note })
      .then((shards) => report(shards, null))
      .catch((error: unknown) => {
        note(`this tab could not store its part of checkpoint ${step}: ${describeError(error)}`);
        report([], describeError(error).slice(0, 400));
      })
      .then(() => chunks.collect(room, [...order.keep, { step, chain }]))
      .catch((error: unknown) => note(`old checkpoints could not be removed: ${describeError(error)}`));
  }

  #ready(): { engine: MemberEngine; replica: Replica } {
    if (!this.#engine || !this.#replica) throw new SyncError("this tab is not prepared", [], []);
    return { engine: this.#engine, replica: this.#replica };
  }
}

function lostPeers(error: unknown): PeerId[] {
  return error instanceof PeerLostError ? [error.peer] : [];
}

function missingHashes(error: unknown): readonly Hash[] {
  if (error instanceof SyncError) return error.missing;
  return error instanceof MissingDataError ? error.hashes : [];
}

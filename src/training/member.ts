/**
 * One member of a run: carries out what the pure core (`recovery/member.ts`) decides, over a coordinator's link, peers'
 * links, a disk and an engine. The browser's engine worker, Node and the tests all run this class.
 */
import type { Bytes } from "../base/bytes.ts";
import type { Clock } from "../base/clock.ts";
import { describeError, MissingDataError, PeerLostError } from "../base/errors.ts";
import type { Hash } from "../base/hash.ts";
import type { BlobExchange } from "../network/blob-exchange.ts";
import { Group } from "../network/collectives/group.ts";
import { deferred, type Deferred } from "../network/deferred.ts";
import { bytesSince } from "../network/byte-ledger.ts";
import type { Mux } from "../network/mux.ts";
import type { PathKind, PeerId } from "../network/transport/transport.ts";
import type { ByteCounts } from "../network/wire/run-line.ts";
import type { ClientMessage, MemberInfo, ServerMessage } from "../network/wire/messages.ts";
import type { RunSpec } from "../network/wire/run-spec.ts";
import type { StateLayout } from "../network/wire/state-record.ts";
import { PROTOCOL_VERSION } from "../network/wire/messages.ts";
import type { Chunks } from "./checkpoint/chunks.ts";
import { CheckpointKeeper } from "./checkpoint/checkpoint-keeper.ts";
import { runDataParallelStep, type StepEngine } from "./parallel/data/data-parallel-step.ts";
import { SlotError } from "./parallel/data/slot-sums.ts";
import { Farewell } from "./farewell.ts";
import { LinkChoice, type Chosen } from "./link-choice.ts";
import {
  INITIAL_MEMBER,
  isAtFence,
  memberStep,
  type EpochMessage,
  type Fence,
  type MemberEffect,
  type MemberEvent,
  type MemberState,
  type ReduceMessage,
  type VersionName,
} from "./recovery/member.ts";
import { genesisVersion, Replica, type Version } from "./recovery/replica.ts";
import { SyncError, syncToEpoch } from "./recovery/sync.ts";
import { voteOf } from "./vote.ts";

/** A step engine that can also show what its device holds. */
export interface MemberEngine extends StepEngine {
  /** The state of step 0, from the run's seed. */
  initialParameters(): Float32Array<ArrayBuffer>;
  /** What it computes on, for people: "webgpu: SwiftShader". */
  readonly name: string;
  /** What the state's bytes are: kept with checkpoints. */
  readonly layout?: StateLayout;
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
  readonly chunks: Chunks;
  readonly clock: Clock;
  /** Tells people; never read by the protocol. */
  readonly note: (text: string) => void;
  /** Other bytes that peers may ask for by content: the run's data. */
  readonly findBlob?: (hash: Hash) => Bytes | undefined;
  /** At checkpoints so far apart what is on disk is read again and mended: a minute unless told. */
  readonly scrubEveryMs?: number;
  /** A new committed version: for samples and displays. */
  readonly onCommitted?: (name: VersionName) => void;
  /** The epoch's group chooses its programs by this from the step at hand on: for displays. */
  readonly onChosen?: (chosen: Chosen) => void;
}

interface Work {
  readonly fence: Fence;
  readonly controller: AbortController;
  /**
   * Opened by the first step, for which all members have linked up: links that are found dead while the epoch forms, and
   * are made anew, tear nothing. Frames that come before it are kept.
   */
  group: Group | null;
}

export class Member {
  readonly #options: MemberOptions;
  #engine: MemberEngine | null = null;
  #replica: Replica | null = null;
  #state: MemberState = INITIAL_MEMBER;
  #work: Work | null = null;
  /** Whose slots of the step under way count as their backups computed them. */
  #decision: Deferred<ReduceMessage["late"]> | null = null;
  #isPaused = false;
  readonly #farewell: Farewell;
  #isWelcome = false;
  #spec: RunSpec | null = null;
  readonly #keeper: CheckpointKeeper;
  readonly #links: LinkChoice;
  #countedBytes: ByteCounts;

  constructor(options: MemberOptions) {
    this.#options = options;
    this.#keeper = new CheckpointKeeper(options);
    this.#links = new LinkChoice(options);
    this.#countedBytes = options.mux.bytesSent();
    this.#farewell = new Farewell(options.clock, (message) => options.link.send(message));
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

  /** Prepared: from now on the member joins whenever it is welcome. `first` is the state that the run begins with; from the seed unless told. */
  async prepared(engine: MemberEngine, first?: Version): Promise<void> {
    this.#engine = engine;
    this.#replica = new Replica(first ?? genesisVersion(engine.initialParameters(), engine.stateFloats));
    await this.#join();
  }

  async onMessage(message: ServerMessage): Promise<void> {
    if (message.kind === "welcome") {
      this.#isWelcome = true;
      this.#spec = message.spec;
      await this.#join();
    } else if (message.kind === "released") {
      this.#farewell.end(true);
    } else if (!this.#isPaused) {
      this.#dispatch({ kind: "server", message });
    }
  }

  onDisconnected(): void {
    this.#isWelcome = false;
    this.#dispatch({ kind: "disconnected" });
  }

  /**
   * Hands this tab's part over: the step in flight is finished, then the others take over what it holds. Resolves once
   * they have it, or took too long, or at once where there is nothing to hand over or nobody to tell. False when
   * `resume` called it off.
   */
  async retire(reason: string): Promise<boolean> {
    const { epoch, committed } = this.#state;
    if (this.#isPaused || !this.#isWelcome || (epoch === null && committed === null)) return true;
    return this.#farewell.begin(reason);
  }

  /** Out of the run until `resume`, connection kept: the others take over and lose nothing. False when `resume` called it off. */
  async pause(reason: string): Promise<boolean> {
    if (!(await this.retire(reason))) return false;
    this.#farewell.end(true);
    this.#isPaused = true;
    this.#options.link.send({ kind: "leave", reason });
    this.#dispatch({ kind: "disconnected" });
    return true;
  }

  /** In again, also where handing over was still under way. */
  async resume(): Promise<void> {
    this.#isPaused = false;
    this.#farewell.end(false);
    await this.#join();
  }

  /** The newest checkpoint that was ordered while this tab took part. @throws as `CheckpointKeeper.export` */
  exportCheckpoint(): Promise<Bytes> {
    return this.#keeper.export(this.#engine?.layout, this.#spec);
  }

  async #join(): Promise<void> {
    const { chunks, room, link } = this.#options;
    const stored = await chunks.generations(room);
    const engine = this.#engine;
    const replica = this.#replica;
    if (!engine || !replica || !this.#isWelcome || this.#isPaused) return;
    const { genesis } = replica;
    const isLeaving = this.#farewell.say();
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
      ...(engine.layout ? { layout: engine.layout } : {}),
      ...(isLeaving ? { leaving: true } : {}),
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
        return this.#run(effect.epoch, "the step", (work) => this.#step(work, effect));
      case "reduce":
        this.#decision?.resolve(effect.order.late);
        return;
      case "promote":
        this.#promote(effect.name);
        return;
      case "digest":
        this.#keeper.digest(this.#ready(), effect.name);
        return;
      case "checkpoint":
        this.#keeper.checkpoint(this.#ready(), effect);
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
    this.#work?.group?.close(reason);
    this.#work = null;
  }

  #begin(epoch: EpochMessage): void {
    const fence: Fence = { incarnation: epoch.incarnation, epoch: epoch.epoch };
    this.#work = { fence, controller: new AbortController(), group: null };
    this.#run(fence, "the epoch", (work) => this.#sync(work, epoch));
  }

  /** @throws PeerLostError where a link was lost since the epoch formed */
  #openGroup(fence: Fence, epoch: EpochMessage): Group {
    const { mux, clock } = this.#options;
    const members = epoch.members.map((member) => member.peer);
    const lost = members.find((peer) => peer !== mux.self && !mux.isLinked(peer));
    if (lost !== undefined) {
      throw new PeerLostError(
        lost,
        `epoch ${fence.epoch}: expected a link to every member, found none to peer ${lost}`,
      );
    }
    return new Group({ mux, members, fence, clock });
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
        const slot = error instanceof SlotError ? { slot: error.slot } : {};
        this.#dispatch({ kind: "workFailed", fence: { incarnation, epoch }, reason, unreachable, missing, ...slot });
      },
    );
  }

  async #sync(work: Work, epoch: EpochMessage): Promise<MemberEvent> {
    const { mux, blobs, chunks, clock, room, info } = this.#options;
    const replica = this.#replica;
    if (!replica) throw new SyncError("an epoch came before this tab was prepared", [], []);
    const rank = epoch.members.findIndex((member) => member.peer === info.peer);
    const { version, recovered } = await syncToEpoch({
      epoch,
      rank,
      mux,
      blobs,
      find: (hash) => replica.find(hash),
      readChunk: (hash) => chunks.readChunk(hash),
      keep: (hash, bytes) => replica.keepArrived(hash, bytes),
      genesis: replica.genesis,
      clock,
      signal: work.controller.signal,
    });
    const links = await this.#links.rowFor(epoch, info.peer);
    const stored = await chunks.generations(room);
    work.controller.signal.throwIfAborted();
    if (isAtFence(this.#state, work.fence)) replica.replace(version);
    if (version) {
      const { step, chain, parameterRoot } = epoch.record;
      this.#options.onCommitted?.({ step, chain, parameterRoot });
    }
    return { kind: "synced", fence: work.fence, inventory: replica.inventory(stored), recovered, links };
  }

  async #step(work: Work, { plan, epoch, links }: Extract<MemberEffect, { kind: "step" }>): Promise<MemberEvent> {
    const { clock, mux, info } = this.#options;
    const { engine, replica } = this.#ready();
    replica.settle();
    const decision = deferred<ReduceMessage["late"]>();
    this.#decision = decision;
    const { backups = [], step } = plan;
    const onComputed = (rank: number): void => this.#dispatch({ kind: "computed", fence: work.fence, step, rank });
    const group = (work.group ??= this.#openGroup(work.fence, epoch));
    const chosen = this.#links.use(group, links, 4 * engine.parameterCount);
    if (chosen) this.#options.onChosen?.(chosen);
    const output = await runDataParallelStep({
      engine,
      group,
      map: epoch.map,
      step: plan.step,
      slots: plan.slots,
      ...(plan.audits ? { audits: plan.audits } : {}),
      committed: replica.committed,
      cover: backups.length > 0 ? { backups, onComputed, decision: decision.promise } : null,
      deadlineMs: plan.deadlineMs,
      signal: work.controller.signal,
      clock,
    });
    work.controller.signal.throwIfAborted();
    replica.setPending(output.version);
    const sent = mux.bytesSent();
    const bytesSent = bytesSince(sent, this.#countedBytes);
    this.#countedBytes = sent;
    const news = { bytesSent, paths: this.#paths(epoch), links: this.#links.news(epoch, info.peer) };
    return { kind: "stepped", fence: work.fence, vote: voteOf(plan, output, news) };
  }

  #paths(epoch: EpochMessage): Record<PeerId, PathKind> {
    const paths = this.#options.mux.paths();
    return Object.fromEntries(epoch.members.flatMap(({ peer }) => (paths[peer] ? [[peer, paths[peer]]] : [])));
  }

  #promote(name: VersionName): void {
    this.#replica?.promote();
    this.#options.onCommitted?.(name);
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

/**
 * A member of a simulation: the real pure core over imaginary bytes. What the runner of a real tab does (socket, sync,
 * steps, disk) happens here in virtual time, and can go wrong at every point.
 */
import type { Hash } from "../../src/base/hash.ts";
import { PROTOCOL_VERSION, type ClientMessage, type ServerMessage } from "../../src/network/wire/messages.ts";
import type { Inventory } from "../../src/network/wire/state-record.ts";
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
} from "../../src/training/recovery/member.ts";
import type { Cluster } from "./cluster.ts";
import type { SimDisk } from "./sim-disk.ts";
import { simLinkNews, simLinks } from "./sim-links.ts";
import { SERVER } from "./sim-network.ts";
import type { SimServer } from "./sim-server.ts";
import { SimStep, type SimFrame } from "./sim-step.ts";
import { backedBy, slotResults, type SlotResults } from "./slot-results.ts";
import { gatherVersion } from "./sim-sync.ts";
import { storeShards } from "./store-shards.ts";
import { GENESIS, parameterName, simVersion, SLOTS, type SimVersion } from "./versions.ts";

const RECONNECT_MS = 400;
const HEARTBEAT_MS = 1_500;
/** Whoever wants to go waits no longer than this to be released. */
const GO_MS_MAX = 15_000;
/** How long a link may be silent before the member on its other end counts as lost. */
const LINK_MS = 2_500;
/** Frames kept for a step that has not been planned here yet. */
const EARLY_MAX = 200;
const NO_BYTES = { gradients: 0, parameters: 0, optimizerReplica: 0, checkpoint: 0, join: 0, control: 0 };

export class SimMember {
  readonly peer: string;
  readonly disk: SimDisk;
  isAlive = true;
  isFrozen = false;
  /** Computes so many times slower than usual. */
  slowness = 1;
  isSlowAtTimes = false;
  /** The next result has one bit wrong in memory. */
  isFlipping = false;
  committed: SimVersion | null = null;
  pending: SimVersion | null = null;
  state: MemberState = INITIAL_MEMBER;
  /** When it last told the coordinator at hand that it goes. */
  farewellAtMs: number | null = null;
  /** The coordinator let it go: what it holds no longer counts. */
  isReleased = false;
  /** Since when the coordinator has known what this member holds. */
  joinedAtMs: number = Number.POSITIVE_INFINITY;
  readonly #speed: number;
  /** Optimizer shards of before the last syncs, kept until a step begins. */
  readonly #retired = new Map<Hash, number>();
  readonly #cluster: Cluster;
  #conn: string | null = null;
  #server: SimServer | null = null;
  #isPrepared = false;
  #isOffline = false;
  #isRetiring = false;
  #step: SimStep | null = null;
  /** What the own slots of the step take. */
  #computeMs = 0;
  #early: SimFrame[] = [];
  /** Grows with every cancel: late results of cancelled work are nobody's. */
  #workNumber = 0;
  /** What would have happened while frozen, to happen on waking. */
  #asleep: (() => void)[] = [];

  constructor(cluster: Cluster, peer: string, disk: SimDisk) {
    this.#cluster = cluster;
    this.peer = peer;
    this.disk = disk;
    this.#speed = cluster.world.between(1, 4);
    this.#connect();
    this.#beat();
  }

  kill(): void {
    this.isAlive = false;
    const [conn, server] = [this.#conn, this.#server];
    this.#conn = null;
    if (conn) this.#world.after(this.#world.between(1, 30), () => server?.disconnect(conn));
  }

  freeze(ms: number): void {
    this.isFrozen = true;
    this.#world.after(ms, () => {
      this.isFrozen = false;
      const waking = this.#asleep;
      this.#asleep = [];
      for (const act of waking) this.#awake(act);
    });
  }

  /** The socket breaks; the tab lives on. */
  cutSocket(): void {
    const [conn, server] = [this.#conn, this.#server];
    if (!conn) return;
    server?.disconnect(conn);
    this.#down(conn);
  }

  /** Away from the coordinator for a while, with everything still in memory. */
  goOffline(ms: number): void {
    this.#isOffline = true;
    this.cutSocket();
    this.#world.after(ms, () => {
      this.#isOffline = false;
    });
  }

  /** Says that it goes, and goes when it is released or has waited long enough. */
  retire(): void {
    if (!this.isAlive || this.#isRetiring) return;
    this.#isRetiring = true;
    this.#awake(() => this.#sayFarewell());
    this.#later(GO_MS_MAX, GO_MS_MAX + 1, () => this.#cluster.depart(this));
  }

  /** Which coordinator it is connected to. */
  isAt(server: SimServer): boolean {
    return this.#conn !== null && this.#server === server;
  }

  /** The bytes under `hash`, from memory or from the disk, verified. */
  read(hash: Hash): Hash | undefined {
    return this.holds(hash) ? hash : this.disk.read(hash);
  }

  /** In memory. */
  holds(hash: Hash): boolean {
    if (this.#retired.has(hash)) return true;
    for (const version of [GENESIS, this.committed, this.pending]) {
      if (!version) continue;
      if (version.parameters.includes(hash)) return true;
      for (const name of version.optimizer.values()) if (name === hash) return true;
    }
    return false;
  }

  onFrame(frame: SimFrame): void {
    this.#awake(() => {
      if (this.#step) return this.#step.receive(frame);
      this.#early = [...this.#early, frame].slice(-EARLY_MAX);
    });
  }

  get #world(): Cluster["world"] {
    return this.#cluster.world;
  }

  /** Runs now, or on waking; never once the tab is gone. */
  #awake(act: () => void): void {
    if (!this.isAlive) return;
    if (this.isFrozen) this.#asleep.push(act);
    else act();
  }

  #later(fromMs: number, toMs: number, act: () => void): void {
    this.#world.after(this.#world.between(fromMs, toMs), () => this.#awake(act));
  }

  #connect(): void {
    const server = this.#cluster.server;
    const { device } = this.disk;
    const { network } = this.#cluster;
    const isCut = this.#isOffline || !network.canSend(device, SERVER) || !network.canSend(SERVER, device);
    const conn = isCut
      ? null
      : server.connect({
          onMessage: (message) => {
            if (message.kind === "released") this.#released(server);
            network.onSocket(`to ${conn}`, SERVER, device, () => this.#awake(() => this.#receive(conn, message)));
          },
          onClose: () => this.#awake(() => this.#down(conn)),
        });
    if (conn === null) return this.#later(RECONNECT_MS, 2 * RECONNECT_MS, () => this.#connect());
    this.#conn = conn;
    this.#server = server;
    const info = { peer: this.peer, device, engine: "simulated" };
    this.#send({ kind: "hello", protocol: PROTOCOL_VERSION, room: "room", role: "member", info });
  }

  #down(conn: string | null): void {
    if (conn === null || conn !== this.#conn) return;
    this.#conn = null;
    this.farewellAtMs = null;
    this.isReleased = false;
    this.joinedAtMs = Number.POSITIVE_INFINITY;
    this.#dispatch({ kind: "disconnected" });
    this.#later(RECONNECT_MS, 2 * RECONNECT_MS, () => this.#connect());
  }

  #beat(): void {
    this.#send({ kind: "heartbeat" });
    this.#later(HEARTBEAT_MS, HEARTBEAT_MS + 1, () => this.#beat());
  }

  #send(message: ClientMessage): void {
    const [conn, server] = [this.#conn, this.#server];
    if (!conn || !server) return;
    this.#cluster.network.onSocket(conn, this.disk.device, SERVER, () => server.receive(conn, message));
  }

  #receive(conn: string | null, message: ServerMessage): void {
    if (conn !== this.#conn) return;
    if (message.kind === "released") return this.#isRetiring ? this.#cluster.depart(this) : undefined;
    if (message.kind === "refused") return this.#cluster.refused(this);
    if (message.kind !== "welcome") return this.#dispatch({ kind: "server", message });
    if (this.#isPrepared) return this.#join();
    this.#later(100, 2_000, () => {
      this.#isPrepared = true;
      this.#join();
    });
  }

  #sayFarewell(): void {
    if (this.#conn === null) return;
    this.farewellAtMs ??= this.#world.nowMs;
    this.#send({ kind: "leave", reason: "going", handsOver: true });
  }

  /** At the moment when the coordinator lets it go, whenever it hears of that. */
  #released(server: SimServer): void {
    this.isReleased = true;
    this.#cluster.invariants.onReleased(this, server.state);
  }

  #join(): void {
    if (this.#conn === null) return;
    if (this.#isRetiring) this.#sayFarewell();
    this.joinedAtMs = this.#world.nowMs;
    this.#send({
      kind: "join",
      engine: "simulated",
      slots: SLOTS,
      slotsPerSecond: this.#speed,
      inventory: this.#inventory(),
      genesis: { parameters: GENESIS.parameters, optimizer: [...GENESIS.optimizer.values()] },
      ...(this.#isRetiring ? { leaving: true } : {}),
    });
  }

  #inventory(): Inventory {
    const versions = [this.committed, this.pending].filter((version) => version !== null);
    return {
      parameterRoots: versions.map((version) => version.parameterRoot),
      optimizer: [
        ...versions.flatMap((version) => [...version.optimizer]),
        ...[...this.#retired].map(([hash, shard]) => [shard, hash] as const),
      ],
      stored: this.disk.generations,
    };
  }

  #dispatch(event: MemberEvent): void {
    const { state, effects } = memberStep(this.state, event);
    this.state = state;
    for (const effect of effects) this.#carryOut(effect);
  }

  #carryOut(effect: MemberEffect): void {
    switch (effect.kind) {
      case "cancel":
        this.#workNumber += 1;
        this.#step = null;
        return;
      case "reduce":
        this.#step?.reduce(effect.order.late);
        return;
      case "sync":
        return this.#sync(effect.epoch);
      case "step":
        this.#cluster.invariants.onStep(this.peer, effect);
        return this.#begin(effect.plan, effect.epoch);
      case "promote":
        this.committed = this.pending;
        this.pending = null;
        this.#step = null;
        this.#cluster.invariants.onPromoted(this.peer, effect.name, this.committed);
        return;
      case "digest":
        return this.#digest(effect.name);
      case "checkpoint":
        return this.#checkpoint(effect);
      case "send":
        return this.#send(effect.message);
      case "reconnect":
        return this.cutSocket();
    }
  }

  /** Dispatches the work's outcome unless it was cancelled meanwhile. */
  #finish(work: number, make: () => MemberEvent | null): void {
    if (work !== this.#workNumber) return;
    const event = make();
    if (event) this.#dispatch(event);
  }

  #fail(fence: Fence, reason: string, unreachable: readonly string[], missing: readonly Hash[]): MemberEvent {
    const { incarnation, epoch } = fence;
    this.#step = null;
    return { kind: "workFailed", fence: { incarnation, epoch }, reason, unreachable, missing };
  }

  #sync(epoch: EpochMessage): void {
    const work = this.#workNumber;
    const others = epoch.members.map((member) => member.peer).filter((peer) => peer !== this.peer);
    this.#later(5, 100, () => {
      const unreachable = others.filter((peer) => !this.#cluster.canReach(this.peer, peer));
      const delayMs = unreachable.length > 0 ? LINK_MS : 50;
      this.#later(delayMs / 2, delayMs, () =>
        this.#finish(work, () => {
          if (unreachable.length > 0) return this.#fail(epoch, "unreachable", unreachable, []);
          return this.#gather(epoch);
        }),
      );
    });
  }

  #gather(epoch: EpochMessage): MemberEvent {
    const { version, missing } = gatherVersion(this.#cluster, this, epoch);
    const { plant } = this.#cluster;
    const isStale = (plant === "stale-rejoin" && this.committed) || (plant === "keep-pending" && this.pending);
    if (version && plant === "keep-pending" && this.pending) this.committed = this.pending;
    if (version && (isStale || (plant === "ready-not-confirmed" && missing.length > 0))) {
      const claimed = { parameterRoots: [version.parameterRoot], optimizer: [...version.optimizer] };
      return { kind: "synced", fence: epoch, inventory: { ...this.#inventory(), ...claimed } };
    }
    if (missing.length > 0) return this.#fail(epoch, "missing", [], missing);
    for (const old of [this.committed, this.pending]) {
      for (const [shard, hash] of old?.optimizer ?? []) this.#retired.set(hash, shard);
    }
    this.committed = version;
    this.pending = null;
    if (version) this.#cluster.invariants.onSynced(this.peer, epoch.record, version);
    const links = simLinks(epoch, this.peer, this.#world.nowMs);
    return { kind: "synced", fence: epoch, inventory: this.#inventory(), links };
  }

  #begin(plan: PlanMessage, epoch: EpochMessage): void {
    this.#retired.clear();
    const work = this.#workNumber;
    const rank = epoch.members.findIndex((member) => member.peer === this.peer);
    const results = slotResults(plan, rank, this.disk, this.#world);
    const step = new SimStep({
      plan,
      epoch,
      rank,
      committed: this.committed,
      plant: this.#cluster.plant,
      taint: results.taint,
      broadcast: (frame) => this.#cluster.broadcast(this, epoch, frame),
      onVersion: (version) => this.#finish(work, () => this.#vote(plan, epoch, version, step.slots ?? [], results)),
    });
    this.#step = step;
    for (const frame of this.#early.splice(0)) step.receive(frame);
    this.#computeMs = this.#compute(work, step, plan, [rank, ...backedBy(plan, rank)]);
    this.#watch(work, step, epoch);
    this.#later(plan.deadlineMs, plan.deadlineMs + 1, () =>
      this.#finish(work, () =>
        this.#step === step && this.#isStepping(plan) ? this.#fail(epoch, "deadline", [], []) : null,
      ),
    );
  }

  /** One member's slots after another's, telling of each; returns what the first ones take. */
  #compute(work: number, step: SimStep, plan: PlanMessage, [of, ...rest]: readonly number[]): number {
    if (of === undefined) return 0;
    const ms = (1_000 * (plan.slots[of]?.length ?? 0) * this.#slownessNow()) / this.#speed;
    this.#later(ms, 1.3 * ms + 20, () =>
      this.#finish(work, () => {
        if (this.#step !== step || !this.#isStepping(plan)) return null;
        step.computed(of);
        if (plan.backups) this.#dispatch({ kind: "computed", fence: plan, step: plan.step, rank: of });
        if (this.#step === step) this.#compute(work, step, plan, rest);
        return null;
      }),
    );
    return ms;
  }

  /** A member that is slow now and then is so in one step of three. */
  #slownessNow(): number {
    return this.isSlowAtTimes && this.#world.chance(2 / 3) ? 1 : this.slowness;
  }

  #isStepping(plan: PlanMessage): boolean {
    return isAtFence(this.state, plan) && this.state.activity === "stepping";
  }

  /** Gives the step up when somebody who is waited for cannot be reached. */
  #watch(work: number, step: SimStep, epoch: EpochMessage): void {
    this.#later(LINK_MS, 1.2 * LINK_MS, () => {
      if (this.#step !== step || work !== this.#workNumber || this.state.activity !== "stepping") return;
      const peers = step.awaited.map((rank) => epoch.members[rank]?.peer ?? "").filter((peer) => peer !== this.peer);
      const lost = peers.filter((peer) => !this.#cluster.canReach(this.peer, peer));
      if (lost.length > 0) this.#finish(work, () => this.#fail(epoch, "lost in the step", lost, []));
      else this.#watch(work, step, epoch);
    });
  }

  #vote(
    plan: PlanMessage,
    epoch: EpochMessage,
    assembled: SimVersion,
    slots: readonly number[],
    { fingerprints }: SlotResults,
  ): MemberEvent | null {
    if (!this.#isStepping(plan)) return null;
    const { plant } = this.#cluster;
    const rank = epoch.members.findIndex((member) => member.peer === this.peer);
    const version = this.isFlipping && epoch.members.length > 1 ? flipped(assembled, this.peer) : assembled;
    this.isFlipping = false;
    this.pending = version;
    if (plant === "vote-without-replicas") {
      const owned = [...version.optimizer].filter(([shard]) => epoch.map.owner[shard] === rank);
      this.pending = { ...version, optimizer: new Map(owned) };
    }
    if (plant === "discard-pending-by-deadline") this.#discardLater(version);
    const { incarnation, epoch: number, step } = plan;
    const compute = slots.length === 0 ? 0 : this.#computeMs;
    return {
      kind: "stepped",
      fence: epoch,
      vote: {
        kind: "vote",
        incarnation,
        epoch: number,
        step,
        parameterRoot: version.parameterRoot,
        parameters: version.parameters
          .map((hash, shard) => [shard, hash] as const)
          .filter(([shard]) => epoch.map.owner[shard] === rank),
        optimizer: [...version.optimizer],
        losses: slots.map((slot) => [slot, 1] as const),
        ...(fingerprints.length > 0 ? { fingerprints } : {}),
        times: { compute, network: 10, waiting: 0 },
        bytesSent: NO_BYTES,
        paths: {},
        ...simLinkNews(epoch, this.peer, this.#world.nowMs),
      },
    };
  }

  #collectAll(): void {
    this.disk.collect(() => false);
    this.#cluster.invariants.onCollected(this.disk);
  }

  #discardLater(version: SimVersion): void {
    this.#later(2_000, 2_001, () => {
      if (this.pending === version) this.pending = null;
    });
  }

  #digest({ step, chain }: VersionName): void {
    const digest = this.committed?.parameterRoot ?? "";
    this.#later(5, 100, () => this.#send({ kind: "digest", step, chain, digest }));
  }

  #checkpoint({ name, order, epoch }: Extract<MemberEffect, { kind: "checkpoint" }>): void {
    const version = this.committed;
    const rank = epoch.members.findIndex((member) => member.peer === this.peer);
    if (!version) return;
    const { step, chain } = name;
    if (this.#cluster.plant === "collect-before-logged") this.#collectAll();
    const isLate = this.#cluster.plant === "parity-of-another-step";
    this.#later(isLate ? 3_000 : 20, isLate ? 6_000 : 400, () => {
      const shards = order.writers.flatMap((ranks, shard) => (ranks.includes(rank) ? [shard] : []));
      const written = isLate ? (this.committed ?? version) : version;
      const { fault, parity } = storeShards(this.disk, written, { step, chain, shards }, order, this.#world);
      this.#cluster.invariants.onCollected(this.disk);
      if (fault === "torn") return this.#cluster.crash(this);
      const error = fault === "full" ? "the disk is full" : null;
      this.#send({
        kind: "stored",
        step,
        chain,
        shards: error ? [] : shards,
        parity: error ? [] : parity,
        error,
        ms: 10,
      });
    });
  }
}

/** `version` with one shard of its parameters not what was computed. */
function flipped(version: SimVersion, peer: string): SimVersion {
  const parameters = [...version.parameters];
  parameters[0] = parameterName(0, `flipped(${version.step} at ${peer})`);
  return simVersion(version.step, parameters, version.optimizer);
}

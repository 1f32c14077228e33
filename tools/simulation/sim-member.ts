/**
 * A member of a simulation: the real pure core over imaginary bytes. What the runner of a real tab does (links, sync,
 * steps, disk) happens here in virtual time, and can go wrong at every point.
 */
import type { Hash } from "../../src/base/hash.ts";
import {
  PROTOCOL_VERSION,
  type ClientMessage,
  type Inventory,
  type ServerMessage,
  type StoredGeneration,
} from "../../src/network/wire/messages.ts";
import {
  INITIAL_MEMBER,
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
import { GENESIS, labelOf, nextLabel, optimizerName, parameterName, simVersion, type SimVersion } from "./versions.ts";

/** What survives a tab: chunks and generation markers. */
export interface Disk {
  readonly device: string;
  readonly chunks: Set<Hash>;
  generations: StoredGeneration[];
}

const RECONNECT_MS = 400;
const HEARTBEAT_MS = 1_500;
const LINK_MS = 2_500;

export class SimMember {
  readonly peer: string;
  readonly disk: Disk;
  isAlive = true;
  isFrozen = false;
  committed: SimVersion | null = null;
  pending: SimVersion | null = null;
  state: MemberState = INITIAL_MEMBER;
  /** Optimizer shards of before the last syncs, kept until a step begins. */
  readonly #retired = new Map<Hash, number>();
  readonly #cluster: Cluster;
  #conn: string | null = null;
  #isPrepared = false;
  /** Grows with every cancel: late results of cancelled work are nobody's. */
  #workNumber = 0;
  /** What would have happened while frozen, to happen on waking. */
  #asleep: (() => void)[] = [];

  constructor(cluster: Cluster, peer: string, disk: Disk) {
    this.#cluster = cluster;
    this.peer = peer;
    this.disk = disk;
    this.#connect();
    this.#beat();
  }

  kill(): void {
    this.isAlive = false;
    const conn = this.#conn;
    this.#conn = null;
    if (conn) this.#world.after(this.#world.between(1, 30), () => this.#cluster.server.disconnect(conn));
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
    const conn = this.#conn;
    if (!conn) return;
    this.#cluster.server.disconnect(conn);
    this.#down(conn);
  }

  /** Counted on by the coordinator. */
  get isConnected(): boolean {
    return this.#conn !== null && this.#isPrepared;
  }

  /** In memory or on disk. */
  has(hash: Hash): boolean {
    return this.holds(hash) || this.disk.chunks.has(hash);
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
    const conn = this.#cluster.server.connect({
      onMessage: (message) => {
        const delayMs = this.#cluster.delayOf(`to ${conn}`);
        this.#world.after(delayMs, () => this.#awake(() => this.#receive(conn, message)));
      },
      onClose: () => this.#awake(() => this.#down(conn)),
    });
    if (conn === null) return this.#later(RECONNECT_MS, 2 * RECONNECT_MS, () => this.#connect());
    this.#conn = conn;
    const info = { peer: this.peer, device: this.disk.device, engine: "simulated" };
    this.#send({ kind: "hello", protocol: PROTOCOL_VERSION, room: "room", role: "member", info });
  }

  #down(conn: string | null): void {
    if (conn === null || conn !== this.#conn) return;
    this.#conn = null;
    this.#dispatch({ kind: "disconnected" });
    this.#later(RECONNECT_MS, 2 * RECONNECT_MS, () => this.#connect());
  }

  #beat(): void {
    this.#send({ kind: "heartbeat" });
    this.#later(HEARTBEAT_MS, HEARTBEAT_MS + 1, () => this.#beat());
  }

  #send(message: ClientMessage): void {
    const conn = this.#conn;
    if (conn) this.#world.after(this.#cluster.delayOf(conn), () => this.#cluster.server.receive(conn, message));
  }

  #receive(conn: string | null, message: ServerMessage): void {
    if (conn !== this.#conn) return;
    if (message.kind !== "welcome") return this.#dispatch({ kind: "server", message });
    if (this.#isPrepared) return this.#join();
    this.#later(100, 2_000, () => {
      this.#isPrepared = true;
      this.#join();
    });
  }

  #join(): void {
    this.#send({
      kind: "join",
      engine: "simulated",
      slots: 8,
      slotsPerSecond: this.#world.between(1, 4),
      inventory: this.#inventory(),
      genesis: { parameters: GENESIS.parameters, optimizer: [...GENESIS.optimizer.values()] },
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
        return;
      case "sync":
        return this.#sync(effect.epoch);
      case "step":
        return this.#step(effect.plan, effect.epoch);
      case "promote":
        this.committed = this.pending;
        this.pending = null;
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
    const rank = epoch.members.findIndex((member) => member.peer === this.peer);
    const { record, map } = epoch;
    const missing: Hash[] = [];
    const need = (hash: Hash, sources: readonly string[]): Hash => {
      const isThere =
        this.has(hash) ||
        sources.some((peer) => this.#cluster.canReach(this.peer, peer) && this.#cluster.member(peer)?.has(hash));
      if (!isThere) missing.push(hash);
      return hash;
    };
    let version: SimVersion | null = null;
    if (epoch.members[rank]?.role === "full") {
      const parameters = record.parameters.map((hash, shard) => need(hash, epoch.parameterSources[shard] ?? []));
      const optimizer = new Map<number, Hash>();
      record.optimizer.forEach((hash, shard) => {
        if (map.owner[shard] === rank || map.replica[shard] === rank) {
          optimizer.set(shard, need(hash, epoch.optimizerSources[shard] ?? []));
        }
      });
      version = simVersion(record.step, parameters, optimizer);
    }
    const { plant } = this.#cluster;
    if (version && plant === "keep-pending" && this.pending) this.committed = this.pending;
    if (version && ((plant === "stale-rejoin" && this.committed) || (plant === "keep-pending" && this.pending))) {
      const claimed = { parameterRoots: [version.parameterRoot], optimizer: [...version.optimizer] };
      return { kind: "synced", fence: epoch, inventory: { ...this.#inventory(), ...claimed } };
    }
    if (missing.length > 0) return this.#fail(epoch, "missing", [], missing);
    for (const old of [this.committed, this.pending]) {
      for (const [shard, hash] of old?.optimizer ?? []) this.#retired.set(hash, shard);
    }
    this.committed = version;
    this.pending = null;
    return { kind: "synced", fence: epoch, inventory: this.#inventory() };
  }

  #step(plan: PlanMessage, epoch: EpochMessage): void {
    this.#retired.clear();
    const work = this.#workNumber;
    const others = epoch.members.map((member) => member.peer).filter((peer) => peer !== this.peer);
    this.#later(20, 200, () => {
      if (work !== this.#workNumber) return;
      this.#cluster.meet(plan, epoch, this, () => {
        // Everybody's gradients are out; what is lost from here on may or may not reach this member.
        this.#later(5, 150, () =>
          this.#finish(work, () => {
            const dead = others.filter((peer) => !this.#cluster.canReach(this.peer, peer));
            if (dead.length > 0 && this.#world.chance(0.5)) return this.#fail(epoch, "lost in the step", dead, []);
            return this.#vote(plan, epoch);
          }),
        );
      });
    });
    this.#later(plan.deadlineMs, plan.deadlineMs + 1, () =>
      this.#finish(work, () => (this.state.activity === "stepping" ? this.#fail(epoch, "deadline", [], []) : null)),
    );
  }

  #vote(plan: PlanMessage, epoch: EpochMessage): MemberEvent {
    const rank = epoch.members.findIndex((member) => member.peer === this.peer);
    const labels = this.#cluster.labelsAtStep(plan, epoch);
    const label = nextLabel(plan.step, labels);
    const parameters = (this.committed ?? GENESIS).parameters.map((_, shard) => parameterName(shard, label));
    const optimizer = new Map<number, Hash>();
    epoch.map.owner.forEach((owner, shard) => {
      if (owner !== rank && epoch.map.replica[shard] !== rank) return;
      const source =
        this.#cluster.versionAtStep(plan, epoch, epoch.members[owner]?.peer ?? "")?.optimizer.get(shard) ?? "o-none";
      optimizer.set(shard, optimizerName(shard, nextLabel(plan.step, [labelOf(source), ...labels])));
    });
    const version = simVersion(plan.step, parameters, optimizer);
    this.pending = version;
    return {
      kind: "stepped",
      fence: epoch,
      vote: {
        kind: "vote",
        incarnation: plan.incarnation,
        epoch: plan.epoch,
        step: plan.step,
        parameterRoot: version.parameterRoot,
        parameters: parameters
          .map((hash, shard) => [shard, hash] as const)
          .filter(([shard]) => epoch.map.owner[shard] === rank),
        optimizer: [...optimizer],
        losses: (plan.slots[rank] ?? []).map((slot) => [slot, 1] as const),
        times: { compute: 100, network: 10, waiting: 0 },
        bytesSent: { gradients: 0, parameters: 0, optimizerReplica: 0, checkpoint: 0, join: 0, control: 0 },
        paths: {},
      },
    };
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
    this.#later(20, 400, () => {
      const shards = order.writers.flatMap((ranks, shard) => (ranks.includes(rank) ? [shard] : []));
      const isFull = this.#world.chance(this.#cluster.quotaChance);
      if (!isFull) {
        for (const shard of shards) {
          this.disk.chunks.add(version.parameters[shard] ?? "");
          this.disk.chunks.add(
            version.optimizer.get(shard) ?? optimizerName(shard, labelOf(version.parameters[shard] ?? "")),
          );
        }
        const others = this.disk.generations.filter((found) => order.keep.some((kept) => kept.chain === found.chain));
        this.disk.generations = [{ step, chain, shards }, ...others];
      }
      const error = isFull ? "the disk is full" : null;
      this.#send({ kind: "stored", step, chain, shards: isFull ? [] : shards, error, ms: 10 });
    });
  }
}

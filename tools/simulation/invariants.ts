/**
 * What must hold, checked at every event that could break it: each append to the log, each result that a member makes
 * its own, each state that it restores.
 */
import type { CommitRecord } from "../../src/network/wire/messages.ts";
import type { LogRecord } from "../../src/training/coordinator/protocol.ts";
import type { Generation, State } from "../../src/training/coordinator/state.ts";
import { isAtFence, type VersionName } from "../../src/training/recovery/member.ts";
import type { SimDisk } from "./sim-disk.ts";
import type { SimMember } from "./sim-member.ts";
import { labelOf, parametersOf, type SimVersion } from "./versions.ts";

/** A member counts as there when it has been for so long. */
const SETTLED_MS = 3_000;

/** What the checks look at. */
export interface Observed {
  readonly members: () => Iterable<SimMember>;
  readonly disks: readonly SimDisk[];
  readonly nowMs: () => number;
  /** True while messages are cut, doubled or out of order, so that the coordinator may know less than there is. */
  readonly isNoisy: () => boolean;
}

export class Invariants {
  readonly violations: string[] = [];
  rollbacks = 0;
  commits = 0;
  readonly #world: Observed;
  readonly #chains = new Set<string>();
  readonly #identities = new Set<string>();
  #last: CommitRecord | null = null;
  #generations: Generation[] = [];
  #incarnation = 0;
  /** Blows to members since the last commit, and between the one before and it: one alone must never cost a state. */
  #blows = { before: 0, since: 0 };
  /** Whether owners and replicas are different members, now and when the last two steps were committed. */
  #hasReplicas = false;
  #hadReplicas: readonly boolean[] = [false, false];

  constructor(world: Observed) {
    this.#world = world;
  }

  /** So many members lost memory or links. */
  blow(count: number): void {
    this.#blows.since += count;
  }

  onAppend(record: LogRecord, state: State): void {
    switch (record.kind) {
      case "incarnation":
        if (record.incarnation <= this.#incarnation) this.#fail(`incarnation ${record.incarnation} was there before`);
        this.#incarnation = record.incarnation;
        return;
      case "epoch": {
        const { owner, replica } = state.epoch?.map ?? { owner: [], replica: [] };
        this.#hasReplicas = owner.every((rank, shard) => rank !== replica[shard]);
        return;
      }
      case "commit":
        return this.#onCommit(record.record, state);
      case "checkpoint":
        this.#checkStored(record);
        this.#generations = [...this.#generations, record].slice(-2);
        return;
      case "rollback":
        return this.#onRollback(record.generation, record.step);
      default:
        return;
    }
  }

  /** A member made its pending result the committed one. */
  onPromoted(peer: string, name: VersionName, version: SimVersion | null): void {
    if (!this.#chains.has(name.chain)) this.#fail(`${peer} went on from step ${name.step}, which is in no log`);
    if (version?.parameterRoot !== name.parameterRoot) this.#fail(`${peer} went on from other bytes at ${name.step}`);
  }

  /** A member restored a state. */
  onSynced(peer: string, record: CommitRecord, version: SimVersion): void {
    const names = [...version.optimizer.values()];
    if (version.parameters !== parametersOf(`d${record.step}`)) names.push(...version.parameters);
    const wrong = names.find((name) => labelOf(name) !== `d${record.step}`);
    if (wrong) this.#fail(`${peer} restored ${wrong} for step ${record.step}`);
  }

  /** A member has deleted what it believes is no longer needed. */
  onCollected(disk: SimDisk): void {
    const newest = this.#generations.at(-1);
    if (!newest || disk.isDamaged) return;
    newest.holders.forEach((devices, shard) => {
      if (devices.includes(disk.device) && !isOnDisk(disk, newest.record, shard))
        this.#fail(`checkpoint ${newest.record.step}: ${disk.device} deleted shard ${shard}`);
    });
  }

  #fail(text: string): void {
    this.violations.push(text);
  }

  #onCommit(record: CommitRecord, state: State): void {
    const { step, incarnation, parameters, optimizer, previous, chain } = record;
    const wrong = [...parameters, ...optimizer].find((name) => labelOf(name) !== `d${step}`);
    if (wrong) this.#fail(`step ${step}: committed ${wrong}`);
    const identity = `${incarnation}/${step}`;
    if (step > 0 && this.#identities.has(identity)) this.#fail(`step ${step}: twice in incarnation ${incarnation}`);
    if (step > 0 && this.#last && (this.#last.chain !== previous || this.#last.step + 1 !== step))
      this.#fail(`step ${step}: does not follow the last commit`);
    if (incarnation < this.#incarnation) this.#fail(`step ${step}: committed under a fenced incarnation`);
    if (step > 0) this.#checkHeld(record, state);
    this.#identities.add(identity);
    this.#chains.add(chain);
    this.#blows = { before: this.#blows.since, since: 0 };
    this.#hadReplicas = [this.#hadReplicas[1] ?? false, this.#hasReplicas && step > 0];
    this.#last = record;
    this.commits += 1;
  }

  /** Whoever is counted on has the committed bytes: its parameters, its shards and its replicas. */
  #checkHeld(record: CommitRecord, { peers }: State): void {
    for (const member of this.#world.members()) {
      const { epoch } = member.state;
      const rank = epoch?.members.findIndex(({ peer }) => peer === member.peer) ?? -1;
      if (rank < 0 || !peers.has(member.peer) || !member.isAlive || member.isFrozen || !isAtFence(member.state, record))
        continue;
      const version = member.state.committed?.chain === record.chain ? member.committed : member.pending;
      if (version?.parameterRoot !== record.parameterRoot) {
        this.#fail(`step ${record.step}: committed while ${member.peer} holds other parameters`);
      }
      record.optimizer.forEach((hash, shard) => {
        if (epoch?.map.owner[shard] !== rank && epoch?.map.replica[shard] !== rank) return;
        if (version?.optimizer.get(shard) !== hash)
          this.#fail(`step ${record.step}: committed without ${member.peer}'s shard ${shard}`);
      });
    }
  }

  /** A logged checkpoint is on the disks that it names, but for what faults took. */
  #checkStored({ record, holders }: Extract<LogRecord, { kind: "checkpoint" }>): void {
    const disks = new Map(this.#world.disks.map((disk) => [disk.device, disk]));
    holders.forEach((devices, shard) => {
      for (const device of devices) {
        const disk = disks.get(device);
        if (!disk || disk.isDamaged || isOnDisk(disk, record, shard)) continue;
        this.#fail(`checkpoint ${record.step}: shard ${shard} is not on ${device}`);
      }
    });
  }

  #onRollback(generation: number, step: number): void {
    this.rollbacks += 1;
    const hasOneLoss = this.#blows.before + this.#blows.since < 2 && this.#hadReplicas.every(Boolean);
    if (hasOneLoss) this.#fail(`rolled back to ${step} for one loss`);
    if (this.#isCovered()) this.#fail(`rolled back to ${step} although every shard is alive`);
    for (const newer of this.#generations.filter((candidate) => candidate.generation > generation)) {
      if (this.#isRestorable(newer.record)) this.#fail(`rolled back to ${step} past checkpoint ${newer.record.step}`);
    }
    // From here on memory holds nothing: what was restored came from disks, each of which may fail alone.
    this.#hadReplicas = [false, false];
    this.#generations = this.#generations.filter((candidate) => candidate.generation <= generation);
    this.#last = this.#generations.at(-1)?.record ?? null;
  }

  /** True when members that all can reach one another have every byte of the last commit in memory. */
  #isCovered(): boolean {
    const record = this.#last;
    if (!record || this.#world.isNoisy()) return false;
    const living = this.#settled();
    return [...record.parameters, ...record.optimizer].every((hash) => living.some((member) => member.holds(hash)));
  }

  #isRestorable(record: CommitRecord): boolean {
    if (this.#world.isNoisy()) return false;
    const disks = this.#settled().map(({ disk }) => disk);
    return record.parameters.every((_, shard) =>
      disks.some(
        (disk) => isOnDisk(disk, record, shard) && disk.generations.some(({ chain }) => chain === record.chain),
      ),
    );
  }

  #settled(): SimMember[] {
    const nowMs = this.#world.nowMs();
    return [...this.#world.members()].filter(
      (member) => member.isAlive && !member.isFrozen && nowMs - member.joinedAtMs > SETTLED_MS,
    );
  }
}

function isOnDisk(disk: SimDisk, record: CommitRecord, shard: number): boolean {
  return disk.holds(record.parameters[shard] ?? "") && disk.holds(record.optimizer[shard] ?? "");
}

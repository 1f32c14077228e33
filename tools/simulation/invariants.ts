/**
 * What must hold, checked at every event that could break it: each append to the log, each result that a member makes
 * its own, each state that it restores.
 */
import { SHARDS, type CommitRecord } from "../../src/network/wire/state-record.ts";
import type { Effect, LogRecord } from "../../src/training/coordinator/protocol.ts";
import { HAND_OVER_MS } from "../../src/training/coordinator/retiring.ts";
import type { Generation, State } from "../../src/training/coordinator/state.ts";
import { isAtFence, type MemberEffect, type VersionName } from "../../src/training/recovery/member.ts";
import type { SimDisk } from "./sim-disk.ts";
import type { SimMember } from "./sim-member.ts";
import type { SimServer } from "./sim-server.ts";
import { labelOf, parametersOf, taintOf, type SimVersion } from "./versions.ts";

/** A member counts as there when it has been for so long. */
const SETTLED_MS = 3_000;
/** What was said so long ago has arrived, however slow the way is. */
const HEARD_MS = 3_000;
/** A coordinator's clock may run ahead by so much, however it jumps. */
const CLOCK_MS = 3_000;

/** What the checks look at. */
export interface Observed {
  readonly members: () => Iterable<SimMember>;
  readonly disks: readonly SimDisk[];
  readonly nowMs: () => number;
  /** True while messages are cut, doubled or out of order, so that the coordinator may know less than there is. */
  readonly isNoisy: () => boolean;
  /** True when another device, where there is one, computes every slot: then nothing wrong is ever committed. */
  readonly hasAllAudited: boolean;
}

export class Invariants {
  readonly violations: string[] = [];
  rollbacks = 0;
  commits = 0;
  /** Steps that a member began by measured links. */
  chosenSteps = 0;
  /** Steps that added something that a wrong driver computed. */
  wrongCommits = 0;
  /** Devices put out that were wrong. */
  readonly foundWrong: Set<string> = new Set();
  readonly #world: Observed;
  readonly #chains = new Set<string>();
  readonly #identities = new Set<string>();
  /** What the first member to begin a step chose its programs by. */
  #linksOfStep = { step: "", links: null as string | null };
  #last: CommitRecord | null = null;
  #generations: Generation[] = [];
  #incarnation = 0;
  /** Blows to members since the last commit, and between the one before and it: one alone must never cost a state. */
  #blows = { before: 0, since: 0 };
  /** Whether owners and replicas are different members, now and when the last two steps were committed. */
  #hasReplicas = false;
  /** Of the full members of the epoch at hand. */
  #fullDevices: ReadonlySet<string> = new Set();
  #hadReplicas: readonly boolean[] = [false, false];
  /** By device, as the log says. */
  readonly #putOutUntilMs = new Map<string, number>();

  constructor(world: Observed) {
    this.#world = world;
  }

  /** So many members lost memory or links. */
  blow(count: number): void {
    this.#blows.since += count;
  }

  /** A member was let go: its part is held elsewhere, or nobody needs it or can take it, or it has waited long enough. */
  onReleased(member: SimMember, state: State): void {
    if (state.phase.kind === "ended" || this.#isHandedOver(member.peer, state)) return;
    // Its memory is gone like that of a member that crashed.
    this.blow(1);
    const others = [...state.peers.values()].filter(({ status, retiring }) => status === "joined" && retiring === null);
    const waitedMs = this.#world.nowMs() - (member.farewellAtMs ?? Number.NEGATIVE_INFINITY);
    if (others.length > 0 && state.durable.record !== null && waitedMs < HAND_OVER_MS - CLOCK_MS)
      this.#fail(`${member.peer} was released before others held its part`);
  }

  /** True when the epoch at hand does without `peer`, and its living members hold what its map gives them. */
  #isHandedOver(peer: string, { epoch, durable }: State): boolean {
    const { record } = durable;
    if (!epoch || !record || epoch.members.some((member) => member.peer === peer)) return false;
    const members = new Map([...this.#world.members()].map((member) => [member.peer, member]));
    const has = (rank: number | undefined, hash: string): boolean => {
      const holder = members.get(epoch.members[rank ?? -1]?.peer ?? "");
      // One that died since is a loss of its own.
      return !holder?.isAlive || holder.holds(hash);
    };
    const { owner, replica } = epoch.map;
    return record.optimizer.every((hash, shard) => has(owner[shard], hash) && has(replica[shard], hash));
  }

  onAppend(record: LogRecord, server: SimServer): void {
    const { state } = server;
    switch (record.kind) {
      case "incarnation":
        if (record.incarnation <= this.#incarnation) this.#fail(`incarnation ${record.incarnation} was there before`);
        this.#incarnation = record.incarnation;
        return;
      case "epoch": {
        this.#checkCountedOn(record.members, server);
        this.#checkNotPutOut(record.members, server);
        const { owner, replica } = state.epoch?.map ?? { owner: [], replica: [] };
        this.#hasReplicas = owner.every((rank, shard) => rank !== replica[shard]);
        this.#fullDevices = fullDevices(state);
        return;
      }
      case "commit":
        return this.#onCommit(record.record, state);
      case "checkpoint":
        this.#checkStored(record);
        this.#generations = state.durable.generations.slice(-2);
        return;
      case "rollback":
        return this.#onRollback(record.generation, record.step);
      case "quarantine":
        this.#putOutUntilMs.set(record.device, record.untilWallMs);
        return;
      default:
        return;
    }
  }

  /** Whoever is put out loses what it held; who is right is put out only where no two others are there to say so. */
  onEffect(effect: Effect, before: State): void {
    if (effect.kind !== "send" || effect.message.kind !== "refused" || effect.message.code !== "mismatch") return;
    const peer = [...before.peers.values()].find(({ conn }) => conn === effect.conn);
    if (peer?.status !== "joined") return;
    this.blow(1);
    const { device } = peer.info;
    const wrong = new Set(this.#world.disks.flatMap((disk) => (disk.wrongness > 0 ? [disk.device] : [])));
    if (wrong.has(device)) return void this.foundWrong.add(device);
    const others = [...fullDevices(before)].filter((other) => other !== device && !wrong.has(other));
    if (others.length >= 2) this.#fail(`${device} was put out, and ${others.join(" and ")} are right like it`);
  }

  /** A member begins a step: with other programs than another's it would wait for messages that nobody sends. */
  onStep(peer: string, { plan, links }: Extract<MemberEffect, { kind: "step" }>): void {
    const step = `${plan.incarnation}/${plan.epoch}/${plan.step}`;
    if (this.#linksOfStep.step !== step) this.#linksOfStep = { step, links };
    else if (this.#linksOfStep.links !== links)
      this.#fail(`${peer} begins step ${plan.step} by other links than others`);
    if (links !== null) this.chosenSteps += 1;
  }

  /** A member made its pending result the committed one. */
  onPromoted(peer: string, name: VersionName, version: SimVersion | null): void {
    if (!this.#chains.has(name.chain)) this.#fail(`${peer} went on from step ${name.step}, which is in no log`);
    if (version?.parameterRoot !== name.parameterRoot) this.#fail(`${peer} went on from other bytes at ${name.step}`);
  }

  /** A member restored a state. */
  onSynced(peer: string, record: CommitRecord, version: SimVersion): void {
    const label = labelOf(record.parameters[0] ?? "");
    const names = [...version.optimizer.values()];
    if (version.parameters !== parametersOf(label)) names.push(...version.parameters);
    const wrong = names.find((name) => labelOf(name) !== label);
    if (wrong) this.#fail(`${peer} restored ${wrong} for step ${record.step}`);
  }

  /** A member has deleted what it believes is no longer needed. */
  onCollected(disk: SimDisk): void {
    const newest = this.#generations.at(-1);
    if (!newest || disk.isDamaged) return;
    newest.holders.forEach((devices, unit) => {
      if (devices.includes(disk.device) && !isOnDisk(disk, newest, unit))
        this.#fail(`checkpoint ${newest.record.step}: ${disk.device} deleted unit ${unit}`);
    });
  }

  #fail(text: string): void {
    this.violations.push(text);
  }

  #onCommit(record: CommitRecord, state: State): void {
    const { step, incarnation, parameters, optimizer, previous, chain } = record;
    const label = labelOf(parameters[0] ?? "");
    const taint = taintOf(label, step);
    const wrong = [...parameters, ...optimizer].find((name) => taint === null || labelOf(name) !== label);
    if (wrong) this.#fail(`step ${step}: committed ${wrong}`);
    if (step > 0 && taint !== this.#taint()) this.#onTaint(step);
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

  /** Nobody is counted on who has said that it goes, and was heard. */
  #checkCountedOn(members: readonly { readonly peer: string }[], server: SimServer): void {
    if (this.#world.isNoisy()) return;
    const counted = new Set(members.map(({ peer }) => peer));
    for (const member of this.#world.members()) {
      const { peer, isAlive, farewellAtMs } = member;
      if (!isAlive || !counted.has(peer) || !member.isAt(server) || farewellAtMs === null) continue;
      if (this.#world.nowMs() - farewellAtMs > HEARD_MS) this.#fail(`an epoch counts on ${peer}, which said it goes`);
    }
  }

  /** Nobody is counted on whose device was put out, whichever coordinator did it, before its time is over. */
  #checkNotPutOut(members: readonly { readonly device: string }[], server: SimServer): void {
    for (const { device } of members) {
      const leftMs = (this.#putOutUntilMs.get(device) ?? 0) - server.wallMs;
      if (leftMs > 0) this.#fail(`an epoch counts on ${device}, which was put out for ${leftMs} ms more`);
    }
  }

  /** Of the last commit. */
  #taint(): string | null {
    return this.#last ? taintOf(labelOf(this.#last.parameters[0] ?? ""), this.#last.step) : "";
  }

  #onTaint(step: number): void {
    this.wrongCommits += 1;
    if (this.#world.hasAllAudited && this.#fullDevices.size > 1)
      this.#fail(`step ${step}: committed what a wrong driver computed, though all was computed twice`);
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
  #checkStored(logged: Extract<LogRecord, { kind: "checkpoint" }>): void {
    const { record, holders, stripes = [] } = logged;
    const disks = new Map(this.#world.disks.map((disk) => [disk.device, disk]));
    holders.forEach((devices, unit) => {
      for (const device of devices) {
        const disk = disks.get(device);
        if (!disk || disk.isDamaged || isOnDisk(disk, { record, stripes }, unit)) continue;
        this.#fail(`checkpoint ${record.step}: unit ${unit} is not on ${device}`);
      }
    });
    for (const { shards, parity } of stripes) {
      const wrong = parity.find(({ parameter }) => labelOf(parameter) !== labelOf(record.parameters[0] ?? ""));
      if (wrong) this.#fail(`checkpoint ${record.step}: has ${wrong.parameter} for parity`);
      const devices = [...shards, ...parity.map(({ unit }) => unit)].flatMap((unit) => holders[unit] ?? []);
      if (new Set(devices).size < devices.length)
        this.#fail(`checkpoint ${record.step}: two parts of a stripe on one device`);
    }
  }

  #onRollback(generation: number, step: number): void {
    this.rollbacks += 1;
    const hasReplicas = this.#hasReplicas && this.#hadReplicas.every(Boolean);
    const hasOneLoss = this.#blows.before + this.#blows.since < 2 && hasReplicas;
    if (hasOneLoss) this.#fail(`rolled back to ${step} for one loss`);
    if (this.#isCovered()) this.#fail(`rolled back to ${step} although every shard is alive`);
    for (const newer of this.#generations.filter((candidate) => candidate.generation > generation)) {
      if (this.#isRestorable(newer)) this.#fail(`rolled back to ${step} past checkpoint ${newer.record.step}`);
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

  #isRestorable(generation: Generation): boolean {
    if (this.#world.isNoisy()) return false;
    const { record, stripes } = generation;
    const disks = this.#settled()
      .map(({ disk }) => disk)
      .filter((disk) => disk.generations.some(({ chain }) => chain === record.chain));
    const isHad = (unit: number): boolean => disks.some((disk) => isOnDisk(disk, generation, unit));
    return record.parameters.every((_, shard) => {
      const stripe = stripes.find(({ shards }) => shards.includes(shard));
      const units = stripe ? [...stripe.shards, ...stripe.parity.map(({ unit }) => unit)] : [];
      return isHad(shard) || (stripe !== undefined && units.filter(isHad).length >= stripe.shards.length);
    });
  }

  #settled(): SimMember[] {
    const nowMs = this.#world.nowMs();
    return [...this.#world.members()].filter(
      (member) => member.isAlive && !member.isReleased && !member.isFrozen && nowMs - member.joinedAtMs > SETTLED_MS,
    );
  }
}

/** Of the full members that the coordinator believes alive. */
function fullDevices({ epoch, peers }: State): Set<string> {
  const full = epoch?.members.filter(
    ({ role, peer }, rank) => role === "full" && peers.get(peer)?.conn === epoch.conns[rank],
  );
  return new Set(full?.map(({ device }) => device));
}

function isOnDisk(disk: SimDisk, { record, stripes }: Pick<Generation, "record" | "stripes">, unit: number): boolean {
  const parity =
    unit < SHARDS ? undefined : stripes.flatMap((stripe) => stripe.parity).find((entry) => entry.unit === unit);
  const [parameter, optimizer] = parity
    ? [parity.parameter, parity.optimizer]
    : [record.parameters[unit], record.optimizer[unit]];
  return disk.holds(parameter ?? "") && disk.holds(optimizer ?? "");
}

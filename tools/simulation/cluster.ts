/**
 * A whole cluster in one process under a seed: the real coordinator and the real member cores, imaginary bytes, virtual
 * time, and a script of faults. `invariants.ts` says what must hold all the while; and once faults stop, the run ends.
 */
import { Random } from "../../src/base/random.ts";
import type { RunSpec } from "../../src/network/wire/run-spec.ts";
import type { StragglerAction } from "../../src/network/wire/run-line.ts";
import { DEFAULT_LIMITS } from "../../src/training/coordinator/protocol.ts";
import { transition } from "../../src/training/coordinator/transition.ts";
import type { EpochMessage } from "../../src/training/recovery/member.ts";
import { drawFaults, drawWrongDrivers, inject, type FaultEvent } from "./faults.ts";
import { Invariants } from "./invariants.ts";
import type { Plant, PlantName } from "./plants/plant.ts";
import { PLANTS } from "./plants/plants.ts";
import { SimDisk } from "./sim-disk.ts";
import { SimMember } from "./sim-member.ts";
import { SimNetwork } from "./sim-network.ts";
import { SLOTS } from "./versions.ts";
import { SimLog, SimServer } from "./sim-server.ts";
import type { SimFrame } from "./sim-step.ts";
import { World } from "./world.ts";

export interface ClusterOptions {
  readonly seed: number;
  readonly nodes: number;
  readonly steps: number;
  /** Faults come on average this often; none for 0. */
  readonly faultEveryMs: number;
  /** No faults after this moment: then the run must finish. */
  readonly faultsUntilMs: number;
  /** A bug to plant, so that the checks can be seen to find it. */
  readonly plant?: PlantName;
  /** Checkpoints have parity wherever there are devices enough, instead of copies. */
  readonly hasParity?: boolean;
  /** Members are backed up and left out sooner, so that both happen in short runs. */
  readonly isHasty?: boolean;
  /** Drivers go wrong, and all slots of every step are computed twice, or one of some steps. */
  readonly audits?: Audits;
  /** Faults instead of those that the seed gives. */
  readonly script?: readonly FaultEvent[];
}

export type Audits = "all" | "some";

export interface ClusterResult {
  readonly violations: readonly string[];
  readonly faults: Readonly<Record<string, number>>;
  readonly simulatedMs: number;
  readonly commits: number;
  /** Steps that a member began by measured links. */
  readonly chosenSteps: number;
  readonly rollbacks: number;
  readonly epochs: number;
  /** What was done about stragglers, and how often. */
  readonly stragglers: Readonly<Record<StragglerAction, number>>;
  /** Steps committed with something that a wrong driver computed. */
  readonly wrongCommits: number;
  /** Devices put out whose drivers were wrong. */
  readonly foundWrong: number;
}

/** Virtual time that a run may take once faults have stopped, and for each of its steps. */
const FINISH_MS_MAX = 300_000;
const STEP_MS_MAX = 8_000;
const HASTE = { lateBackup: 1, lateDrop: 3 };
const PARITY = { lossChanceMax: 1, copiesMax: 0 };
const NO_AUDITS = { auditEvery: 0 };
const AUDITS = { all: { auditEvery: 1, auditSlots: SLOTS }, some: { auditEvery: 2, auditSlots: 1 } };
/** Until somebody reloads a page that was refused. */
const REFUSED_MS = [20_000, 60_000] as const;
/** Noise leaves traces in what the coordinator knows for so long. */
const NOISE_MS = 15_000;

export class Cluster {
  readonly world: World;
  readonly network: SimNetwork;
  readonly invariants: Invariants;
  readonly plant: PlantName | null;
  readonly disks: readonly SimDisk[];
  server: SimServer;
  readonly #options: ClusterOptions;
  readonly #planted: Plant | null;
  readonly #log: SimLog;
  readonly #members = new Map<string, SimMember>();
  readonly #faults: Record<string, number> = {};
  readonly #stragglers: Record<StragglerAction, number> = { less: 0, backup: 0, dropped: 0 };
  #peerCount = 0;
  #noisyAtMs = Number.NEGATIVE_INFINITY;
  #hasStopped = false;

  constructor(options: ClusterOptions) {
    this.#options = options;
    this.plant = options.plant ?? null;
    this.#planted = this.plant ? PLANTS[this.plant] : null;
    this.world = new World(options.seed);
    this.network = new SimNetwork(this.world);
    this.disks = Array.from({ length: options.nodes }, (_, index) => new SimDisk(`device-${index}`));
    for (const disk of this.disks) disk.isTrusting = this.plant === "trust-the-disk";
    this.invariants = new Invariants({
      members: () => this.#members.values(),
      disks: this.disks,
      nowMs: () => this.world.nowMs,
      isNoisy: () => this.#isNoisy(),
      hasAllAudited: auditsOf(options) === "all",
    });
    this.#log = new SimLog(specOf(options), (record, server) => this.invariants.onAppend(record, server));
    this.#log.isUnfenced = this.plant === "two-coordinators";
    this.server = this.#newServer();
  }

  run(): ClusterResult {
    const { faultsUntilMs, steps } = this.#options;
    this.server.start();
    for (const disk of this.disks) this.world.after(this.world.between(0, 3_000), () => this.#open(disk));
    for (const event of scriptOf(this.#options)) this.world.after(event.atMs, () => this.#strike(event));
    this.world.after(faultsUntilMs, () => this.#mend());
    const untilMs = faultsUntilMs + FINISH_MS_MAX + steps * STEP_MS_MAX;
    const { violations } = this.invariants;
    const isOver = (): boolean => this.server.state.durable.endDigests !== null;
    this.world.run(untilMs, () => isOver() || violations.length > 0);
    if (!isOver() && violations.length === 0) {
      const { phase, waitingReason, durable } = this.server.state;
      violations.push(`no end: step ${durable.record?.step}, ${phase.kind}, ${waitingReason ?? "no reason"}`);
    }
    return {
      violations,
      faults: this.#faults,
      simulatedMs: this.world.nowMs,
      commits: this.invariants.commits,
      chosenSteps: this.invariants.chosenSteps,
      rollbacks: this.invariants.rollbacks,
      epochs: this.server.state.durable.epoch,
      stragglers: this.#stragglers,
      wrongCommits: this.invariants.wrongCommits,
      foundWrong: this.invariants.foundWrong.size,
    };
  }

  member(peer: string): SimMember | undefined {
    return this.#members.get(peer);
  }

  /** Both ways, and both awake. */
  canReach(a: string, b: string): boolean {
    const [one, other] = [this.#members.get(a), this.#members.get(b)];
    if (!one?.isAlive || !other?.isAlive || one.isFrozen || other.isFrozen) return false;
    const [from, to] = [one.disk.device, other.disk.device];
    return this.network.canSend(from, to) && this.network.canSend(to, from);
  }

  /** To every other member of the epoch. */
  broadcast(from: SimMember, epoch: EpochMessage, frame: SimFrame): void {
    for (const { peer, device } of epoch.members) {
      if (peer === from.peer) continue;
      this.network.onLink(from.disk.device, device, () => this.#members.get(peer)?.onFrame(frame));
    }
  }

  /** One of the living members. */
  living(pick: number): SimMember | undefined {
    const living = [...this.#members.values()].filter((member) => member.isAlive);
    return living[Math.floor(pick * living.length)];
  }

  disk(pick: number): SimDisk {
    return this.disks[Math.floor(pick * this.disks.length)] as SimDisk;
  }

  blow(count: number): void {
    this.invariants.blow(count);
  }

  crash(member: SimMember | undefined): void {
    if (!member?.isAlive) return;
    this.blow(1);
    this.#close(member);
  }

  /** A member that said it goes is gone; one that was not released is a loss like any other. */
  depart(member: SimMember): void {
    if (!member.isReleased) this.blow(1);
    this.#close(member);
  }

  /** A page that was told to stop. */
  refused(member: SimMember): void {
    member.kill();
    this.world.after(this.world.between(...REFUSED_MS), () => this.#open(member.disk));
  }

  /** The server dies now or soon, and comes back after a while. */
  restart(crash: () => void, afterMs: number): void {
    crash();
    this.world.after(afterMs, () => this.#revive());
  }

  /** A second coordinator starts on the same log, and the first does not know. */
  takeOver(): void {
    const old = this.server;
    if (!old.isUp) return;
    this.server = this.#newServer();
    this.server.start();
    // Whoever watches the log learns sooner or later that another one leads.
    if (this.plant !== "two-coordinators") this.world.after(this.world.between(500, 15_000), () => old.crash());
  }

  #close(member: SimMember): void {
    member.kill();
    this.world.after(this.world.between(200, 20_000), () => this.#open(member.disk));
  }

  #newServer(): SimServer {
    const audits = auditsOf(this.#options);
    return new SimServer({
      world: this.world,
      log: this.#log,
      limits: {
        ...DEFAULT_LIMITS,
        ...(audits ? AUDITS[audits] : NO_AUDITS),
        ...(this.#options.hasParity ? PARITY : {}),
        ...(this.#options.isHasty ? HASTE : {}),
        ...this.#planted?.limits,
      },
      coordinator: this.#planted?.coordinator?.(transition) ?? transition,
      onLine: (line) => {
        if (line.type === "straggler") this.#stragglers[line.action] += 1;
      },
      onReplayed: this.#planted?.onReplayed,
      onEffect: (effect, before) => this.invariants.onEffect(effect, before),
    });
  }

  #isNoisy(): boolean {
    const { hasCuts, duplicateChance, reorderChance } = this.network;
    if (hasCuts || duplicateChance > 0 || reorderChance > 0) this.#noisyAtMs = this.world.nowMs;
    return this.world.nowMs - this.#noisyAtMs < NOISE_MS;
  }

  #open(disk: SimDisk): void {
    if ([...this.#members.values()].some((member) => member.isAlive && member.disk === disk)) return;
    for (const [peer, { isAlive }] of this.#members) if (!isAlive) this.#members.delete(peer);
    const peer = `peer-${String(this.#peerCount++).padStart(3, "0")}`;
    this.#members.set(peer, new SimMember(this, peer, disk));
  }

  #strike(event: FaultEvent): void {
    this.#faults[event.kind] = (this.#faults[event.kind] ?? 0) + 1;
    inject(this, event);
    this.#isNoisy();
  }

  #revive(): void {
    if (!this.server.isUp) this.server.start();
    else if (!this.#hasStopped) this.world.after(1_000, () => this.#revive());
  }

  /** The end of faults: everything is brought back. */
  #mend(): void {
    this.#isNoisy();
    this.#hasStopped = true;
    this.network.mend();
    this.server.crashAfter(null);
    for (const disk of this.disks) {
      disk.fullUntilMs = 0;
      disk.isTearing = false;
      this.world.after(this.world.between(100, 2_000), () => this.#open(disk));
    }
    this.#revive();
  }
}

function specOf({ seed, steps, nodes }: ClusterOptions): RunSpec {
  return { run: "simulated", seed, steps, checkpointEvery: 5, startWith: nodes, data: null, settings: {} };
}

/** The faults of a run: given, or drawn from the seed. */
export function scriptOf(options: ClusterOptions): readonly FaultEvent[] {
  const { seed, script, faultEveryMs, faultsUntilMs } = options;
  if (script) return script;
  const wrong = auditsOf(options) ? drawWrongDrivers(new Random(seed, "wrong drivers"), faultsUntilMs) : [];
  return [...drawFaults(seed, faultEveryMs, faultsUntilMs), ...wrong];
}

function auditsOf({ audits, plant }: ClusterOptions): Audits | undefined {
  return audits ?? (plant ? PLANTS[plant].audits : undefined);
}

/**
 * A whole cluster in one process under a seed: the real coordinator and the real member cores, imaginary bytes, virtual
 * time, and faults. Checked at every append: one record a step and incarnation, each following the one before, every
 * byte of it computed from the right state. Checked at the end: the run finishes once faults stop.
 */
import { assert } from "../../src/base/assert.ts";
import type { RunSpec } from "../../src/network/wire/messages.ts";
import { DEFAULT_LIMITS, type LogRecord } from "../../src/training/coordinator/protocol.ts";
import { isAtFence, type EpochMessage, type PlanMessage } from "../../src/training/recovery/member.ts";
import { SimMember, type Disk } from "./sim-member.ts";
import { SimServer } from "./sim-server.ts";
import { labelOf, type SimVersion } from "./versions.ts";
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
  readonly plant?: Plant;
}

/** Bugs that the simulation must find: each breaks one rule of the protocol. */
export const PLANTS = {
  "stale-rejoin": "a member keeps the state it has instead of getting the epoch's, and says it has the right one",
  "keep-pending": "a member goes on from a result that was voted for and never committed",
} as const;
export type Plant = keyof typeof PLANTS;

export interface ClusterResult {
  readonly violations: readonly string[];
  readonly faults: Readonly<Record<string, number>>;
  readonly simulatedMs: number;
  readonly rollbacks: number;
  readonly epochs: number;
}

/** Virtual time that a run may take once faults have stopped. */
const FINISH_MS_MAX = 300_000;

/** What can go wrong; crashes twice as often as the rest. */
const FAULTS = ["crash", "crash", "freeze", "server", "serverInside", "cut", "socket", "crashTwo", "crashAll"] as const;

interface Meeting {
  readonly versions: Map<string, SimVersion | null>;
  readonly waiting: (() => void)[];
}

export class Cluster {
  readonly world: World;
  readonly server: SimServer;
  readonly violations: string[] = [];
  quotaChance = 0.02;
  readonly plant: Plant | null;
  readonly #options: ClusterOptions;
  readonly #members = new Map<string, SimMember>();
  readonly #disks: Disk[];
  readonly #cuts = new Set<string>();
  readonly #meetings = new Map<string, Meeting>();
  readonly #faults: Record<string, number> = {};
  readonly #socketDelays = new Map<string, number>();
  #peerCount = 0;
  #last: Extract<LogRecord, { kind: "commit" }>["record"] | null = null;
  readonly #committed = new Set<string>();
  #rollbacks = 0;
  /** Blows to members since the last commit, and between the one before and it: one alone must never cost a state. */
  #blows = { before: 0, since: 0 };
  /** Whether owners and replicas were different members in the last two epochs. */
  #hadReplicas: readonly boolean[] = [false, false];

  constructor(options: ClusterOptions) {
    this.#options = options;
    this.plant = options.plant ?? null;
    this.world = new World(options.seed);
    const spec: RunSpec = {
      run: "simulated",
      seed: options.seed,
      steps: options.steps,
      checkpointEvery: 5,
      startWith: options.nodes,
      data: null,
      settings: {},
    };
    this.server = new SimServer(this.world, spec, DEFAULT_LIMITS, (record) => this.#check(record));
    this.#disks = Array.from({ length: options.nodes }, (_, index) => ({
      device: `device-${index}`,
      chunks: new Set(),
      generations: [],
    }));
  }

  run(): ClusterResult {
    this.server.start();
    for (const disk of this.#disks) this.world.after(this.world.between(0, 3_000), () => this.#open(disk));
    this.#scheduleFault();
    this.world.after(this.#options.faultsUntilMs, () => this.#mend());
    const untilMs = this.#options.faultsUntilMs + FINISH_MS_MAX;
    this.world.run(untilMs, () => this.server.state.durable.endDigests !== null || this.violations.length > 0);
    if (this.server.state.durable.endDigests === null && this.violations.length === 0) {
      const { phase, waitingReason, durable } = this.server.state;
      this.violations.push(`no end: step ${durable.record?.step}, ${phase.kind}, ${waitingReason ?? "no reason"}`);
    }
    return {
      violations: this.violations,
      faults: this.#faults,
      simulatedMs: this.world.nowMs,
      rollbacks: this.#rollbacks,
      epochs: this.server.state.durable.epoch,
    };
  }

  member(peer: string): SimMember | undefined {
    return this.#members.get(peer);
  }

  canReach(a: string, b: string): boolean {
    const [one, other] = [this.#members.get(a), this.#members.get(b)];
    if (!one?.isAlive || !other?.isAlive || one.isFrozen || other.isFrozen) return false;
    return !this.#cuts.has(key(one.disk.device, other.disk.device));
  }

  /** Delay of the next message on a socket: messages of one socket never overtake each other. */
  delayOf(conn: string): number {
    const atMs = Math.max((this.#socketDelays.get(conn) ?? 0) + 0.001, this.world.nowMs + this.world.between(1, 15));
    this.#socketDelays.set(conn, atMs);
    return atMs - this.world.nowMs;
  }

  /** The collective of a step: goes on when every member of the epoch has come. */
  meet(plan: PlanMessage, epoch: EpochMessage, member: SimMember, onAll: () => void): void {
    const name = meetingOf(plan, epoch);
    const meeting: Meeting = this.#meetings.get(name) ?? { versions: new Map(), waiting: [] };
    this.#meetings.set(name, meeting);
    meeting.versions.set(member.peer, member.committed);
    meeting.waiting.push(onAll);
    if (epoch.members.some(({ peer }) => !meeting.versions.has(peer))) return;
    if (epoch.members.some(({ peer }) => !isThere(this.#members.get(peer), epoch))) return;
    for (const go of meeting.waiting) go();
  }

  /** Labels of the parameters that the step's gradients were computed from. */
  labelsAtStep(plan: PlanMessage, epoch: EpochMessage): Set<string> {
    const labels = new Set<string>();
    plan.slots.forEach((slots, rank) => {
      if (slots.length === 0) return;
      const version = this.versionAtStep(plan, epoch, epoch.members[rank]?.peer ?? "");
      for (const name of version?.parameters ?? ["p-none"]) labels.add(labelOf(name));
    });
    return labels;
  }

  versionAtStep(plan: PlanMessage, epoch: EpochMessage, peer: string): SimVersion | null | undefined {
    return this.#meetings.get(meetingOf(plan, epoch))?.versions.get(peer);
  }

  #open(disk: Disk): void {
    if ([...this.#members.values()].some((member) => member.isAlive && member.disk === disk)) return;
    const peer = `peer-${String(this.#peerCount++).padStart(3, "0")}`;
    this.#members.set(peer, new SimMember(this, peer, disk));
  }

  #check(record: LogRecord): void {
    if (record.kind === "rollback") {
      this.#rollbacks += 1;
      if (this.#blows.before + this.#blows.since < 2 && this.#hadReplicas.every(Boolean))
        this.violations.push(`rolled back to ${record.step} for one loss`);
      if (this.#isCovered()) this.violations.push(`rolled back to ${record.step} although every shard is alive`);
      this.#last = null;
    }
    if (record.kind === "epoch") {
      const { owner, replica } = this.server.state.epoch?.map ?? { owner: [], replica: [] };
      this.#hadReplicas = [this.#hadReplicas[1] ?? false, owner.every((rank, shard) => rank !== replica[shard])];
    }
    if (record.kind !== "commit") return;
    const { step, incarnation, parameters, optimizer, previous, chain } = record.record;
    const fail = (text: string): void => void this.violations.push(`step ${step}: ${text}`);
    const wrong = [...parameters, ...optimizer].find((name) => labelOf(name) !== `d${step}`);
    if (wrong) fail(`committed ${wrong}`);
    if (step > 0 && this.#committed.has(`${incarnation}/${step}`))
      fail(`committed twice in incarnation ${incarnation}`);
    if (step > 0 && this.#last && (this.#last.chain !== previous || this.#last.step + 1 !== step))
      fail("does not follow the last commit");
    this.#committed.add(`${incarnation}/${step}`);
    this.#blows = { before: this.#blows.since, since: 0 };
    this.#last = record.record;
    assert(chain !== previous || step === 0, "a chain must change");
  }

  /** True when members that all can reach one another have every byte of the last commit in memory. */
  #isCovered(): boolean {
    const record = this.#last;
    const living = [...this.#members.values()].filter(
      (member) => member.isAlive && !member.isFrozen && member.isConnected,
    );
    if (!record || this.#cuts.size > 0) return false;
    return [...record.parameters, ...record.optimizer].every((hash) => living.some((member) => member.holds(hash)));
  }

  #scheduleFault(): void {
    if (this.#options.faultEveryMs <= 0) return;
    this.world.after(this.world.between(0, 2 * this.#options.faultEveryMs), () => {
      if (this.world.nowMs >= this.#options.faultsUntilMs) return;
      this.#fault();
      this.#scheduleFault();
    });
  }

  #fault(): void {
    const kind = this.world.random.pick(FAULTS);
    this.#faults[kind] = (this.#faults[kind] ?? 0) + 1;
    const living = [...this.#members.values()].filter((member) => member.isAlive);
    const victims = this.world.random.shuffle(living);
    const crash = (count: number): void => {
      for (const member of victims.slice(0, count)) {
        this.#blows.since += 1;
        member.kill();
        this.world.after(this.world.between(200, 20_000), () => this.#open(member.disk));
      }
    };
    switch (kind) {
      case "crash":
        return crash(1);
      case "crashTwo":
        return crash(2);
      case "crashAll":
        if (this.world.chance(0.3)) crash(victims.length);
        return;
      case "freeze":
        this.#blows.since += 1;
        victims[0]?.freeze(this.world.between(500, 30_000));
        return;
      case "server":
        return this.#restart(() => this.server.crash());
      case "serverInside":
        return this.#restart(() => this.server.crashAfter(this.world.random.below(40)));
      case "socket":
        victims[0]?.cutSocket();
        return;
      case "cut": {
        const pair = key(this.world.random.pick(this.#disks).device, this.world.random.pick(this.#disks).device);
        this.#blows.since += 2;
        this.#cuts.add(pair);
        this.world.after(this.world.between(1_000, 40_000), () => this.#cuts.delete(pair));
        return;
      }
    }
  }

  #restart(crash: () => void): void {
    crash();
    this.world.after(this.world.between(200, 5_000), () => this.#revive());
  }

  #revive(): void {
    if (!this.server.isUp) this.server.start();
    else this.world.after(1_000, () => this.#revive());
  }

  /** The end of faults: everything is brought back. */
  #mend(): void {
    this.#cuts.clear();
    this.quotaChance = 0;
    if (!this.server.isUp) this.server.start();
    for (const disk of this.#disks) this.world.after(this.world.between(100, 2_000), () => this.#open(disk));
  }
}

function key(a: string, b: string): string {
  return a < b ? `${a}|${b}` : `${b}|${a}`;
}

function meetingOf(plan: PlanMessage, epoch: EpochMessage): string {
  return `${epoch.incarnation}/${epoch.epoch}/${plan.step}`;
}

function isThere(member: SimMember | undefined, epoch: EpochMessage): boolean {
  return member !== undefined && member.isAlive && !member.isFrozen && isAtFence(member.state, epoch);
}

/**
 * One member's part of a simulated step: frames to and from every other member, any of which may be lost, late, doubled
 * or of another time. Gradients out, updates of owned shards back, and a version put together from what came. In a step
 * with backups gradients go out when the coordinator has decided whose slots count.
 */
import type { Hash } from "../../src/base/hash.ts";
import type { EpochMessage, Fence, PlanMessage } from "../../src/training/recovery/member.ts";
import type { PlantName } from "./plants/plant.ts";
import { labelOf, optimizerName, parameterName, parametersOf, simVersion, SLOTS } from "./versions.ts";
import { updatedLabel, type SimGradient, type SimVersion } from "./versions.ts";

/** What members send each other in a step. */
export interface SimFrame {
  readonly fence: Fence;
  readonly step: number;
  readonly rank: number;
  readonly body:
    | { readonly kind: "gradient"; readonly gradient: SimGradient }
    | { readonly kind: "update"; readonly label: string; readonly optimizer: ReadonlyMap<number, Hash> };
}

/** What a step needs of its member. */
export interface StepHost {
  readonly plan: PlanMessage;
  readonly epoch: EpochMessage;
  readonly rank: number;
  /** What it starts from; null for a listener. */
  readonly committed: SimVersion | null;
  readonly plant: PlantName | null;
  /** What a wrong driver leaves in the gradient. */
  readonly taint: string;
  readonly broadcast: (frame: SimFrame) => void;
  readonly onVersion: (version: SimVersion) => void;
}

export class SimStep {
  readonly #host: StepHost;
  readonly #gradients: { rank: number; gradient: SimGradient }[] = [];
  readonly #updates = new Map<number, Extract<SimFrame["body"], { kind: "update" }>>();
  /** Ranks whose slots are computed here. */
  readonly #computed = new Set<number>();
  /** Ranks whose slots count as their backups computed them; null before it is decided. */
  #late: readonly number[] | null;
  #hasGiven = false;
  #hasUpdated = false;
  #isDone = false;

  constructor(host: StepHost) {
    this.#host = host;
    this.#late = host.plan.backups ? null : [];
  }

  /** Slots that count as computed here; null before it is decided. */
  get slots(): readonly number[] | null {
    const { plan, rank } = this.#host;
    if (this.#late === null) return null;
    return plan.slots.flatMap((slots, of) => (this.#giverOf(of) === rank ? slots : []));
  }

  /** Ranks whose frames are still missing. */
  get awaited(): number[] {
    const { epoch } = this.#host;
    const owners = new Set(epoch.map.owner);
    const givers = this.#givers();
    return epoch.members
      .map((_, rank) => rank)
      .filter((rank) => {
        const lacksGradient = givers.has(rank) && !this.#gradients.some((got) => got.rank === rank);
        return lacksGradient || (owners.has(rank) && !this.#updates.has(rank));
      });
  }

  /** The slots planned for `of` are computed here. */
  computed(of: number): void {
    this.#computed.add(of);
    this.#give();
    this.#advance();
  }

  /** Decided, once: the slots of these ranks count as their backups computed them. */
  reduce(late: readonly number[]): void {
    if (this.#late !== null) return;
    this.#late = late;
    this.#give();
    this.#advance();
  }

  /** Sends what counts of the slots computed here, as soon as all of it is there. */
  #give(): void {
    const { plan, rank, committed, plant } = this.#host;
    const counted = [...plan.slots.keys()].filter((of) => this.#isCounted(of));
    if (this.#late === null || this.#hasGiven || !counted.every((of) => this.#computed.has(of))) return;
    this.#hasGiven = true;
    if (!this.#givers().has(rank)) return;
    const slots = counted.flatMap((of) => plan.slots[of] ?? []);
    const working = plan.slots.filter((list) => list.length > 0).length;
    const weight = plant === "mean-of-means" ? 1 / (working * slots.length) : 1 / SLOTS;
    const gradient: SimGradient = {
      labels: labelsOf(committed?.parameters ?? ["p-none"]),
      taint: this.#host.taint,
      weights: new Map(slots.map((slot) => [slot, weight])),
    };
    this.#send({ kind: "gradient", gradient });
  }

  /** True where the slots of `of` go into what is sent from here. */
  #isCounted(of: number): boolean {
    const { plan, rank, plant } = this.#host;
    if ((plan.slots[of]?.length ?? 0) === 0) return false;
    if (plant === "both-copies" && this.#computed.has(of)) return true;
    return this.#giverOf(of) === rank;
  }

  #giverOf(of: number): number {
    const { backups = [] } = this.#host.plan;
    return this.#late?.includes(of) ? (backups.find(([rank]) => rank === of)?.[1] ?? -1) : of;
  }

  /** Ranks that give something; before it is decided those that do by the plan. */
  #givers(): Set<number> {
    const { slots } = this.#host.plan;
    return new Set([...slots.keys()].filter((of) => (slots[of]?.length ?? 0) > 0).map((of) => this.#giverOf(of)));
  }

  receive(frame: SimFrame): void {
    const { plan, plant } = this.#host;
    const isOfIncarnation = frame.fence.incarnation === plan.incarnation || plant === "fence-without-incarnation";
    if (!isOfIncarnation || frame.fence.epoch !== plan.epoch || frame.step !== plan.step) return;
    if (frame.body.kind === "update") this.#updates.set(frame.rank, frame.body);
    else if (plant === "gradients-twice" || !this.#gradients.some(({ rank }) => rank === frame.rank)) {
      this.#gradients.push({ rank: frame.rank, gradient: frame.body.gradient });
    }
    this.#advance();
  }

  #send(body: SimFrame["body"]): void {
    const { plan, rank, broadcast } = this.#host;
    const frame = { fence: { incarnation: plan.incarnation, epoch: plan.epoch }, step: plan.step, rank, body };
    this.receive(frame);
    broadcast(frame);
  }

  #advance(): void {
    const { epoch, rank } = this.#host;
    const came = new Set(this.#gradients.map((got) => got.rank));
    if (this.#late === null || [...this.#givers()].some((giver) => !came.has(giver))) return;
    if (!this.#hasUpdated) {
      this.#hasUpdated = true;
      if (epoch.map.owner.includes(rank)) this.#send(this.#update());
    }
    if (this.#isDone || epoch.map.owner.some((owner) => !this.#updates.has(owner))) return;
    this.#isDone = true;
    this.#host.onVersion(this.#assemble());
  }

  /** Owned shards after the update. */
  #update(): Extract<SimFrame["body"], { kind: "update" }> {
    const { plan, epoch, rank, committed } = this.#host;
    const givers = this.#givers();
    const isTaken = ({ rank: from }: { rank: number }): boolean => givers.has(from);
    const gradients = this.#gradients.filter(isTaken).map(({ gradient }) => gradient);
    const label = updatedLabel(plan.step, gradients, []);
    const optimizer = new Map<number, Hash>();
    const labels = new Map<string, string>();
    epoch.map.owner.forEach((owner, shard) => {
      if (owner !== rank) return;
      const before = labelOf(committed?.optimizer.get(shard) ?? "o-none");
      const updated = labels.get(before) ?? updatedLabel(plan.step, gradients, [before]);
      labels.set(before, updated);
      optimizer.set(shard, optimizerName(shard, updated));
    });
    return { kind: "update", label, optimizer };
  }

  #assemble(): SimVersion {
    const { plan, epoch, rank } = this.#host;
    const labels = new Set([...this.#updates.values()].map(({ label }) => label));
    const [only] = labels;
    const labelAt = (owner: number): string => this.#updates.get(owner)?.label ?? "none";
    const parameters =
      labels.size === 1
        ? parametersOf(only ?? "none")
        : epoch.map.owner.map((owner, shard) => parameterName(shard, labelAt(owner)));
    const optimizer = new Map<number, Hash>();
    epoch.map.owner.forEach((owner, shard) => {
      if (owner !== rank && epoch.map.replica[shard] !== rank) return;
      optimizer.set(shard, this.#updates.get(owner)?.optimizer.get(shard) ?? "o-none");
    });
    return simVersion(plan.step, parameters, optimizer);
  }
}

function labelsOf(names: readonly Hash[]): Set<string> {
  const known = labelSets.get(names) ?? new Set(names.map(labelOf));
  labelSets.set(names, known);
  return known;
}

const labelSets = new WeakMap<readonly Hash[], Set<string>>();

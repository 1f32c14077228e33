/**
 * One member's part of a simulated step: frames to and from every other member, any of which may be lost, late, doubled
 * or of another time. Gradients out, updates of owned shards back, and a version put together from what came.
 */
import type { Hash } from "../../src/base/hash.ts";
import type { EpochMessage, Fence, PlanMessage } from "../../src/training/recovery/member.ts";
import type { PlantName } from "./plants/plant.ts";
import { labelOf, nextLabel, optimizerName, parameterName, parametersOf, simVersion, SLOTS } from "./versions.ts";
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
  readonly broadcast: (frame: SimFrame) => void;
  readonly onVersion: (version: SimVersion) => void;
}

export class SimStep {
  readonly #host: StepHost;
  readonly #gradients: { rank: number; gradient: SimGradient }[] = [];
  readonly #updates = new Map<number, Extract<SimFrame["body"], { kind: "update" }>>();
  #hasUpdated = false;
  #isDone = false;

  constructor(host: StepHost) {
    this.#host = host;
  }

  /** Ranks whose frames are still missing. */
  get awaited(): number[] {
    const { plan, epoch } = this.#host;
    const owners = new Set(epoch.map.owner);
    return epoch.members
      .map((_, rank) => rank)
      .filter((rank) => {
        const lacksGradient = (plan.slots[rank]?.length ?? 0) > 0 && !this.#gradients.some((got) => got.rank === rank);
        return lacksGradient || (owners.has(rank) && !this.#updates.has(rank));
      });
  }

  /** The own slots are computed. */
  computed(): void {
    const { plan, rank, committed } = this.#host;
    const slots = plan.slots[rank] ?? [];
    if (slots.length > 0) {
      const working = plan.slots.filter((list) => list.length > 0).length;
      const weight = this.#host.plant === "mean-of-means" ? 1 / (working * slots.length) : 1 / SLOTS;
      const gradient: SimGradient = {
        labels: labelsOf(committed?.parameters ?? ["p-none"]),
        weights: new Map(slots.map((slot) => [slot, weight])),
      };
      this.#send({ kind: "gradient", gradient });
    }
    this.#advance();
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
    const { plan, epoch, rank } = this.#host;
    const came = new Set(this.#gradients.map((got) => got.rank));
    if (plan.slots.some((slots, from) => slots.length > 0 && !came.has(from))) return;
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
    const gradients = this.#gradients.map(({ gradient }) => gradient);
    const label = updatedLabel(plan.step, gradients, []);
    const optimizer = new Map<number, Hash>();
    epoch.map.owner.forEach((owner, shard) => {
      if (owner !== rank) return;
      const before = labelOf(committed?.optimizer.get(shard) ?? "o-none");
      const isRight = label === `d${plan.step}`;
      optimizer.set(shard, optimizerName(shard, isRight ? nextLabel(plan.step, [before]) : label));
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

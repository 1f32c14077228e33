/**
 * One walk through a step with a limit on what is in memory: where the next kernel does not fit, something makes room;
 * where it misses something, that is computed again or moved back.
 *
 * What makes room is what costs least for its bytes and the time until it is needed, as in Kirisame et al., "Dynamic
 * Tensor Rematerialization" (2021), but that here the future is known. Checkpoints come of themselves: 256 layers and
 * their gradients take 193 extra kernels with 64 layers in memory, and 7,300 with 4.
 */
import { assert } from "../../../base/assert.ts";
import type { Action } from "./actions.ts";
import { MemoryState } from "./memory-state.ts";
import { costOfOffload } from "./prices.ts";
import type { StepModel } from "./step-model.ts";

/** What a walk may do. */
export interface WalkLimits {
  readonly bytesMax: number;
  readonly offload: boolean;
  /** The most that kernels which run again may cost, by the estimate at which values are dropped. 0 drops none. */
  readonly promisedMax: number;
  /** The walk is given up where kernels which run again have cost more. */
  readonly spentMax: number;
}

/**
 * The actions of a walk, or undefined where it costs more than it may. Where nothing can make room the limit is
 * exceeded, so the result has to be counted.
 */
export function walkWithin(model: StepModel, limits: WalkLimits): Action[] | undefined {
  return new Walk(model, limits).run();
}

interface Victim {
  readonly value: number;
  readonly isMoved: boolean;
  readonly cost: number;
  readonly score: number;
}

/** A value to get, or a kernel to run once more when what it reads has been got. */
type Task = { readonly kind: "get"; readonly value: number } | { readonly kind: "rerun"; readonly work: number };

class Walk {
  readonly #model: StepModel;
  readonly #limits: WalkLimits;
  readonly #state: MemoryState;
  readonly #actions: Action[] = [];
  #promised = 0;
  #spent = 0;

  constructor(model: StepModel, limits: WalkLimits) {
    this.#model = model;
    this.#limits = limits;
    this.#state = new MemoryState(model);
  }

  run(): Action[] | undefined {
    for (const [step, { inputs, outputs }] of this.#model.waves.entries()) {
      this.#gather(inputs);
      this.#makeRoom(this.#model.bytesOf(outputs));
      this.#actions.push({ kind: "run", step });
      this.#state.unlock(inputs);
      this.#state.add(outputs);
      this.#state.advance();
      if (this.#spent > this.#limits.spentMax) return undefined;
    }
    const kept = this.#model.values.map((_, value) => value).filter((value) => this.#state.nextUse(value) !== Infinity);
    this.#gather(kept);
    return this.#spent > this.#limits.spentMax ? undefined : this.#actions;
  }

  /** Gets `values` into memory and locks them. Without recursion: a chain may be as long as the step. */
  #gather(values: readonly number[]): void {
    this.#state.lock(values);
    const tasks: Task[] = values.map((value): Task => ({ kind: "get", value })).reverse();
    for (let task = tasks.pop(); task !== undefined; task = tasks.pop()) {
      if (this.#spent > this.#limits.spentMax) return;
      if (task.kind === "rerun") this.#rerun(task.work);
      else if (this.#state.isMoved(task.value)) this.#reload(task.value);
      else if (!this.#state.isResident(task.value)) {
        const work = this.#model.value(task.value).maker;
        const { inputs } = this.#model.work(work);
        this.#state.lock(inputs);
        tasks.push({ kind: "rerun", work });
        for (const value of [...inputs].reverse()) tasks.push({ kind: "get", value });
      }
    }
  }

  #reload(value: number): void {
    this.#makeRoom(this.#model.value(value).bytes);
    this.#actions.push({ kind: "reload", value });
    this.#state.add([value]);
  }

  /** Its inputs are there and locked. */
  #rerun(work: number): void {
    const { inputs, outputs, storedBytes, repeatableUntil } = this.#model.work(work);
    assert(this.#state.step <= repeatableUntil, "fitMemory: expected to run only what reads leaves as they were");
    this.#makeRoom(storedBytes);
    this.#actions.push({ kind: "rerun", work });
    this.#spent += this.#model.costOf(work);
    this.#state.unlock(inputs);
    this.#state.add(outputs);
  }

  #makeRoom(bytes: number): void {
    const usedMax = this.#limits.bytesMax - bytes;
    if (this.#state.usedBytes <= usedMax) return;
    this.#freeUnneeded(usedMax);
    while (this.#state.usedBytes > usedMax) {
      const victim = this.#cheapest();
      if (victim === undefined) return;
      if (victim.isMoved) this.#actions.push({ kind: "offload", value: victim.value });
      else this.#promised += victim.cost;
      this.#state.free(victim.value, victim.isMoved);
    }
  }

  /** Frees what nobody needs, largest first, until at most `usedMax` bytes are in use. */
  #freeUnneeded(usedMax: number): void {
    const keepsAnchors = this.#limits.promisedMax > 0;
    const free = this.#candidates().filter((value) => {
      return this.#state.nextNeed(value) === Infinity && !(keepsAnchors && this.#model.value(value).isAnchor);
    });
    free.sort((a, b) => this.#model.value(b).bytes - this.#model.value(a).bytes || a - b);
    for (const value of free) {
      if (this.#state.usedBytes <= usedMax) return;
      this.#state.free(value, false);
    }
  }

  #candidates(): number[] {
    const made = this.#model.madeBefore[this.#state.step] ?? this.#model.values.length;
    const out: number[] = [];
    for (let value = 0; value < made; value++) {
      if (this.#state.isResident(value) && !this.#state.isLocked(value)) out.push(value);
    }
    return out;
  }

  #cheapest(): Victim | undefined {
    let best: Victim | undefined;
    for (const value of this.#candidates()) {
      const gain = this.#model.value(value).bytes * (this.#state.nextNeed(value) - this.#state.step + 1);
      const cost = this.#costOfFreeing(value, gain * (best?.score ?? Infinity));
      const score = cost.cost / gain;
      if (score < (best?.score ?? Infinity)) best = { value, score, ...cost };
    }
    return best;
  }

  /** The cheaper way to free a value; what costs at least `costMax` may be said to cost Infinity. */
  #costOfFreeing(value: number, costMax: number): { cost: number; isMoved: boolean } {
    const { bytes, maker, isAnchor, remakableUntil } = this.#model.value(value);
    const moving = this.#limits.offload ? costOfOffload(bytes) : Infinity;
    const use = this.#state.nextUse(value);
    const left = Math.min(this.#limits.promisedMax - this.#promised, moving, costMax);
    const canRemake = !isAnchor && (use === Infinity || use <= remakableUntil) && this.#model.costOf(maker) < left;
    const remaking = canRemake ? this.#state.costOfRemaking(value) : Infinity;
    return remaking < left ? { cost: remaking, isMoved: false } : { cost: moving, isMoved: true };
  }
}

/** What is where while a plan is walked through: which values are in memory, in main memory or gone, and who needs them when. */
import type { StepModel } from "./step-model.ts";

/** The values of a `StepModel` at a place in a plan. Freed means that the bytes are gone, unless they were moved out. */
export class MemoryState {
  readonly model: StepModel;
  usedBytes = 0;
  /** All steps before this one have run. */
  step = 0;
  readonly #resident: Uint8Array;
  readonly #moved: Uint8Array;
  readonly #locks: Int32Array;
  /** For each value, how many of its uses are over. */
  readonly #over: Int32Array;
  readonly #needs: Float64Array;
  /** For each value, the walk that met it last. */
  readonly #met: Int32Array;
  #walks = 0;

  constructor(model: StepModel) {
    const count = model.values.length;
    this.model = model;
    this.#resident = new Uint8Array(count);
    this.#moved = new Uint8Array(count);
    this.#locks = new Int32Array(count);
    this.#over = new Int32Array(count);
    this.#needs = new Float64Array(count);
    this.#met = new Int32Array(count);
  }

  isResident(value: number): boolean {
    return this.#resident[value] === 1;
  }

  /** True for what is in main memory. */
  isMoved(value: number): boolean {
    return this.#moved[value] === 1;
  }

  isLocked(value: number): boolean {
    return (this.#locks[value] ?? 0) > 0;
  }

  /** Locked values stay until they are unlocked as often. */
  lock(values: readonly number[]): void {
    for (const value of values) this.#locks[value] = (this.#locks[value] ?? 0) + 1;
  }

  unlock(values: readonly number[]): void {
    for (const value of values) this.#locks[value] = (this.#locks[value] ?? 0) - 1;
  }

  add(values: readonly number[]): void {
    for (const value of values) {
      if (!this.isResident(value)) this.usedBytes += this.model.value(value).bytes;
      this.#resident[value] = 1;
      this.#moved[value] = 0;
    }
  }

  free(value: number, isMoved: boolean): void {
    this.usedBytes -= this.model.value(value).bytes;
    this.#resident[value] = 0;
    this.#moved[value] = isMoved ? 1 : 0;
  }

  /** After step `step`: what it read needs its next reader. */
  advance(): void {
    const read = (this.model.worksOf[this.step] ?? []).flatMap((number) => this.model.work(number).inputs);
    for (const value of new Set(read)) this.#over[value] = (this.#over[value] ?? 0) + 1;
    this.step += 1;
  }

  /** The next step that reads `value`, Infinity for none. */
  nextUse(value: number): number {
    return this.model.value(value).uses[this.#over[value] ?? 0] ?? Infinity;
  }

  /**
   * For each value the next step that needs it, Infinity for none: that reads it, or something gone that would have to be
   * computed from it again. Valid until the next call. Linear in the reads.
   */
  needs(): Float64Array {
    const needs = this.#needs;
    const made = this.model.madeBefore[this.step] ?? this.model.values.length;
    for (let value = made - 1; value >= 0; value--) {
      let need = this.nextUse(value);
      for (const dependent of this.model.value(value).dependents) {
        if (dependent < made && this.#isGone(dependent)) need = Math.min(need, needs[dependent] ?? Infinity);
      }
      needs[value] = need;
    }
    return needs;
  }

  /** The price of computing `value` again, with all that it would be computed from and is gone. */
  costOfRemaking(value: number): number {
    this.#walks += 1;
    const stack = [value];
    const makers = new Set<number>();
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      const { maker } = this.model.value(next);
      if (makers.has(maker)) continue;
      makers.add(maker);
      for (const input of this.model.work(maker).inputs) {
        if (!this.#isGone(input) || this.#met[input] === this.#walks) continue;
        this.#met[input] = this.#walks;
        stack.push(input);
      }
    }
    let cost = 0;
    for (const maker of makers) cost += this.model.costOf(maker);
    return cost;
  }

  #isGone(value: number): boolean {
    return this.#resident[value] !== 1 && this.#moved[value] !== 1;
  }
}

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
  /** Infinity for what is not made yet. */
  readonly #needs: Float64Array;
  /** For each kernel, the walk that met it last. */
  readonly #met: Int32Array;
  #walks = 0;

  constructor(model: StepModel) {
    const count = model.values.length;
    this.model = model;
    this.#resident = new Uint8Array(count);
    this.#moved = new Uint8Array(count);
    this.#locks = new Int32Array(count);
    this.#over = new Int32Array(count);
    this.#needs = new Float64Array(count).fill(Infinity);
    this.#met = new Int32Array(model.works.length);
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
      this.#findNeeds([value, ...this.#sourcesOf(value)]);
    }
  }

  free(value: number, isMoved: boolean): void {
    this.usedBytes -= this.model.value(value).bytes;
    this.#resident[value] = 0;
    this.#moved[value] = isMoved ? 1 : 0;
    if (!isMoved) this.#findNeeds(this.#sourcesOf(value));
  }

  /** After step `step`: what it read needs its next reader. */
  advance(): void {
    const read = this.model.waves[this.step]?.inputs ?? [];
    for (const value of read) this.#over[value] = (this.#over[value] ?? 0) + 1;
    this.step += 1;
    this.#findNeeds(read);
  }

  /** The next step that reads `value`, Infinity for none. */
  nextUse(value: number): number {
    return this.model.value(value).uses[this.#over[value] ?? 0] ?? Infinity;
  }

  /**
   * The next step that needs `value`, Infinity for none: that reads it, or something gone that would have to be computed
   * from it again.
   */
  nextNeed(value: number): number {
    return this.#needs[value] ?? Infinity;
  }

  /** Brings the needs of `values` up to date, and of what they were computed from where they are gone. */
  #findNeeds(values: readonly number[]): void {
    const stack = [...values];
    for (let value = stack.pop(); value !== undefined; value = stack.pop()) {
      let need = this.nextUse(value);
      for (const dependent of this.model.value(value).dependents) {
        if (this.#isGone(dependent)) need = Math.min(need, this.#needs[dependent] ?? Infinity);
      }
      if (need === this.#needs[value]) continue;
      this.#needs[value] = need;
      if (this.#isGone(value)) stack.push(...this.#sourcesOf(value));
    }
  }

  #sourcesOf(value: number): readonly number[] {
    return this.model.work(this.model.value(value).maker).inputs;
  }

  /** The price of computing `value` again, with all that it would be computed from and is gone. */
  costOfRemaking(value: number): number {
    this.#walks += 1;
    let cost = 0;
    const stack = [this.model.value(value).maker];
    for (let maker = stack.pop(); maker !== undefined; maker = stack.pop()) {
      if (this.#met[maker] === this.#walks) continue;
      this.#met[maker] = this.#walks;
      cost += this.model.costOf(maker);
      for (const input of this.model.work(maker).inputs) {
        if (this.#isGone(input)) stack.push(this.model.value(input).maker);
      }
    }
    return cost;
  }

  #isGone(value: number): boolean {
    return this.#resident[value] !== 1 && this.#moved[value] !== 1;
  }
}

/**
 * Whether bounded whole numbers can satisfy linear equations and inequalities: what a question about a dependence is.
 *
 * Exact: bounds are narrowed by every constraint until nothing changes, then the range of one variable is cut in half
 * and both halves are tried. The systems of index expressions are small and mostly decided by narrowing alone; one that is not
 * within STEPS_MAX halvings stays open, and whoever asked assumes the worst.
 */
import type { Interval } from "../interval.ts";

/** constant + the sum of factor * variable. */
export interface Linear {
  readonly constant: number;
  readonly terms: ReadonlyMap<string, number>;
}

/** Halvings before a system counts as open. */
const STEPS_MAX = 20_000;

export function linear(constant: number, terms: Iterable<readonly [string, number]> = []): Linear {
  const out = new Map<string, number>();
  for (const [name, factor] of terms) {
    const sum = (out.get(name) ?? 0) + factor;
    if (sum === 0) out.delete(name);
    else out.set(name, sum);
  }
  return { constant, terms: out };
}

/** a + factor * b */
export function addLinear(a: Linear, b: Linear, factor: number = 1): Linear {
  const scaled = [...b.terms].map(([name, of]) => [name, of * factor] as const);
  return linear(a.constant + b.constant * factor, [...a.terms, ...scaled]);
}

/** Values of all variables; or that there are none; or that it was not found out. */
export type Solution = ReadonlyMap<string, number> | "none" | "open";

interface Constraint {
  readonly constant: number;
  readonly terms: readonly (readonly [at: number, factor: number])[];
  /** True for = 0, false for >= 0. */
  readonly isEqual: boolean;
}

export class IntegerSystem {
  readonly #names: string[] = [];
  readonly #places = new Map<string, number>();
  readonly #low: number[] = [];
  readonly #high: number[] = [];
  readonly #constraints: Constraint[] = [];
  /** Variables that some constraint has. */
  readonly #used = new Set<number>();
  #steps = 0;

  /** A variable of bounds that are known; a second call narrows them. */
  variable(name: string, { min, max }: Interval): void {
    const at = this.#places.get(name);
    if (at === undefined) {
      this.#places.set(name, this.#names.length);
      this.#names.push(name);
      this.#low.push(min);
      this.#high.push(max);
      return;
    }
    this.#low[at] = Math.max(this.#low[at] ?? min, min);
    this.#high[at] = Math.min(this.#high[at] ?? max, max);
  }

  /** x = 0 */
  equal(x: Linear): void {
    this.#add(x, true);
  }

  /** x >= 0 */
  atLeastZero(x: Linear): void {
    this.#add(x, false);
  }

  solve(): Solution {
    this.#steps = 0;
    const found = this.#search([...this.#low], [...this.#high]);
    if (typeof found === "string") return found;
    return new Map(this.#names.map((name, at) => [name, found[at] ?? 0]));
  }

  #add(x: Linear, isEqual: boolean): void {
    const terms = [...x.terms].map(([name, factor]): [number, number] => [this.#places.get(name) ?? -1, factor]);
    for (const [at] of terms) this.#used.add(at);
    this.#constraints.push({ constant: x.constant, terms, isEqual });
  }

  #search(low: number[], high: number[]): number[] | "none" | "open" {
    if (!this.#narrow(low, high)) return "none";
    const at = this.#narrowest(low, high);
    if (at === undefined) return low;
    this.#steps += 1;
    if (this.#steps > STEPS_MAX) return "open";
    const middle = Math.floor(((low[at] ?? 0) + (high[at] ?? 0)) / 2);
    const below = this.#search([...low], high.with(at, middle));
    if (below !== "none") return below;
    return this.#search(low.with(at, middle + 1), [...high]);
  }

  /** The variable with the fewest values, but more than one, of those that matter. */
  #narrowest(low: readonly number[], high: readonly number[]): number | undefined {
    let best: number | undefined;
    let fewest = Infinity;
    for (const at of this.#used) {
      const count = (high[at] ?? 0) - (low[at] ?? 0);
      if (count === 0 || count >= fewest) continue;
      [best, fewest] = [at, count];
    }
    return best;
  }

  /** Narrows bounds by all constraints, as far as that goes; false where nothing is left. */
  #narrow(low: number[], high: number[]): boolean {
    for (let isChanged = true; isChanged;) {
      isChanged = false;
      for (const constraint of this.#constraints) {
        const change = narrowBy(constraint, low, high);
        if (change === "empty") return false;
        isChanged ||= change === "changed";
      }
    }
    return low.every((bound, at) => bound <= (high[at] ?? bound));
  }
}

function narrowBy(
  { constant, terms, isEqual }: Constraint,
  low: number[],
  high: number[],
): "empty" | "changed" | "same" {
  let { least, most } = { least: constant, most: constant };
  let divisor = 0;
  for (const [at, factor] of terms) {
    const [min, max] = [low[at] ?? 0, high[at] ?? 0];
    least += factor * (factor > 0 ? min : max);
    most += factor * (factor > 0 ? max : min);
    divisor = gcd(divisor, Math.abs(factor));
  }
  if (most < 0 || (isEqual && least > 0)) return "empty";
  if (isEqual && divisor > 1 && constant % divisor !== 0) return "empty";
  let isChanged = false;
  for (const [at, factor] of terms) {
    const [min, max] = [low[at] ?? 0, high[at] ?? 0];
    // factor * x lies in [-(most of the others), -(least of the others)]; the upper end only for equations.
    const floor = -(most - factor * (factor > 0 ? max : min));
    const ceiling = isEqual ? -(least - factor * (factor > 0 ? min : max)) : Infinity;
    const newMin = Math.ceil((factor > 0 ? floor : ceiling) / factor);
    const newMax = Math.floor((factor > 0 ? ceiling : floor) / factor);
    if (newMin > min) low[at] = newMin;
    if (newMax < max) high[at] = newMax;
    if (newMin > max || newMax < min) return "empty";
    isChanged ||= newMin > min || newMax < max;
    // The sums above used the old bounds, which are only wider: still right, and seen again in the next round.
  }
  return isChanged ? "changed" : "same";
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}

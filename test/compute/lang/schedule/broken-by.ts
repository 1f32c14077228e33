/** By brute force: whether a transformation would make two uses of one element change places. */
import type { LoopNest } from "../../../../src/compute/lang/schedule/loop-nest.ts";
import { dependOnEachOther, type Moment, type Use } from "./run-nest.ts";

/** A transformation whose legality depends on dependences. */
export type Change =
  | { readonly kind: "reorder"; readonly order: readonly string[] }
  | { readonly kind: "fuse"; readonly first: string; readonly second: string }
  | { readonly kind: "vectorize"; readonly loop: string }
  | { readonly kind: "parallelize"; readonly loop: string };

/** Two dependent uses that the change brings out of order; undefined where there are none. */
export function brokenBy(nest: LoopNest, uses: readonly Use[], change: Change): readonly [Use, Use] | undefined {
  const elements = new Map<string, { readonly use: Use; readonly time: readonly number[] }[]>();
  for (const use of uses) {
    const key = `${use.array} ${use.element}`;
    const list = elements.get(key) ?? [];
    elements.set(key, list);
    list.push({ use, time: newTime(use.time, change) });
  }
  for (const list of elements.values()) {
    for (const [i, earlier] of list.entries()) {
      for (const later of list.slice(i + 1)) {
        const isOut =
          change.kind === "parallelize"
            ? runAtOnce(earlier.use.time, later.use.time, change.loop)
            : compare(later.time, earlier.time) < 0;
        if (!isOut) continue;
        const mayReorder = change.kind !== "parallelize";
        if (dependOnEachOther(nest, earlier.use, later.use, mayReorder)) return [earlier.use, later.use];
      }
    }
  }
  return undefined;
}

function newTime(time: readonly Moment[], change: Change): number[] {
  const numberOf = (moment: Moment): number =>
    "step" in moment ? moment.step : "loop" in moment ? moment.counter : moment.phase;
  const at = (name: string): number => time.findIndex((moment) => "loop" in moment && moment.loop === name);
  const numbers = time.map(numberOf);
  switch (change.kind) {
    case "reorder": {
      const places = change.order.map(at);
      if (places.includes(-1)) return numbers;
      const sorted = [...places].sort((a, b) => a - b);
      const out = [...numbers];
      for (const [i, place] of sorted.entries()) out[place] = numbers[places[i] ?? 0] ?? 0;
      return out;
    }
    case "fuse": {
      const isFirst = at(change.first) >= 0;
      const place = isFirst ? at(change.first) : at(change.second);
      if (place < 0) return numbers;
      // The second loop comes where the first one was, and its steps after those.
      const step = (numbers[place - 1] ?? 0) - (isFirst ? 0 : 1);
      return [...numbers.slice(0, place - 1), step, numbers[place] ?? 0, isFirst ? 0 : 1, ...numbers.slice(place + 1)];
    }
    case "vectorize": {
      const place = at(change.loop);
      if (place < 0) return numbers;
      return [...numbers.slice(0, place), ...numbers.slice(place + 1), numbers[place] ?? 0];
    }
    case "parallelize":
      return numbers;
  }
}

/** True for uses in different iterations of `loop`, and the same of what is around it. */
function runAtOnce(a: readonly Moment[], b: readonly Moment[], loop: string): boolean {
  for (const [i, moment] of a.entries()) {
    const other = b[i];
    if (other === undefined || !("loop" in moment) || !("loop" in other)) continue;
    if (moment.loop === loop) return moment.counter !== other.counter;
    if (moment.counter !== other.counter) return false;
  }
  return false;
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Seeded random transformations of a nest. */
import type { Random } from "../../../../src/base/random.ts";
import { cacheInRegisters } from "../../../../src/compute/lang/schedule/cache-in-registers.ts";
import { cacheInWorkgroup } from "../../../../src/compute/lang/schedule/cache-in-workgroup.ts";
import { collapse } from "../../../../src/compute/lang/schedule/collapse.ts";
import { fuse } from "../../../../src/compute/lang/schedule/fuse.ts";
import type { Loop, LoopNest, Step } from "../../../../src/compute/lang/schedule/loop-nest.ts";
import { parallelize } from "../../../../src/compute/lang/schedule/parallelize.ts";
import { reorder } from "../../../../src/compute/lang/schedule/reorder.ts";
import { split } from "../../../../src/compute/lang/schedule/split.ts";
import { unroll } from "../../../../src/compute/lang/schedule/unroll.ts";
import { vectorize } from "../../../../src/compute/lang/schedule/vectorize.ts";
import type { Change } from "./broken-by.ts";

export interface RandomChange {
  readonly words: string;
  apply(nest: LoopNest): LoopNest;
  /** What may break a dependence, for `brokenBy`. */
  readonly change?: Change;
}

/** Marks come rarely before the end: marked loops stay as they are. */
export function randomChange(random: Random, nest: LoopNest, isLate: boolean): RandomChange {
  const loops = loopsOf(nest.body);
  const loop = random.pick(loops);
  const inside = loopsOf(loop.body);
  const kinds = isLate
    ? ["unroll", "vectorize", "vectorize", "parallelize", "parallelize", "registers", "workgroup"]
    : ["split", "reorder", "reorder", "fuse", "fuse", "collapse", "registers"];
  switch (random.pick(kinds)) {
    case "split": {
      const factor = 1 + random.below(4);
      return { words: `split(${loop.name}, ${factor})`, apply: (it) => split(it, loop.name, factor) };
    }
    case "reorder": {
      const nested = loops.filter((outer) => chainBelow(outer).length > 0);
      const outer = nested.length > 0 ? random.pick(nested) : loop;
      const band = [outer, ...chainBelow(outer)].slice(0, 2 + random.below(3)).map(({ name }) => name);
      const order = random.shuffle(band);
      return { words: `reorder(${order})`, apply: (it) => reorder(it, order), change: { kind: "reorder", order } };
    }
    case "fuse": {
      const pairs = siblingPairs(nest.body);
      const [first, second] = pairs.length > 0 ? random.pick(pairs) : [loop.name, loop.name];
      const change: Change = { kind: "fuse", first, second };
      return { words: `fuse(${first}, ${second})`, apply: (it) => fuse(it, first, second), change };
    }
    case "collapse": {
      const { name } = inside[0] ?? loop;
      return { words: `collapse(${loop.name}, ${name})`, apply: (it) => collapse(it, loop.name, name) };
    }
    case "unroll":
      return { words: `unroll(${loop.name})`, apply: (it) => unroll(it, loop.name) };
    case "vectorize": {
      const { name } = inside.at(-1) ?? loop;
      const change: Change = { kind: "vectorize", loop: name };
      return { words: `vectorize(${name})`, apply: (it) => vectorize(it, name), change };
    }
    case "parallelize": {
      const outermost = loops.find(({ run }) => run === "serial") ?? loop;
      const over = random.pick(["workgroups", "lanes"] as const);
      const words = `parallelize(${outermost.name}, ${over})`;
      const change: Change = { kind: "parallelize", loop: outermost.name };
      return { words, apply: (it) => parallelize(it, outermost.name, over), change };
    }
    case "registers": {
      const { name } = random.pick(nest.arrays);
      return { words: `cacheInRegisters(${name}, ${loop.name})`, apply: (it) => cacheInRegisters(it, name, loop.name) };
    }
    default: {
      const { name } = random.pick(nest.arrays);
      return { words: `cacheInWorkgroup(${name}, ${loop.name})`, apply: (it) => cacheInWorkgroup(it, name, loop.name) };
    }
  }
}

function loopsOf(steps: readonly Step[]): Loop[] {
  return steps.flatMap((step) => (step.kind === "loop" ? [step, ...loopsOf(step.body)] : []));
}

/** The loops that each hold nothing but the next. */
function chainBelow(loop: Loop): Loop[] {
  const [below, ...more] = loop.body;
  return below?.kind === "loop" && more.length === 0 ? [below, ...chainBelow(below)] : [];
}

function siblingPairs(steps: readonly Step[]): [string, string][] {
  return steps.flatMap((step, i): [string, string][] => {
    if (step.kind !== "loop") return [];
    const next = steps[i + 1];
    const own: [string, string][] = next?.kind === "loop" ? [[step.name, next.name]] : [];
    return [...own, ...siblingPairs(step.body)];
  });
}

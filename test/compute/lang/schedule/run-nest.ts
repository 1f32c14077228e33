/**
 * What a nest means, step by step on one thread, with a record of every use of an element: plain, slow, and shared with
 * neither the analysis nor the lowering.
 */
import type { Expr } from "../../../../src/compute/lang/kernel.ts";
import { foldBinary } from "../../../../src/compute/lang/scalar-functions.ts";
import type { Assign, LoopNest, Step } from "../../../../src/compute/lang/schedule/loop-nest.ts";
import { operandsOf } from "../../../../src/compute/lang/walk.ts";
import { interpret } from "../interpret.ts";

/** One use of one element. */
export interface Use {
  readonly array: number;
  readonly element: number;
  /** An update loads and stores. */
  readonly kind: "load" | "store" | "update";
  readonly assign: Assign;
  /** When: places of steps in their blocks, and counters of the loops between. */
  readonly time: readonly Moment[];
}

/** A step's place in its block; what a loop's counter was; or what part of a statement it is (loads are 0). */
export type Moment =
  { readonly step: number } | { readonly loop: string; readonly counter: number } | { readonly phase: number };

type Arrays = (Float32Array | Int32Array | Uint32Array)[];

/** Runs the nest on `arrays`, its bindings; gives all its arrays afterwards, and what it did in order. */
export function runNest(nest: LoopNest, arrays: Arrays): { arrays: Arrays; uses: Use[] } {
  const run = new Run(nest, arrays);
  run.steps(nest.body, []);
  return run;
}

class Run {
  readonly arrays: Arrays;
  readonly uses: Use[] = [];
  readonly #nest: LoopNest;
  readonly #counters = new Map<string, number>();

  constructor(nest: LoopNest, arrays: Arrays) {
    this.#nest = nest;
    this.arrays = nest.arrays.map(({ type, length }, i) => {
      const given = arrays[i];
      if (given !== undefined) return given.slice();
      return type === "i32"
        ? new Int32Array(length)
        : type === "u32"
          ? new Uint32Array(length)
          : new Float32Array(length);
    });
  }

  steps(steps: readonly Step[], time: readonly Moment[]): void {
    for (const [place, step] of steps.entries()) {
      const now = [...time, { step: place }];
      if (step.kind === "assign") this.#assign(step, now);
      if (step.kind === "loop") {
        for (let counter = 0; counter < step.extent; counter++) {
          this.#counters.set(step.name, counter);
          this.steps(step.body, [...now, { loop: step.name, counter }]);
        }
      }
      if (step.kind === "fill") {
        const [tile, from] = [this.arrays[step.array], this.arrays[step.from]];
        const base = this.#value(step.base);
        const places = step.axes.reduce(
          (all, { extent, stride }) =>
            all.flatMap((start) => Array.from({ length: extent }, (_, i) => start + i * stride)),
          [base],
        );
        for (const [i, at] of places.entries()) if (tile !== undefined) tile[i] = from?.[at] ?? 0;
      }
    }
  }

  #assign(assign: Assign, now: readonly Moment[]): void {
    if (!assign.guards.every(({ at, below }) => this.#value(at) < below)) return;
    const note = (array: number, element: number, kind: Use["kind"], phase: number): void => {
      this.uses.push({ array, element, kind, assign, time: [...now, { phase }] });
    };
    for (const load of [...loadsOf(assign.index), ...loadsOf(assign.value)]) {
      const last = (this.arrays[load.binding]?.length ?? 1) - 1;
      note(load.binding, Math.max(0, Math.min(last, this.#value(load.index))), "load", 0);
    }
    const target = this.arrays[assign.array];
    const [index, value] = [this.#value(assign.index), this.#value(assign.value)];
    if (target === undefined || index < 0 || index >= target.length) return;
    note(assign.array, index, assign.update === undefined ? "store" : "update", 1);
    const { type } = this.#nest.arrays[assign.array] ?? {};
    const valueType = type === "i32" || type === "u32" ? type : "f32";
    const old = target[index] ?? 0;
    target[index] = assign.update === undefined ? value : Number(foldBinary(assign.update.op, valueType, old, value));
  }

  #value(x: Expr): number {
    return Number(interpret(x, this.#counters, this.arrays));
  }
}

/** With repetitions, which do no harm. */
function loadsOf(x: Expr): (Expr & { kind: "load" })[] {
  const below = operandsOf(x).flatMap(loadsOf);
  return x.kind === "load" ? [...below, x] : below;
}

/** Whether two uses in this order, at some distance, must stay in it. */
export function dependOnEachOther(nest: LoopNest, a: Use, b: Use, mayReorder: boolean): boolean {
  if (a.array !== b.array || a.element !== b.element || (a.kind === "load" && b.kind === "load")) return false;
  if (!mayReorder || a.kind !== "update" || b.kind !== "update") return true;
  const [x, y] = [a.assign.update, b.assign.update];
  const isExact = nest.arrays[a.array]?.type !== "f32" || x?.op === "minimum" || x?.op === "maximum";
  return x?.op !== y?.op || !(isExact || (x?.order === "any" && y?.order === "any"));
}

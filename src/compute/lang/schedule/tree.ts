/** Finding and exchanging parts of a nest. Nests are immutable: everything gives a new one. */
import { OptionError } from "../../../base/errors.ts";
import type { Expr } from "../kernel.ts";
import { rebuild } from "../rebuild.ts";
import type { Assign, Loop, LoopNest, Step } from "./loop-nest.ts";

/** The loops from the outermost one to the one of this name. @throws OptionError where there is none */
export function pathTo(operation: string, nest: LoopNest, name: string): readonly [...Loop[], Loop] {
  const path = findPath(nest.body, name);
  const [...loops] = path ?? [];
  const last = loops.pop();
  if (last !== undefined) return [...loops, last];
  const names = loopsIn(nest.body).map((loop) => loop.name);
  throw new OptionError(`${operation}: expected one of the loops ${names.join(", ")}, found ${name}`);
}

function findPath(steps: readonly Step[], name: string): Loop[] | undefined {
  for (const step of steps) {
    if (step.kind !== "loop") continue;
    if (step.name === name) return [step];
    const below = findPath(step.body, name);
    if (below !== undefined) return [step, ...below];
  }
  return undefined;
}

/** All loops, outer ones first. */
export function loopsIn(steps: readonly Step[]): Loop[] {
  return steps.flatMap((step) => (step.kind === "loop" ? [step, ...loopsIn(step.body)] : []));
}

/** All statements, in the order written. */
export function assignsIn(steps: readonly Step[]): Assign[] {
  return steps.flatMap((step) => (step.kind === "loop" ? assignsIn(step.body) : step.kind === "assign" ? [step] : []));
}

/** The nest with other steps in place of the loop of this name. */
export function replaceLoop(nest: LoopNest, name: string, make: (loop: Loop) => readonly Step[]): LoopNest {
  const replace = (steps: readonly Step[]): readonly Step[] =>
    steps.flatMap((step): readonly Step[] => {
      if (step.kind !== "loop") return [step];
      return step.name === name ? make(step) : [{ ...step, body: replace(step.body) }];
    });
  return { ...nest, body: replace(nest.body) };
}

/** Steps with another value for each counter that `values` has. */
export function substitute(steps: readonly Step[], values: ReadonlyMap<string, Expr>): readonly Step[] {
  const memo = new Map<Expr, Expr>();
  const exchange = (x: Expr): Expr =>
    rebuild(x, (part) => (part.kind === "variable" ? values.get(part.name) : undefined), memo);
  return mapExprs(steps, exchange);
}

/** Steps with `exchange(x)` for every expression x in them. */
export function mapExprs(steps: readonly Step[], exchange: (x: Expr) => Expr): readonly Step[] {
  return steps.map((step): Step => {
    switch (step.kind) {
      case "loop":
        return { ...step, body: mapExprs(step.body, exchange) };
      case "fill":
        return { ...step, base: exchange(step.base) };
      case "assign":
        return {
          ...step,
          index: exchange(step.index),
          value: exchange(step.value),
          guards: step.guards.map(({ at, below }) => ({ at: exchange(at), below })),
        };
    }
  });
}

/** A name that no loop and no array of the nest has. */
export function freshName(nest: LoopNest, wanted: string): string {
  const taken = new Set([...loopsIn(nest.body), ...nest.arrays].map(({ name }) => name));
  let name = wanted;
  for (let i = 2; taken.has(name); i++) name = `${wanted}_${i}`;
  return name;
}

/** @throws OptionError for a loop that is marked already */
export function checkSerial(operation: string, loops: readonly Loop[]): void {
  for (const { name, run } of loops) {
    if (run === "serial") continue;
    throw new OptionError(`${operation}: expected a serial loop, found ${name} marked ${run}: mark loops last`);
  }
}

/** @throws OptionError for a loop that must hold what it holds: a vector's statements, or loops that run at once */
export function checkHolds(operation: string, { name, run, body }: Loop): void {
  const parallel = loopsIn(body).find((loop) => loop.run === "workgroups" || loop.run === "lanes");
  if (run !== "vector" && parallel === undefined) return;
  const found = parallel === undefined ? `the vector ${name}` : `${parallel.name} of ${parallel.run} inside`;
  throw new OptionError(`${operation}: expected a loop that may hold more, found ${found}`);
}

/** @throws OptionError for steps with a tile copied into a shared array: that is done last */
export function checkUnfilled(operation: string, steps: readonly Step[]): void {
  for (const step of steps) {
    if (step.kind === "fill") throw new OptionError(`${operation}: expected a loop without shared tiles, found one`);
    if (step.kind === "loop") checkUnfilled(operation, step.body);
  }
}

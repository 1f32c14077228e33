/** Two loops that follow each other as one: so that the second finds near by what the first has made. */
import { OptionError } from "../../../base/errors.ts";
import { accessesIn, breaks, conflictBetween, mayChangePlaces } from "./dependences.ts";
import { counterOf, type Loop, type LoopNest, type Step } from "./loop-nest.ts";
import { checkSerial, checkUnfilled, pathTo, replaceLoop, substitute } from "./tree.ts";

/**
 * for (x < n) a(x); for (y < n) b(y) becomes for (x < n) { a(x); b(x) }.
 *
 * Legal unless some b(y) would come before an a(x) that it depends on: x > y.
 *
 * @throws ScheduleError naming the dependence; OptionError for loops that do not follow each other or differ in extent
 */
export function fuse(nest: LoopNest, first: string, second: string): LoopNest {
  const operation = `fuse(${first}, ${second})`;
  const path = pathTo(operation, nest, first);
  const [...outer] = path;
  const loop = outer.pop() as Loop;
  const siblings = outer.at(-1)?.body ?? nest.body;
  const next = siblings[siblings.findIndex((step) => step === loop) + 1];
  if (next?.kind !== "loop" || next.name !== second) {
    throw new OptionError(`${operation}: expected ${second} right after ${first}, found ${describe(next)}`);
  }
  if (next.extent !== loop.extent) {
    throw new OptionError(`${operation}: expected loops of one extent, found ${loop.extent} and ${next.extent}`);
  }
  checkSerial(operation, [loop, next]);
  checkUnfilled(operation, [loop, next]);
  const renamed = substitute(next.body, new Map([[second, counterOf(first, loop.extent)]]));
  checkFusion(operation, nest, outer, loop, renamed);
  const fused: Loop = { ...loop, body: [...loop.body, ...renamed] };
  const without = replaceLoop(nest, second, () => []);
  return replaceLoop(without, first, () => [fused]);
}

function checkFusion(
  operation: string,
  nest: LoopNest,
  outer: readonly Loop[],
  loop: Loop,
  body: readonly Step[],
): void {
  const distances = new Map(outer.map(({ name }) => [name, { min: 0, max: 0 }]));
  distances.set(loop.name, { min: -Infinity, max: -1 });
  for (const earlier of accessesIn(loop.body, [...outer, loop])) {
    for (const later of accessesIn(body, [...outer, loop])) {
      if (mayChangePlaces(nest, earlier, later)) continue;
      const conflict = conflictBetween(earlier, later, distances);
      if (conflict !== undefined) throw breaks(operation, nest, conflict, "which would change places");
    }
  }
}

function describe(step: Step | undefined): string {
  return step === undefined ? "nothing" : step.kind === "loop" ? step.name : "a statement";
}

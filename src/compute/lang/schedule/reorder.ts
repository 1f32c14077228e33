/** Nested loops in another order: interchange, and with `split` tiling. */
import { OptionError } from "../../../base/errors.ts";
import type { Interval } from "../interval.ts";
import { accessesIn, breaks, conflictBetween, mayChangePlaces } from "./dependences.ts";
import type { Loop, LoopNest, Step } from "./loop-nest.ts";
import { checkSerial, checkUnfilled, pathTo, replaceLoop } from "./tree.ts";

/**
 * The loops named, each all that the one before it holds, nested in the order given.
 *
 * Legal unless two iterations that use one element change places: for no dependence may the first loop of the new
 * order in which its iterations differ run backward. Updates with one associative op may change places, those of f32 sums and
 * products only where their order is "any".
 *
 * @throws ScheduleError naming the dependence; OptionError for loops that are not nested so
 */
export function reorder(nest: LoopNest, order: readonly string[]): LoopNest {
  const operation = `reorder(${order.join(", ")})`;
  const band = bandOf(operation, nest, order);
  const innermost = band.loops.at(-1) as Loop;
  checkSerial(operation, band.loops);
  checkUnfilled(operation, innermost.body);
  const renewed = order.map((name) => band.loops.find((loop) => loop.name === name) as Loop);
  checkOrder(operation, nest, band, renewed);
  let body = innermost.body;
  for (const loop of [...renewed].reverse()) body = [{ ...loop, body }];
  return replaceLoop(nest, (band.loops[0] as Loop).name, () => body as readonly Step[]);
}

interface Band {
  /** Around the band. */
  readonly outer: readonly Loop[];
  /** In their order now. */
  readonly loops: readonly Loop[];
}

function bandOf(operation: string, nest: LoopNest, order: readonly string[]): Band {
  if (order.length === 0 || new Set(order).size !== order.length) {
    throw new OptionError(`${operation}: expected each loop once, and at least one`);
  }
  const paths = order.map((name) => pathTo(operation, nest, name));
  const [shortest] = [...paths].sort((a, b) => a.length - b.length);
  const [...outer] = shortest ?? [];
  const loops: Loop[] = [];
  for (let loop = outer.pop(); loop !== undefined && order.includes(loop.name);) {
    loops.push(loop);
    const [below, ...more] = loop.body;
    loop = below?.kind === "loop" && more.length === 0 ? below : undefined;
  }
  if (loops.length === order.length) return { outer, loops };
  const found = loops.map(({ name }) => name).join(", ");
  throw new OptionError(`${operation}: expected loops that hold one another and nothing else, found only ${found} so`);
}

/** For each loop p that could make one iteration come first now, and q that could make it come last then. */
function checkOrder(operation: string, nest: LoopNest, { outer, loops }: Band, renewed: readonly Loop[]): void {
  const accesses = accessesIn(loops.slice(-1), [...outer, ...loops.slice(0, -1)]);
  const ahead: Interval = { min: 1, max: Infinity };
  const back: Interval = { min: -Infinity, max: -1 };
  for (const [p, forward] of loops.entries()) {
    for (const [q, backward] of renewed.entries()) {
      const same = [...outer, ...loops.slice(0, p), ...renewed.slice(0, q)];
      if (forward === backward || same.includes(forward) || same.includes(backward)) continue;
      const distances = new Map<string, Interval>(same.map(({ name }) => [name, { min: 0, max: 0 }]));
      distances.set(forward.name, ahead).set(backward.name, back);
      for (const first of accesses) {
        for (const second of accesses) {
          if (mayChangePlaces(nest, first, second)) continue;
          const conflict = conflictBetween(first, second, distances);
          if (conflict !== undefined) throw breaks(operation, nest, conflict, "which would change places");
        }
      }
    }
  }
}

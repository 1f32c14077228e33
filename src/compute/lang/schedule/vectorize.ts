/** An innermost loop written out statement by statement: loads of neighbours stand together, and so do stores. */
import { OptionError } from "../../../base/errors.ts";
import { describeExpr } from "../describe-expr.ts";
import { accessesIn, breaks, conflictBetween, mayChangePlaces, type Access } from "./dependences.ts";
import type { Loop, LoopNest } from "./loop-nest.ts";
import { checkSerial, pathTo, replaceLoop } from "./tree.ts";

/** Devices load 4 words at once; a few times that keeps them busy. */
const EXTENT_MAX = 16;

/**
 * for (x < n) { s(x); t(x) } becomes s's loads for all x, s's stores for all x, t's loads, t's stores. Updates stay in the
 * order of x, each with its operands loaded before.
 *
 * Legal unless an iteration would load what an earlier one has yet to store, or store what it has yet to load. Every
 * index must be the same for all x, or grow by 1 with x.
 *
 * @throws ScheduleError naming the dependence; OptionError for other strides, inner loops, more than 16 iterations
 */
export function vectorize(nest: LoopNest, loop: string): LoopNest {
  const operation = `vectorize(${loop})`;
  const [...outer] = pathTo(operation, nest, loop);
  const found = outer.pop() as Loop;
  checkSerial(operation, [found]);
  if (found.body.some(({ kind }) => kind !== "assign")) {
    throw new OptionError(`${operation}: expected a loop of statements alone, found others inside`);
  }
  if (found.extent > EXTENT_MAX) {
    throw new OptionError(`${operation}: expected an extent of at most ${EXTENT_MAX}, found ${found.extent}: split it`);
  }
  const accesses = accessesIn([found], outer);
  for (const access of accesses) checkStride(operation, nest, loop, access);
  const distances = new Map(outer.map(({ name }) => [name, { min: 0, max: 0 }]));
  distances.set(loop, { min: 1, max: Infinity });
  for (const first of accesses) {
    for (const second of accesses) {
      if (phaseOf(first) <= phaseOf(second) || mayChangePlaces(nest, first, second)) continue;
      const conflict = conflictBetween(first, second, distances);
      if (conflict !== undefined) throw breaks(operation, nest, conflict, "which would change places");
    }
  }
  return replaceLoop(nest, loop, () => [{ ...found, run: "vector" }]);
}

/** Where an access comes among all of an iteration, once all iterations take each step together. */
function phaseOf({ order, use }: Access): number {
  return order * 2 + (use === "loaded" ? 0 : 1);
}

function checkStride(operation: string, nest: LoopNest, loop: string, { array, index, affine }: Access): void {
  const stride = affine?.linear.terms.get(loop) ?? 0;
  const isHidden = affine?.quotients.some(({ of }) => of.terms.has(loop)) ?? true;
  if (!isHidden && (stride === 0 || stride === 1)) return;
  const words = `${nest.arrays[array]?.name}[${describeExpr(index)}]`;
  const found = isHidden ? "one that is not known" : `${stride}`;
  throw new OptionError(`${operation}: expected a stride of 0 or 1 in ${words}, found ${found}`);
}

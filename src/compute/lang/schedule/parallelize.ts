/** Loops handed out to workgroups and lanes: the last thing to do with them. */
import { OptionError } from "../../../base/errors.ts";
import { accessesIn, breaks, conflictBetween } from "./dependences.ts";
import type { Loop, LoopNest } from "./loop-nest.ts";
import { checkSerial, checkUnfilled, pathTo, replaceLoop } from "./tree.ts";

/**
 * The iterations of a loop run at once: each is a workgroup, or a lane of one. Several such loops multiply. Without
 * lanes, what goes to workgroups are the kernel's independent invocations.
 *
 * Legal unless an iteration depends on another one, be it by an update whose order does not matter. Everything around the
 * loop must be parallel already, workgroups outside of lanes, and hold nothing else.
 *
 * @throws ScheduleError naming the dependence; OptionError for a loop that is not outermost
 */
export function parallelize(nest: LoopNest, loop: string, over: "workgroups" | "lanes"): LoopNest {
  const operation = `parallelize(${loop}, ${over})`;
  const [...outer] = pathTo(operation, nest, loop);
  const found = outer.pop() as Loop;
  checkSerial(operation, [found]);
  checkUnfilled(operation, found.body);
  let siblings = nest.body;
  for (const { name, run, body } of outer) {
    const fits = run === "workgroups" || (run === "lanes" && over === "lanes");
    if (!fits) throw new OptionError(`${operation}: expected loops of ${over} around it, found ${name} ${run}`);
    if (siblings.length > 1) throw new OptionError(`${operation}: expected nothing beside ${name}, found other steps`);
    siblings = body;
  }
  if (siblings.length > 1) throw new OptionError(`${operation}: expected nothing beside ${loop}, found other steps`);
  const distances = new Map(outer.map(({ name }) => [name, { min: 0, max: 0 }]));
  distances.set(loop, { min: 1, max: Infinity });
  const accesses = accessesIn([found], outer);
  for (const first of accesses) {
    for (const second of accesses) {
      const conflict = conflictBetween(first, second, distances);
      if (conflict !== undefined) throw breaks(operation, nest, conflict, "which would run at once");
    }
  }
  return replaceLoop(nest, loop, () => [{ ...found, run: over }]);
}

/** Two nested loops as one: so that what is left over is handed out evenly. */
import { OptionError } from "../../../base/errors.ts";
import { divide, i32, remainder } from "../build.ts";
import { counterOf, type Loop, type LoopNest } from "./loop-nest.ts";
import { checkSerial, checkUnfilled, freshName, pathTo, replaceLoop, substitute } from "./tree.ts";

/**
 * for (x < m) for (y < n) becomes for (z < m * n), x = z / n, y = z % n. Keeps the order, so it is always legal.
 *
 * @throws OptionError where `inner` is not all that `outer` holds
 */
export function collapse(nest: LoopNest, outer: string, inner: string, name: string = `${outer}_${inner}`): LoopNest {
  const operation = `collapse(${outer}, ${inner})`;
  const found = pathTo(operation, nest, outer).at(-1) as Loop;
  const [below, ...more] = found.body;
  if (below?.kind !== "loop" || below.name !== inner || more.length > 0) {
    throw new OptionError(`${operation}: expected ${inner} to be all that ${outer} holds, found something else`);
  }
  checkSerial(operation, [found, below]);
  checkUnfilled(operation, below.body);
  const extent = found.extent * below.extent;
  const fresh = freshName(nest, name);
  const counter = counterOf(fresh, extent);
  const values = new Map([
    [outer, divide(counter, i32(below.extent))],
    [inner, remainder(counter, i32(below.extent))],
  ]);
  const loop: Loop = { kind: "loop", name: fresh, extent, run: "serial", body: substitute(below.body, values) };
  return replaceLoop(nest, outer, () => [loop]);
}

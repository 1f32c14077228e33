/** A loop written out: its counter becomes constants, and what they index becomes registers. */
import { OptionError } from "../../../base/errors.ts";
import type { Loop, LoopNest } from "./loop-nest.ts";
import { checkSerial, pathTo, replaceLoop } from "./tree.ts";

/** Longer ones want a `split` first: compilers take their time. */
const EXTENT_MAX = 64;

/**
 * Marks a loop to be written out by `lowerNest`. Keeps the order, so it is always legal.
 *
 * @throws OptionError for a loop of more than 64 iterations
 */
export function unroll(nest: LoopNest, loop: string): LoopNest {
  const operation = `unroll(${loop})`;
  const found = pathTo(operation, nest, loop).at(-1) as Loop;
  checkSerial(operation, [found]);
  if (found.extent > EXTENT_MAX) {
    throw new OptionError(`${operation}: expected an extent of at most ${EXTENT_MAX}, found ${found.extent}: split it`);
  }
  return replaceLoop(nest, loop, () => [{ ...found, run: "unrolled" }]);
}

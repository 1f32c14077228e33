/** One loop as two: the first step of every tiling. */
import { OptionError } from "../../../base/errors.ts";
import { add, i32, multiply } from "../build.ts";
import { checkName, counterOf, type Guard, type Loop, type LoopNest, type Step } from "./loop-nest.ts";
import { checkSerial, checkUnfilled, freshName, pathTo, replaceLoop, substitute } from "./tree.ts";

/**
 * for (x < extent) becomes for (x_outer < ceil(extent / factor)) for (x_inner < factor), x = x_outer * factor + x_inner.
 *
 * Keeps the order, so it is always legal. Where the factor does not divide the extent, statements get a guard
 * x < extent. `names` are those of the new loops, outer and inner.
 *
 * @throws OptionError
 */
export function split(nest: LoopNest, loop: string, factor: number, names?: readonly [string, string]): LoopNest {
  const operation = `split(${loop}, ${factor})`;
  const found = pathTo(operation, nest, loop).at(-1) as Loop;
  if (!Number.isInteger(factor) || factor < 1) {
    throw new OptionError(`${operation}: expected a factor of at least 1, found ${factor}`);
  }
  checkSerial(operation, [found]);
  checkUnfilled(operation, found.body);
  const { extent } = found;
  const [outerName, innerName] = names ?? [freshName(nest, `${loop}_outer`), freshName(nest, `${loop}_inner`)];
  for (const name of names ?? []) checkName(operation, name, (taken) => freshName(nest, taken) !== taken);
  const outerExtent = Math.ceil(extent / factor);
  const counter = add(multiply(counterOf(outerName, outerExtent), i32(factor)), counterOf(innerName, factor));
  const body = substitute(found.body, new Map([[loop, counter]]));
  const guarded = extent % factor === 0 ? body : guard(body, { at: counter, below: extent });
  const inner: Loop = { kind: "loop", name: innerName, extent: factor, run: "serial", body: guarded };
  return replaceLoop(nest, loop, () => [{ ...found, name: outerName, extent: outerExtent, body: [inner] }]);
}

function guard(steps: readonly Step[], condition: Guard): readonly Step[] {
  return steps.map((step): Step => {
    if (step.kind === "loop") return { ...step, body: guard(step.body, condition) };
    return step.kind === "assign" ? { ...step, guards: [...step.guards, condition] } : step;
  });
}

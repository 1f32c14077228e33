/**
 * Which kernels start together: small ones that do not wait for each other are one dispatch (`lang/pack.ts`), since they
 * cost more to start than to run.
 *
 * These are the last ones, updates of parameters and moments, which nobody reads any more in the plan, and before them
 * those that only they wait for, such as the sums that are gradients of biases. They move behind all others, and what
 * they read lives until then: that is why they have to be small.
 */
import { isPackable } from "../lang/pack.ts";
import { elementCount } from "../layout/shape.ts";
import type { Node } from "./ir.ts";
import type { LoweredKernel } from "./lower-region.ts";

/** Kernels over more elements than this, read and written, have enough to do by themselves. */
const ELEMENTS_MAX = 2 ** 18;

/** `kernels` in steps; those of a step are independent of each other. */
export function planWaves(kernels: readonly LoweredKernel[]): LoweredKernel[][] {
  const readers = new Map<Node, LoweredKernel[]>();
  for (const kernel of kernels) {
    for (const input of kernel.inputs) readers.set(input, [...(readers.get(input) ?? []), kernel]);
  }
  const readersOf = ({ outputs }: LoweredKernel): LoweredKernel[] =>
    outputs.flatMap((output) => readers.get(output) ?? []);
  const last = new Set(kernels.filter((kernel) => isSmall(kernel) && readersOf(kernel).length === 0));
  const before = new Set(
    kernels.filter((kernel) => {
      const own = readersOf(kernel);
      return isSmall(kernel) && kernel.isRows && own.length > 0 && own.every((reader) => last.has(reader));
    }),
  );
  const others = kernels.filter((kernel) => !last.has(kernel) && !before.has(kernel));
  return [...others.map((kernel) => [kernel]), [...before], [...last]].filter((step) => step.length > 0);
}

function isSmall({ kernel, outputs, inputs }: LoweredKernel): boolean {
  const elements = [...outputs, ...inputs].reduce((sum, { shape }) => sum + elementCount(shape), 0);
  return elements <= ELEMENTS_MAX && isPackable(kernel);
}

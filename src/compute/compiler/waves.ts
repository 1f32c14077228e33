/**
 * Which kernels start together: small ones that do not wait for each other are one dispatch (`lang/pack.ts`), since they
 * cost more to start than to run.
 *
 * At the end of a training step these are the updates of parameters and moments, which nobody reads any more in the plan,
 * and before them what only they wait for: sums that are gradients of biases, in one or two stages. They move behind all
 * others, and what they read lives until then: that is why they have to be small; what a barrier waits for stays where
 * it is. At the beginning these are the few
 * numbers that depend on nothing but state, such as a step's count and rate.
 *
 * Results that are read while later kernels run stay where they are: put off to the end they would all come at once.
 */
import { isPackable } from "../lang/pack.ts";
import { elementCount } from "../layout/shape.ts";
import { SMALL_ELEMENTS_MAX } from "./cost.ts";
import type { Node } from "./ir.ts";
import type { LoweredKernel } from "./lower-region.ts";

/** So small are the numbers that a step begins with. */
const FEW = 256;
/** Waves at the end: updates, and stages of the sums that only they read. */
const TAIL_MAX = 4;

/** `kernels` in steps; those of a step are independent of each other. What stores one of `early` is not put off. */
export function planWaves(kernels: readonly LoweredKernel[], early: ReadonlySet<Node> = new Set()): LoweredKernel[][] {
  const tail = tailHeights(kernels, early);
  const heads = headOf(kernels.filter((kernel) => !tail.has(kernel)));
  const middle = kernels.filter((kernel) => !tail.has(kernel) && !heads.includes(kernel));
  const waves = Array.from({ length: TAIL_MAX }, (_, i) =>
    kernels.filter((kernel) => tail.get(kernel) === TAIL_MAX - 1 - i),
  );
  return [heads, ...middle.map((kernel) => [kernel]), ...waves].filter((step) => step.length > 0);
}

/** The kernels that only updates wait for, with the number of waves that come after their own. */
function tailHeights(kernels: readonly LoweredKernel[], early: ReadonlySet<Node>): Map<LoweredKernel, number> {
  const readers = new Map<Node, LoweredKernel[]>();
  for (const kernel of kernels) {
    for (const input of kernel.inputs) readers.set(input, [...(readers.get(input) ?? []), kernel]);
  }
  const heights = new Map<LoweredKernel, number>();
  for (const kernel of [...kernels].reverse()) {
    const own = kernel.outputs.flatMap((output) => readers.get(output) ?? []);
    const after = own.map((reader) => heights.get(reader));
    const highest = after.reduce<number>((most, height) => Math.max(most, height ?? TAIL_MAX), -1);
    const isAwaited = kernel.isAwaited === true || kernel.outputs.some((output) => early.has(output));
    const isMovable = isSmall(kernel, SMALL_ELEMENTS_MAX) && !isAwaited;
    const fits = isMovable && (own.length === 0 || kernel.isRows) && highest + 1 < TAIL_MAX;
    if (fits) heights.set(kernel, highest + 1);
  }
  return heights;
}

/** The kernels that read nothing but leaves, and next to nothing of them. */
function headOf(kernels: readonly LoweredKernel[]): LoweredKernel[] {
  const isLeaf = ({ primitive }: Node): boolean => primitive.kind === "buffer";
  return kernels.filter((kernel) => kernel.inputs.every(isLeaf) && isSmall(kernel, FEW));
}

/** True for kernels whose arrays are all small, and can be packed. */
function isSmall({ kernel, outputs, inputs }: LoweredKernel, elementsMax: number): boolean {
  return isPackable(kernel) && [...outputs, ...inputs].every(({ shape }) => elementCount(shape) <= elementsMax);
}

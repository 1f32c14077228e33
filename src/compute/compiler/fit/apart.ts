/**
 * Steps with their kernels one after another, each of those that shrink what is in memory as early as it can run.
 *
 * The waves of `waves.ts` keep gradients of small parameters until all are updated at once: a dispatch instead of many,
 * for as much memory as these parameters take.
 */
import type { Node } from "../ir.ts";
import type { LoweredKernel } from "../lower-region.ts";
import type { StepModel, Work } from "./step-model.ts";

/** The kernels of `model`, one a step. */
export function stepsApart(model: StepModel): LoweredKernel[][] {
  const places: number[] = [];
  const { overwrites } = model.facts;
  const makers = new Map<Node, number>();
  const readers = new Map<Node, number[]>();
  for (const [number, work] of model.works.entries()) {
    const { outputs, inputs } = work.kernel;
    const before = inputs.flatMap((node) => makers.get(node) ?? []);
    for (const output of outputs) {
      const leaf = overwrites.get(output);
      if (leaf !== undefined) before.push(...(readers.get(leaf) ?? []));
    }
    const earliest = before.reduce((latest, other) => Math.max(latest, places[other] ?? 0), 0);
    places.push(isFreeToMove(model, work) ? earliest : number);
    for (const output of outputs) makers.set(output, number);
    for (const input of inputs) readers.set(input, [...(readers.get(input) ?? []), number]);
  }
  const order = model.works.map((_, number) => number);
  order.sort((a, b) => (places[a] ?? 0) - (places[b] ?? 0) || a - b);
  return order.map((number) => [model.work(number).kernel]);
}

/** True for kernels that only waited for others, and leave no more than they read. */
function isFreeToMove(model: StepModel, { step, inputs, outputs }: Work): boolean {
  return (model.waves[step]?.works.length ?? 0) > 1 && model.bytesOf(outputs) <= model.bytesOf(inputs);
}

/**
 * Recomputation instead of storage: what a function computes inside is not kept for the backward pass, which calls it
 * again (Chen et al., "Training Deep Nets with Sublinear Memory Cost", 2016).
 */
import { OptionError } from "../../base/errors.ts";
import { barrier } from "../compiler/graph.ts";
import type { Node } from "../compiler/ir.ts";
import { formatShape, sameShape } from "../layout/shape.ts";
import { grad, type GradOptions } from "./autograd.ts";
import { isGradEnabled, withGradMode } from "./grad-mode.ts";
import { recordKeys, replayKeys } from "./key-tape.ts";
import { observe } from "./observe.ts";
import type { Tensor } from "./tensor.ts";
import { currentTrace, readNode } from "./trace.ts";
import { createValue, frozenTensorOf, Origin, tensorOf } from "./value.ts";
import type { Value } from "./value.ts";

/**
 * fn(...inputs), whose inner results live only until it returns: one forward pass more, for memory that does not grow
 * with what is inside. Gradients flow to the inputs and to everything else that `fn` reads; random draws are the same
 * the second time. `fn` is called twice and must do the same.
 * @throws OptionError when the second call gives another shape
 */
export function checkpoint<Inputs extends readonly Tensor[]>(
  fn: (...inputs: Inputs) => Tensor,
  ...inputs: Inputs
): Tensor {
  if (!isGradEnabled()) return fn(...inputs);
  const cut = inputs.map((input) => leafOf(input, readNode(input)));
  const { result: output, keys } = recordKeys(() => fn(...(cut as unknown as Inputs)));
  if (!output.requiresGrad) return output;
  const cuts = new Set(cut.map((tensor) => tensor.value));
  const captured = leavesUnder(output.value).filter((value) => !cuts.has(value));
  const sources = [...inputs.map((input) => input.value), ...captured];
  const { shape } = output;
  const origin = new Origin("checkpoint", sources, (gradient) => {
    const createGraph = isGradEnabled();
    const known = inputs.map((input) => frozenTensorOf(input.value));
    // Second derivatives need the way back to the inputs; without them the region is cut off and told apart.
    const again = createGraph
      ? known
      : known.map((input) => leafOf(input, barrier(readNode(input), readNode(gradient))));
    return withGradMode(true, () => {
      const recomputed = replayKeys(keys, () => fn(...(again as unknown as Inputs)));
      if (!sameShape(recomputed.shape, shape)) {
        throw new OptionError(
          `checkpoint: expected a function that does the same twice, found the shapes ${formatShape(shape)} and ${formatShape(recomputed.shape)}`,
        );
      }
      return gradientsOf(recomputed, [...again, ...captured.map(frozenTensorOf)], { seed: gradient, createGraph });
    });
  });
  const value = createValue(readNode(output), {
    runtime: output.value.runtime,
    trace: currentTrace(),
    requiresGrad: true,
    origin,
  });
  observe("checkpoint", value, sources);
  return tensorOf(value);
}

/** A tensor of `node`, with which a graph of its own begins. */
function leafOf({ value }: Tensor, node: Node): Tensor {
  return tensorOf(
    createValue(node, { runtime: value.runtime, trace: currentTrace(), requiresGrad: value.requiresGrad }),
  );
}

/** dL/dx for each of `tensors`, null for those that need none. The graph stays: parts of it may be others' too. */
function gradientsOf(output: Tensor, tensors: readonly Tensor[], options: GradOptions): (Tensor | null)[] {
  const wanted = tensors.filter((tensor) => tensor.requiresGrad);
  const found = grad(output, wanted, { ...options, retainGraph: true });
  let next = 0;
  return tensors.map((tensor) => (tensor.requiresGrad ? (found[next++] ?? null) : null));
}

/** The values without an origin that `root`'s gradient reaches. */
function leavesUnder(root: Value): Value[] {
  const seen = new Set([root]);
  const stack = [root];
  const leaves: Value[] = [];
  for (let value = stack.pop(); value !== undefined; value = stack.pop()) {
    if (value.origin === null) leaves.push(value);
    for (const input of value.origin?.inputs ?? []) {
      if (!input.requiresGrad || seen.has(input)) continue;
      seen.add(input);
      stack.push(input);
    }
  }
  return leaves;
}

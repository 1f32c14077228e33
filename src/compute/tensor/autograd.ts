/**
 * Reverse mode: walks the ops of a result backwards, newest first, and sums what arrives at each value.
 *
 * Gradients are made of differentiable ops; with `createGraph` they can be differentiated again. A walk frees the
 * record of the ops that it passes, unless it is told to keep it: a second one through them is an error.
 */
import { assert } from "../../base/assert.ts";
import { OptionError, ShapeError } from "../../base/errors.ts";
import { constant } from "../compiler/graph.ts";
import { withGradMode } from "./grad-mode.ts";
import { throughHooks } from "./hooks.ts";
import { withinBackward } from "./observe.ts";
import { sourceTensor } from "./op.ts";
import { elementCount, formatShape, sameShape } from "../layout/shape.ts";
import type { Tensor } from "./tensor.ts";
import { currentTrace, readNode } from "./trace.ts";
import { tensorOf } from "./value.ts";
import type { Origin, Value } from "./value.ts";

/** How a walk treats the graph. */
export interface BackwardOptions {
  /** Record the gradients' own gradients. Off by default. */
  readonly createGraph?: boolean;
  /** Keep the record for another walk. As `createGraph` by default. */
  readonly retainGraph?: boolean;
}

/** Adds dL/dleaf to the `.grad` of every leaf that requires it. `seed` is dL/dloss, 1 for a loss of one element. */
export function backward(loss: Tensor, seed?: Tensor, options: BackwardOptions = {}): void {
  const createGraph = options.createGraph ?? false;
  const gradients = differentiate("backward", loss, seed ?? onesLike("backward", loss), options);
  withGradMode(createGraph, () => {
    for (const [value, gradient] of gradients) {
      const { owner } = value;
      if (owner === null) continue;
      const before = owner.grad;
      if (before === null) owner.grad = gradient;
      else if (createGraph || before.requiresGrad) owner.grad = before.add(gradient);
      else before.assign(before.add(gradient));
    }
  });
}

export interface GradOptions extends BackwardOptions {
  /** dL/dloss; 1 by default, for a loss of one element. */
  readonly seed?: Tensor;
}

/** As many tensors. */
type GradientsOf<Tensors extends readonly Tensor[]> = { -readonly [K in keyof Tensors]: Tensor };

/** dL/dx for each of `tensors`, in its shape; zeros where the loss does not depend on it. Touches no `.grad`. */
export function grad<const Tensors extends readonly Tensor[]>(
  loss: Tensor,
  tensors: Tensors,
  options: GradOptions = {},
): GradientsOf<Tensors> {
  for (const tensor of tensors) {
    if (!tensor.requiresGrad)
      throw new OptionError("grad: expected tensors that require gradients, found one that does not");
  }
  const gradients = differentiate("grad", loss, options.seed ?? onesLike("grad", loss), options);
  const found = tensors.map(
    (tensor) =>
      gradients.get(tensor.value) ?? sourceTensor(constant(0, tensor.shape, tensor.dtype), tensor.value.runtime),
  );
  return found as unknown as GradientsOf<Tensors>;
}

/**
 * dL/dvalue for the leaves under `loss`, and for what it was made of that has an `order` of `since` at most: the walk
 * ends there, before hooks. In the order in which they are complete; the record stays.
 */
export function gradientsSince(since: number, operation: string, loss: Tensor): [Value, Tensor][] {
  const isEnd = (value: Value): boolean => value.origin === null || value.order <= since;
  const gradients = differentiate(operation, loss, onesLike(operation, loss), { retainGraph: true }, isEnd);
  return [...gradients].filter(([value]) => isEnd(value)).sort(([, a], [, b]) => a.value.order - b.value.order);
}

function onesLike(operation: string, loss: Tensor): Tensor {
  if (elementCount(loss.shape) !== 1) {
    throw new ShapeError(`${operation}: expected a loss of one element, found the shape ${formatShape(loss.shape)}`);
  }
  return sourceTensor(constant(1, loss.shape, loss.dtype));
}

/** dL/dvalue for every value that L depends on and that requires a gradient; the walk goes no further than `isEnd`. */
function differentiate(
  operation: string,
  loss: Tensor,
  seed: Tensor,
  { createGraph = false, retainGraph = createGraph }: BackwardOptions,
  isEnd: (value: Value) => boolean = () => false,
): Map<Value, Tensor> {
  if (!loss.requiresGrad) {
    throw new OptionError(`${operation}: expected a loss that depends on tensors with requiresGrad, found none`);
  }
  if (!sameShape(loss.shape, seed.shape)) {
    throw new ShapeError(
      `${operation}: expected a gradient of the loss's shape ${formatShape(loss.shape)}, found ${formatShape(seed.shape)}`,
    );
  }
  const values = reachable(operation, loss.value, isEnd);
  const gradients = new Map<Value, Tensor>([[loss.value, seed]]);
  withGradMode(createGraph, () => {
    for (const value of values) {
      const arrived = gradients.get(value);
      if (arrived === undefined) continue;
      const gradient = throughHooks(value, arrived);
      checkGradient("a hook", gradient, value);
      gradients.set(value, gradient);
      if (value.origin !== null) pass(value, value.origin, gradient, gradients);
    }
  });
  if (!retainGraph) for (const { origin } of values) origin?.free();
  return gradients;
}

/** Adds what leaves `origin` at its inputs. */
function pass(value: Value, origin: Origin, gradient: Tensor, gradients: Map<Value, Tensor>): void {
  const { inputs, name } = origin;
  const arriving = withinBackward(name, () => origin.backward(gradient, value));
  inputs.forEach((input, index) => {
    const part = arriving[index] ?? null;
    if (part === null || !input.requiresGrad) return;
    assert(
      sameShape(part.shape, input.node.shape),
      `${name}: the gradient of input ${index} has the shape ${formatShape(part.shape)}, not ${formatShape(input.node.shape)}`,
    );
    const before = gradients.get(input);
    gradients.set(input, before === undefined ? part : before.add(part));
  });
}

function checkGradient(who: string, { shape }: Tensor, value: Value): void {
  if (sameShape(shape, value.node.shape)) return;
  throw new ShapeError(
    `backward: expected a gradient of ${formatShape(value.node.shape)} from ${who}, found ${formatShape(shape)}`,
  );
}

/** All values up to `isEnd` that `root` was made of and that require gradients, each after all that were made of it. */
function reachable(operation: string, root: Value, isEnd: (value: Value) => boolean): Value[] {
  const stack = isEnd(root) ? [] : [root];
  const seen = new Set(stack);
  for (let value = stack.pop(); value !== undefined; value = stack.pop()) {
    if (value.origin?.isFree === true) {
      throw new OptionError(
        `${operation}: expected a graph whose record is there, found that of ${value.origin.name} freed by an earlier backward; keep it there with { retainGraph: true }`,
      );
    }
    for (const input of value.origin?.inputs ?? []) {
      if (!input.requiresGrad || seen.has(input) || isEnd(input)) continue;
      seen.add(input);
      stack.push(input);
    }
  }
  return [...seen].sort((a, b) => b.order - a.order);
}

/** `tensor`'s value without its history: no gradient flows through it. */
export function detach(tensor: Tensor): Tensor {
  const { value } = tensor;
  if (!value.requiresGrad) return tensorOf(value);
  const trace = currentTrace();
  // In a compiled function, what comes from outside is one leaf, detached or not.
  const node = trace === null ? value.node : readNode(tensor);
  return tensorOf({ ...value, node, trace, requiresGrad: false, origin: null, owner: null });
}

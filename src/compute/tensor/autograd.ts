/**
 * Reverse mode: walks the ops of a result backwards, newest first, and sums what arrives at each value.
 *
 * Gradients are made of differentiable ops; with `createGraph` they can be differentiated again.
 */
import { assert } from "../../base/assert.ts";
import { OptionError, ShapeError } from "../../base/errors.ts";
import { constant } from "../compiler/graph.ts";
import { withGradMode } from "./grad-mode.ts";
import { sourceTensor } from "./op.ts";
import { elementCount, formatShape, sameShape } from "../layout/shape.ts";
import type { Tensor } from "./tensor.ts";
import { tensorOf } from "./value.ts";
import type { Value } from "./value.ts";

/** Adds dL/dleaf to the `.grad` of every leaf that requires it. `seed` is dL/dloss, 1 for a loss of one element. */
export function backward(loss: Tensor, seed?: Tensor): void {
  const gradients = differentiate(loss, seed ?? onesLike(loss), false);
  withGradMode(false, () => {
    for (const [value, gradient] of gradients) {
      const { owner } = value;
      if (owner === null) continue;
      const before = owner.grad;
      if (before === null) owner.grad = gradient;
      else before.assign(before.add(gradient));
    }
  });
}

export interface GradOptions {
  /** Record the gradients' own gradients. Off by default. */
  readonly createGraph?: boolean;
  /** dL/dloss; 1 by default, for a loss of one element. */
  readonly seed?: Tensor;
}

/** dL/dx for each of `tensors`, in its shape; zeros where the loss does not depend on it. Touches no `.grad`. */
export function grad(loss: Tensor, tensors: readonly Tensor[], options: GradOptions = {}): Tensor[] {
  for (const tensor of tensors) {
    if (!tensor.requiresGrad)
      throw new OptionError("grad: expected tensors that require gradients, found one that does not");
  }
  const gradients = differentiate(loss, options.seed ?? onesLike(loss), options.createGraph ?? false);
  return tensors.map((tensor) => gradients.get(tensor.value) ?? sourceTensor(constant(0, tensor.shape, tensor.dtype)));
}

function onesLike(loss: Tensor): Tensor {
  if (elementCount(loss.shape) !== 1) {
    throw new ShapeError(`backward: expected a loss of one element, found the shape ${formatShape(loss.shape)}`);
  }
  return sourceTensor(constant(1, loss.shape, loss.dtype));
}

/** dL/dvalue for every value that L depends on and that requires a gradient. */
function differentiate(loss: Tensor, seed: Tensor, createGraph: boolean): Map<Value, Tensor> {
  if (!loss.requiresGrad) {
    throw new OptionError("backward: expected a loss that depends on tensors with requiresGrad, found none");
  }
  if (!sameShape(loss.shape, seed.shape)) {
    throw new ShapeError(
      `backward: expected a gradient of the loss's shape ${formatShape(loss.shape)}, found ${formatShape(seed.shape)}`,
    );
  }
  const gradients = new Map<Value, Tensor>([[loss.value, seed]]);
  withGradMode(createGraph, () => {
    for (const value of reachable(loss.value)) {
      const gradient = gradients.get(value);
      if (value.origin === null || gradient === undefined) continue;
      const { inputs, name } = value.origin;
      const arriving = value.origin.backward(gradient, value);
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
  });
  return gradients;
}

/** All values that `root` was made of and that require gradients, each after all that were made of it. */
function reachable(root: Value): Value[] {
  const seen = new Set([root]);
  const stack = [root];
  for (let value = stack.pop(); value !== undefined; value = stack.pop()) {
    for (const input of value.origin?.inputs ?? []) {
      if (!input.requiresGrad || seen.has(input)) continue;
      seen.add(input);
      stack.push(input);
    }
  }
  return [...seen].sort((a, b) => b.order - a.order);
}

/** `tensor`'s value without its history: no gradient flows through it. */
export function detach(tensor: Tensor): Tensor {
  const { value } = tensor;
  return tensorOf(value.requiresGrad ? { ...value, requiresGrad: false, origin: null, owner: null } : value);
}

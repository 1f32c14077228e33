/**
 * Freeing without bookkeeping: what is made inside a scope is freed at its end, to the byte.
 *
 * Kept are: what the function returns (tensors in arrays, objects, maps and modules too), what `keep` was called on, the
 * gradients of tensors that are kept or were there before, and what was assigned to tensors from outside. A kept lazy
 * tensor keeps what it is computed from. All this holds when the function throws as well, but that nothing is returned.
 *
 * An asynchronous scope ends with its promise. Until then tensors that other code makes belong to it too: await one
 * scope before the next begins.
 */
import { OptionError } from "../../base/errors.ts";
import type { Node } from "../compiler/ir.ts";
import { liveTensors, pushWitness, releaseUnneeded, removeWitness } from "./live-tensors.ts";
import type { Witness } from "./live-tensors.ts";
import { Tensor } from "./tensor.ts";
import { currentTrace } from "./trace.ts";

const kept = new WeakSet<Tensor>();

class Scope implements Witness {
  readonly #tensors = new Set<Tensor>();
  readonly #leaves = new Set<Node>();

  tensorMade(tensor: Tensor): void {
    this.#tensors.add(tensor);
  }

  leafMade(leaf: Node): void {
    this.#leaves.add(leaf);
  }

  /** Frees all but `results` and what they need; that belongs to the scope around this one from now on. */
  close(results: Iterable<Tensor>): void {
    const outer = removeWitness(this);
    const survivors = this.#survivors(results);
    for (const tensor of this.#tensors) {
      if (survivors.has(tensor)) outer?.tensorMade(tensor);
      else tensor.markDisposed();
    }
    for (const leaf of releaseUnneeded(this.#leaves)) if (this.#leaves.has(leaf)) outer?.leafMade(leaf);
  }

  #survivors(results: Iterable<Tensor>): Set<Tensor> {
    const survivors = new Set<Tensor>();
    const waiting = [...results];
    for (const tensor of liveTensors()) {
      if (!this.#tensors.has(tensor) && tensor.grad !== null) waiting.push(tensor.grad);
      if (kept.has(tensor)) waiting.push(tensor);
    }
    for (let tensor = waiting.pop(); tensor !== undefined; tensor = waiting.pop()) {
      if (survivors.has(tensor)) continue;
      survivors.add(tensor);
      if (tensor.grad !== null) waiting.push(tensor.grad);
    }
    return survivors;
  }
}

/** Runs `fn`, and frees what was made in it; see the top of this file. Gives what `fn` gives. @throws what `fn` throws */
export function scope<T>(fn: () => T): T {
  if (currentTrace() !== null) {
    throw new OptionError("scope: expected to be outside of compiled functions, found it inside");
  }
  const opened = new Scope();
  pushWitness(opened);
  let result: T;
  try {
    result = fn();
  } catch (error) {
    opened.close([]);
    throw error;
  }
  if (!(result instanceof Promise)) {
    opened.close(tensorsIn(result));
    return result;
  }
  const ended: Promise<unknown> = result.then(
    (value: unknown) => {
      opened.close(tensorsIn(value));
      return value;
    },
    (error: unknown) => {
      opened.close([]);
      throw error;
    },
  );
  return ended as T;
}

/** `tensor`, which outlives the scopes that it was made in: for state that is made on the way. */
export function keep(tensor: Tensor): Tensor {
  kept.add(tensor);
  return tensor;
}

/** All tensors in what a function returned: in arrays, maps, sets, and the fields of objects. */
function tensorsIn(value: unknown): Set<Tensor> {
  const found = new Set<Tensor>();
  const seen = new Set<unknown>();
  const stack = [value];
  while (stack.length > 0) {
    const item = stack.pop();
    if (typeof item !== "object" || item === null || seen.has(item)) continue;
    seen.add(item);
    if (item instanceof Tensor) found.add(item);
    else if (item instanceof Map) stack.push(...item.keys(), ...item.values());
    else if (item instanceof Set || Array.isArray(item)) stack.push(...item);
    else if (!ArrayBuffer.isView(item)) stack.push(...Object.values(item));
  }
  return found;
}

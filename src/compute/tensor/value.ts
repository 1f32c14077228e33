/**
 * What a tensor holds at one moment. A Tensor is a cell that can be assigned; a Value never changes what it stands for,
 * so that gradients use what the forward pass saw, whatever was assigned since.
 */
import { assert, present } from "../../base/assert.ts";
import type { Node } from "../compiler/ir.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Tensor } from "./tensor.ts";
import type { Trace } from "./trace.ts";

export interface Value {
  /** How it is computed; replaced by a leaf once it has been, which changes no bits. */
  node: Node;
  /** Where its leaves live; null while it reads none and is none. */
  runtime: Runtime | null;
  /** The compiled function that is being traced and owns it; null for all others. */
  readonly trace: Trace | null;
  readonly requiresGrad: boolean;
  /** The op that made it, when gradients flow through it. */
  readonly origin: Origin | null;
  /** For a value without origin: the tensor whose `.grad` collects its gradient. */
  readonly owner: Tensor | null;
  /** Grows with creation, so that descending order is a reverse topological order. */
  readonly order: number;
}

/** dL/dinputs from dL/doutput, null where there is none, by differentiable ops only. */
export type BackwardFunction = (grad: Tensor, output: Value) => readonly (Tensor | null)[];

/** The record of one applied op. */
export class Origin {
  readonly name: string;
  #inputs: readonly Value[];
  #backward: BackwardFunction | null;

  constructor(name: string, inputs: readonly Value[], backward: BackwardFunction) {
    this.name = name;
    this.#inputs = inputs;
    this.#backward = backward;
  }

  get inputs(): readonly Value[] {
    return this.#inputs;
  }

  /** True when its inputs are no longer known. */
  get isFree(): boolean {
    return this.#backward === null;
  }

  backward(grad: Tensor, output: Value): readonly (Tensor | null)[] {
    return present(this.#backward, `${this.name}: the record of its backward`)(grad, output);
  }

  /** Lets go of what the backward pass needed. */
  free(): void {
    this.#inputs = [];
    this.#backward = null;
  }
}

let created = 0;

/** A value; what is left out is null or false. */
export function createValue(node: Node, parts: Partial<Omit<Value, "node" | "order">> = {}): Value {
  created += 1;
  return {
    node,
    runtime: parts.runtime ?? null,
    trace: parts.trace ?? null,
    requiresGrad: parts.requiresGrad ?? false,
    origin: parts.origin ?? null,
    owner: parts.owner ?? null,
    order: created,
  };
}

/** How many values have been made so far. */
export function valuesMade(): number {
  return created;
}

/** True when the bytes are on a device already. */
export function isLeaf(node: Node): boolean {
  return node.primitive.kind === "buffer";
}

const holders = new WeakMap<Node, Value>();

/** Notes that `leaf` was made for `value`, which alone may be overwritten in place. */
export function ownLeaf(leaf: Node, value: Value): void {
  holders.set(leaf, value);
}

/** As `ownLeaf`, unless the leaf is some value's already (a graph may turn out equal to one of its leaves). */
export function ownNewLeaf(leaf: Node, value: Value): void {
  if (!holders.has(leaf)) holders.set(leaf, value);
}

/** True when `value` is in a leaf of its own, not in one that it shares (with what it was detached from). */
export function ownsLeaf(value: Value): boolean {
  return holders.get(value.node) === value;
}

let construct: ((value: Value) => Tensor) | null = null;

/** Called once by tensor.ts, so that ops can make tensors without importing the class that has them as methods. */
export function registerTensor(fn: (value: Value) => Tensor): void {
  assert(construct === null, "registerTensor: registered twice");
  construct = fn;
}

/** A new tensor that holds `value`. */
export function tensorOf(value: Value): Tensor {
  return present(construct, "tensorOf: the Tensor class (import tensor.ts)")(value);
}

const frozen = new WeakSet<Tensor>();

/** A new tensor that will never hold anything but `value`: for gradient formulas. */
export function frozenTensorOf(value: Value): Tensor {
  const tensor = tensorOf(value);
  frozen.add(tensor);
  return tensor;
}

/** True when nothing assigns `tensor`. */
export function isFrozen(tensor: Tensor): boolean {
  return frozen.has(tensor);
}

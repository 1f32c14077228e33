/**
 * One run of a function under `compile`: which tensors from outside it reads, which of them it assigns. What is read
 * becomes a fixed leaf of the plan, what is assigned one of its updates; afterwards the outside looks untouched until
 * the plan has run.
 */
import { assert, present } from "../../base/assert.ts";
import { OptionError } from "../../base/errors.ts";
import type { Node } from "../compiler/ir.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { pinLeaf } from "./live-tensors.ts";
import { isFrozen, isLeaf, ownLeaf, ownsLeaf } from "./value.ts";
import type { Value } from "./value.ts";
import type { Tensor } from "./tensor.ts";

/** Leaves that some plan updates. */
const stateLeaves = new WeakSet<Node>();

/** A tensor from outside and the leaf that stands for it in the plan. */
export interface Capture {
  readonly tensor: Tensor;
  readonly leaf: Node;
}

export class Trace {
  readonly runtime: Runtime;
  /** Into how many parts `microBatched` cuts a batch where nobody says. */
  readonly microBatches: number;
  #microBatchesMax = 1;
  readonly #leaves = new Map<Value, Node>();
  readonly #cells = new Map<Tensor, Value>();
  readonly #assigned = new Set<Tensor>();
  readonly #gradients = new Map<Tensor, Tensor | null>();
  readonly #copies: (readonly [leaf: Node, node: Node])[] = [];
  readonly #guards: (() => boolean)[] = [];
  readonly #effects: (() => void)[] = [];
  /** Leaves of its own. */
  readonly #made: Node[] = [];
  #ended = false;
  #isRestored = false;

  constructor(runtime: Runtime, microBatches = 1) {
    this.runtime = runtime;
    this.microBatches = microBatches;
  }

  /** More parts than this would change nothing: the largest batch that `microBatches` cuts, 1 if none. */
  get microBatchesMax(): number {
    return this.#microBatchesMax;
  }

  /** Called for every batch that `microBatches` cuts. */
  noteBatch(size: number): void {
    this.#microBatchesMax = Math.max(this.#microBatchesMax, size);
  }

  /** The leaf for `value`, which was made outside. A lazy one gets a fresh leaf, filled before the first run. */
  capture(value: Value): Node {
    assert(!this.#ended, "Trace.capture: after its end");
    const known = this.#leaves.get(value);
    if (known !== undefined) return known;
    if (value.runtime !== null && value.runtime !== this.runtime) {
      throw new OptionError("compile: expected tensors of its own runtime, found one of another");
    }
    const leaf = isLeaf(value.node) ? value.node : this.#copyOf(value.node);
    pinLeaf(leaf);
    this.#leaves.set(value, leaf);
    return leaf;
  }

  /** As `capture`, and remembers that later runs must find `tensor`'s value in the leaf. */
  captureTensor(tensor: Tensor): Node {
    const { value } = tensor;
    const first = this.#cells.get(tensor);
    if (first === undefined) this.#cells.set(tensor, value);
    // Frozen or thawed since: another value, the same bytes.
    else if (first !== value && first.node === value.node) this.#leaves.set(value, this.capture(first));
    return this.capture(value);
  }

  /** Called before `tensor`, made outside, is assigned. It gets a leaf that is its own. */
  noteAssignment(tensor: Tensor): void {
    if (this.#assigned.has(tensor)) return;
    const value = tensor.value;
    refuseForeign(value);
    if (isLeaf(value.node) && !ownsLeaf(value)) {
      if (this.#leaves.has(value)) {
        throw new OptionError(
          "assign: expected a tensor with bytes of its own, found one that shares a detached one's",
        );
      }
      this.#leaves.set(value, this.#copyOf(value.node));
    }
    this.captureTensor(tensor);
    this.#assigned.add(tensor);
  }

  /** Called before the `.grad` of `tensor`, made outside, changes. */
  noteGradient(tensor: Tensor, before: Tensor | null): void {
    if (this.#gradients.has(tensor)) return;
    this.#gradients.set(tensor, before);
    this.guard(() => tensor.grad === before);
  }

  /** The plan holds only while `holds()` gives true. */
  guard(holds: () => boolean): void {
    this.#guards.push(holds);
  }

  /** Calls `effect` with every run of the plan: what the host has to know of it. */
  onRun(effect: () => void): void {
    this.#effects.push(effect);
  }

  /**
   * Gives the outside back as it was. A `.grad` that was there before keeps its tensor, which is assigned what the
   * function left there (zeros for null); one that was not is gone: such gradients live inside one call.
   */
  end(zeros: (like: Tensor) => Tensor): TraceResult {
    for (const [tensor, before] of this.#gradients) {
      const after = tensor.grad;
      if (before !== null && after !== before) before.assign(after ?? zeros(before));
    }
    this.#ended = true;
    const updates: [Node, Node][] = [];
    for (const tensor of this.#assigned) {
      const outside = present(this.#cells.get(tensor), "Trace.end: the value before");
      updates.push([present(this.#leaves.get(outside), "Trace.end: the leaf"), tensor.value.node]);
    }
    this.#restore();
    return {
      updates,
      copies: this.#copies,
      guards: this.#guards,
      effects: this.#effects,
      captures: [...this.#cells].map(([tensor, value]) => ({
        tensor,
        leaf: present(this.#leaves.get(value), "Trace.end: the leaf"),
      })),
      adopt: () => this.#adopt(),
    };
  }

  /** Ends a trace that failed, or whose plan could not be made: nothing outside has changed, and no leaf is left. */
  abandon(): void {
    this.#ended = true;
    this.#restore();
    for (const leaf of this.#made.splice(0)) this.runtime.release(leaf);
  }

  /** Once: what is assigned outside after the end stays. */
  #restore(): void {
    if (this.#isRestored) return;
    this.#isRestored = true;
    for (const tensor of this.#assigned) this.#giveBack(tensor);
    for (const [tensor, before] of this.#gradients) tensor.restoreGrad(before);
  }

  /** The value before, for which the function may have frozen or thawed it. */
  #giveBack(tensor: Tensor): void {
    const { requiresGrad } = tensor;
    const before = present(this.#cells.get(tensor), "Trace.restore: the value before");
    tensor.value = before;
    if (requiresGrad === before.requiresGrad) return;
    const leaf = present(this.#leaves.get(before), "Trace.restore: the leaf");
    tensor.value = { ...before, requiresGrad, owner: requiresGrad ? tensor : null };
    this.#cells.set(tensor, tensor.value);
    this.#leaves.set(tensor.value, leaf);
    if (before.node === leaf) ownLeaf(leaf, tensor.value);
  }

  /** After the copies have run: the captured values live in the plan's leaves from now on. */
  #adopt(): void {
    for (const [value, leaf] of this.#leaves) {
      if (value.node === leaf) continue;
      value.node = leaf;
      value.runtime = this.runtime;
      ownLeaf(leaf, value);
    }
    for (const tensor of this.#assigned) {
      const value = present(this.#cells.get(tensor), "Trace.adopt: the value before");
      stateLeaves.add(present(this.#leaves.get(value), "Trace.adopt: the leaf"));
    }
  }

  #copyOf(node: Node): Node {
    const leaf = this.runtime.leaf(node.shape, node.dtype);
    this.#made.push(leaf);
    const isZero = node.primitive.kind === "constant" && node.primitive.value === 0;
    if (!isZero) this.#copies.push([leaf, node]); // A new leaf holds zeros already.
    return leaf;
  }
}

/** What a trace found out. */
export interface TraceResult {
  readonly updates: readonly (readonly [target: Node, value: Node])[];
  /** What must be copied into new leaves before the first run. */
  readonly copies: readonly (readonly [target: Node, value: Node])[];
  readonly guards: readonly (() => boolean)[];
  /** To be called with every run. */
  readonly effects: readonly (() => void)[];
  readonly captures: readonly Capture[];
  /** To be called once the copies have run. */
  adopt(): void;
}

/** True for the leaf of a tensor that some plan updates. */
export function isStateLeaf(node: Node): boolean {
  return stateLeaves.has(node);
}

let active: Trace | null = null;

/** The trace under way, if any. */
export function currentTrace(): Trace | null {
  return active;
}

/** Runs `fn` (synchronous) under `trace`. */
export function withTrace<T>(trace: Trace, fn: () => T): T {
  assert(active === null, "withTrace: inside another trace");
  active = trace;
  try {
    return fn();
  } finally {
    active = null;
  }
}

/** Runs `fn` as if no function were being traced: for state that is made inside one and outlives it. */
export function outsideTrace<T>(fn: () => T): T {
  const trace = active;
  active = null;
  try {
    return fn();
  } finally {
    active = trace;
  }
}

/** The node to compute with for `tensor`, seen from the trace under way or from none. */
export function readNode(tensor: Tensor): Node {
  const { value } = tensor;
  if (value.trace === active) return value.node;
  refuseForeign(value);
  const trace = present(active, "readNode: the trace");
  return isFrozen(tensor) ? trace.capture(value) : trace.captureTensor(tensor);
}

function refuseForeign(value: Value): void {
  if (value.trace !== null) {
    throw new OptionError(
      "tensor: expected one that lives outside, found one that was made inside a compiled function; return it from there",
    );
  }
}

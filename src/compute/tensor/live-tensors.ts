/**
 * Which tensors there are, and which leaves they still need: what makes freeing exact where the engine's garbage
 * collection would be late.
 *
 * A leaf may be freed when no tensor that is alive reaches it: not as its value, not through the graph of a lazy value,
 * not through the record of gradients. Tensors that nobody uses any more but that the engine has not collected count as
 * alive, so this frees late at worst, never early. Leaves that plans use are never freed here.
 */
import type { Node } from "../compiler/ir.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Tensor } from "./tensor.ts";
import type { Value } from "./value.ts";

const PRUNE_FROM = 4096;

const references = new Set<WeakRef<Tensor>>();
const referenceOf = new WeakMap<Tensor, WeakRef<Tensor>>();
let pruneAt = PRUNE_FROM;

/** The runtimes of leaves that nobody but tensors uses. */
const ownedLeaves = new WeakMap<Node, Runtime>();
/** Of tensors that were disposed while others needed them. */
let condemned: WeakRef<Node>[] = [];

/** What is told of everything that is made. */
export interface Witness {
  tensorMade(tensor: Tensor): void;
  leafMade(leaf: Node): void;
}

const witnesses: Witness[] = [];

/** Adds to, or takes from, those that are told: only the last one is. */
export function pushWitness(witness: Witness): void {
  witnesses.push(witness);
}

/** Takes `witness` away, wherever it is; gives the one below it. */
export function removeWitness(witness: Witness): Witness | null {
  const at = witnesses.lastIndexOf(witness);
  if (at >= 0) witnesses.splice(at, 1);
  return witnesses[at - 1] ?? null;
}

/** Runs `fn` (synchronous); what it makes belongs to no witness. */
export function unwitnessed<T>(fn: () => T): T {
  const held = witnesses.splice(0);
  try {
    return fn();
  } finally {
    witnesses.push(...held);
  }
}

let observer: ((tensor: Tensor) => void) | null = null;

/** Calls `fn` with every tensor that is made from now on; null ends it. */
export function onTensorMade(fn: ((tensor: Tensor) => void) | null): void {
  observer = fn;
}

/** Notes a new tensor. */
export function noteTensor(tensor: Tensor): void {
  const reference = new WeakRef(tensor);
  references.add(reference);
  referenceOf.set(tensor, reference);
  if (references.size > pruneAt) {
    for (const old of references) if (old.deref() === undefined) references.delete(old);
    pruneAt = Math.max(PRUNE_FROM, 2 * references.size);
  }
  witnesses.at(-1)?.tensorMade(tensor);
  observer?.(tensor);
}

/** Notes that `tensor` is disposed. */
export function forgetTensor(tensor: Tensor): void {
  const reference = referenceOf.get(tensor);
  if (reference !== undefined) references.delete(reference);
}

/** All tensors that are neither disposed nor collected. */
export function liveTensors(): Tensor[] {
  const out: Tensor[] = [];
  for (const reference of references) {
    const tensor = reference.deref();
    if (tensor === undefined) references.delete(reference);
    else out.push(tensor);
  }
  return out;
}

/** Notes a leaf that was made for a tensor. */
export function noteLeaf(leaf: Node, runtime: Runtime): void {
  ownedLeaves.set(leaf, runtime);
  witnesses.at(-1)?.leafMade(leaf);
}

/** Notes that a plan uses `leaf` from now on. */
export function pinLeaf(leaf: Node): void {
  ownedLeaves.delete(leaf);
}

/** Frees those of `leaves` that no tensor needs, now or as soon as that is so; gives those that stay. */
export function releaseUnneeded(leaves: Iterable<Node>): Node[] {
  const waiting = condemned.map((reference) => reference.deref()).filter((leaf) => leaf !== undefined);
  const candidates = new Set([...leaves, ...waiting].filter((leaf) => ownedLeaves.has(leaf)));
  if (candidates.size === 0) {
    condemned = [];
    return [];
  }
  const { needed, held } = neededOf(candidates);
  for (const leaf of candidates) {
    if (needed.has(leaf)) continue;
    ownedLeaves.get(leaf)?.release(leaf);
    ownedLeaves.delete(leaf);
  }
  // A tensor that holds one frees it when it is disposed; those that are only computed from wait.
  condemned = [...needed].filter((leaf) => !held.has(leaf)).map((leaf) => new WeakRef(leaf));
  return [...needed];
}

/** Frees `leaf`, of a tensor that was disposed, as soon as no other tensor needs it. */
export function condemnLeaf(leaf: Node): void {
  if (!ownedLeaves.has(leaf)) return;
  condemned.push(new WeakRef(leaf));
  releaseUnneeded([]);
}

/** To be called when values have been computed: they need their graphs no more. */
export function releaseCondemned(): void {
  if (condemned.length > 0) releaseUnneeded([]);
}

/** Those of `candidates` that live tensors reach, and those of them that are some tensor's value. */
function neededOf(candidates: ReadonlySet<Node>): { needed: Set<Node>; held: Set<Node> } {
  const needed = new Set<Node>();
  const values = liveTensors().map((tensor) => tensor.value);
  const held = new Set(values.map((value) => value.node));
  const seenValues = new Set<Value>();
  const seenNodes = new Set<Node>();
  for (let value = values.pop(); value !== undefined; value = values.pop()) {
    if (seenValues.has(value)) continue;
    seenValues.add(value);
    visitNodes(value.node, seenNodes, (node) => {
      if (candidates.has(node)) needed.add(node);
    });
    if (value.origin !== null) values.push(...value.origin.inputs);
  }
  return { needed, held };
}

function visitNodes(root: Node, seen: Set<Node>, visit: (node: Node) => void): void {
  const stack = [root];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    visit(node);
    stack.push(...node.inputs);
  }
}

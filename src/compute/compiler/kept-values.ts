/**
 * Which values of elements a kernel of rows keeps from one sweep to the next: what costs much to compute, and is read in
 * several sweeps. A softmax would compute its exponentials once to add them up, and once more to divide them.
 */
import { sameShape } from "../layout/shape.ts";
import { ownCost } from "./cost.ts";
import { readInputs, type Node, type Shape } from "./ir.ts";

/** A value, and the sweep that computes it. */
export interface KeptValue {
  readonly node: Node;
  readonly sweep: number;
}

/** The arithmetic of an element from which on it costs more than to store and load it near the processor. */
const COST_MIN = 10;
/** More would leave the processor's first cache. */
const KEPT_MAX = 4;

/** Of what is computed in each sweep from `roots`, in the shape of the space and without views on the way. */
export function keptValues(
  roots: readonly (readonly Node[])[],
  shape: Shape,
  isKnown: (node: Node) => boolean,
): KeptValue[] {
  const kept = new Map<Node, number>();
  while (kept.size < KEPT_MAX) {
    const sweeps = sweepsOf(roots, shape, isKnown, kept);
    const wanted = [...sweeps.keys()].filter((node) => isWanted(node, sweeps, kept));
    // The outermost first: what is beneath it may then be computed once anyway.
    const outermost = wanted.find((node) => !wanted.some((other) => other !== node && isBeneath(node, other)));
    if (outermost === undefined) break;
    kept.set(outermost, Math.min(...(sweeps.get(outermost) ?? [])));
  }
  return [...kept].map(([node, sweep]) => ({ node, sweep }));
}

function isWanted(
  node: Node,
  sweeps: ReadonlyMap<Node, ReadonlySet<number>>,
  kept: ReadonlyMap<Node, number>,
): boolean {
  return !kept.has(node) && node.dtype !== "bool" && ownCost(node) >= COST_MIN && (sweeps.get(node)?.size ?? 0) > 1;
}

/** In which sweeps each element is computed, where those of `kept` are computed once. */
function sweepsOf(
  roots: readonly (readonly Node[])[],
  shape: Shape,
  isKnown: (node: Node) => boolean,
  kept: ReadonlyMap<Node, number>,
): Map<Node, Set<number>> {
  const sweeps = new Map<Node, Set<number>>();
  for (const [sweep, own] of roots.entries()) {
    const stack = [...own];
    for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
      if (isKnown(node) || !isElement(node, shape)) continue;
      const seen = sweeps.get(node) ?? new Set();
      if (seen.has(sweep)) continue;
      sweeps.set(node, seen.add(sweep));
      if ((kept.get(node) ?? sweep) === sweep) stack.push(...readInputs(node));
    }
  }
  return sweeps;
}

function isElement({ primitive: { kind }, shape }: Node, ofSpace: Shape): boolean {
  const isStep = kind === "unary" || kind === "binary" || kind === "select" || kind === "cast" || kind === "bitcast";
  return (isStep || kind === "random") && sameShape(shape, ofSpace);
}

function isBeneath(node: Node, other: Node): boolean {
  const stack = [...readInputs(other)];
  const seen = new Set<Node>();
  for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
    if (at === node) return true;
    if (seen.has(at)) continue;
    seen.add(at);
    stack.push(...readInputs(at));
  }
  return false;
}

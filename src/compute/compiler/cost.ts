/**
 * What computing a value again costs against storing it, in units of one addition.
 *
 * Rough on purpose: the choice only matters where the two are far apart.
 */
import { readInputs, type Node } from "./ir.ts";
import { elementCount } from "../layout/shape.ts";

const LOAD = 8;
const STORE = 8;
/** A kernel more: its dispatch, and the wait for it. */
const DISPATCH = 100_000;
/** Arrays of at most this many elements are small: what a kernel does with them takes no longer than to start it. */
export const SMALL_ELEMENTS_MAX: number = 2 ** 18;
/** Storing has to be this much better, since its cost is certain. */
const CAUTION = 1.5;
/** Shared inputs are counted once for each use, so that sums grow without end. */
const COST_MAX = 1e5;

/** The arithmetic of one element of `node`, without its inputs'. */
export function ownCost(node: Node): number {
  const { primitive } = node;
  switch (primitive.kind) {
    case "random":
      return primitive.distribution === "normal" ? 500 : 200;
    case "pad":
      return 3;
    case "unary":
      return UNARY_COST[primitive.fn] ?? 1;
    case "binary":
      return primitive.fn === "power" ? 25 : primitive.fn === "divide" || primitive.fn === "remainder" ? 4 : 1;
    case "constant":
    case "reshape":
    case "permute":
    case "expand":
    case "slice":
    case "window":
    case "barrier":
      return 0;
    default:
      return 1;
  }
}

const UNARY_COST: Readonly<Record<string, number>> = { exp: 10, log: 10, sqrt: 4, sin: 15, cos: 15, tanh: 20, erf: 30 };

/** The cost of one element of each node, with all that is computed for it. `order` has inputs first. */
export function costsOf(order: readonly Node[], isStored: (node: Node) => boolean): Map<Node, number> {
  const costs = new Map<Node, number>();
  for (const node of order) {
    let cost = ownCost(node);
    for (const input of readInputs(node)) cost += isStored(input) ? LOAD : (costs.get(input) ?? 0);
    costs.set(node, Math.min(cost, COST_MAX));
  }
  return costs;
}

/** True when `evaluations` of a node, at `cost` each, cost more than computing each element once and loading it. */
export function isWorthStoring(node: Node, cost: number, evaluations: number): boolean {
  const stored = elementCount(node.shape) * (cost + STORE) + evaluations * LOAD;
  return evaluations * cost > CAUTION * stored + DISPATCH;
}

/** True for what is no more work than a load. */
export function isTrivial(cost: number): boolean {
  return cost <= LOAD + 1;
}

/** Walking and rewriting graphs. They may be thousands of nodes deep, so nothing here recurses. */
import { InvariantError } from "../../base/errors.ts";
import { formatShape } from "../layout/shape.ts";
import { remake } from "./graph.ts";
import { readInputs, type Node } from "./ir.ts";

/**
 * All nodes that `outputs` need, each once, inputs before readers; in an order that depends on the graph alone.
 * @throws InvariantError for a node that is computed from itself
 */
export function inTopologicalOrder(outputs: readonly Node[]): Node[] {
  const order: Node[] = [];
  const isDone = new Map<Node, boolean>();
  const stack = [...outputs].reverse();
  for (let node = stack.at(-1); node !== undefined; node = stack.at(-1)) {
    const seen = isDone.get(node);
    if (seen === undefined) {
      isDone.set(node, false);
      for (let i = node.inputs.length - 1; i >= 0; i--) {
        const input = node.inputs[i];
        const before = input && isDone.get(input);
        if (before === false) throw new InvariantError(`expected no circles, found ${describeNode(node)} in one`);
        if (input !== undefined && before === undefined) stack.push(input);
      }
      continue;
    }
    stack.pop();
    if (seen) continue;
    isDone.set(node, true);
    order.push(node);
  }
  return order;
}

/** "add float32 [2, 3]", for messages. */
export function describeNode({ primitive, shape, dtype }: Node): string {
  return `${"fn" in primitive ? primitive.fn : primitive.kind} ${dtype} ${formatShape(shape)}`;
}

/**
 * `outputs`, those with the shortest way from the leaves first. Kernels run in the order in which outputs are asked for:
 * so gradients of the last layers are done, and what they need is free, before those of the first.
 */
export function shallowFirst(outputs: readonly Node[]): Node[] {
  const depths = new Map<Node, number>();
  for (const node of inTopologicalOrder(outputs)) {
    depths.set(node, node.inputs.reduce((most, input) => Math.max(most, depths.get(input) ?? 0), 0) + 1);
  }
  return [...outputs].sort((a, b) => (depths.get(a) ?? 0) - (depths.get(b) ?? 0));
}

/** A graph made of another. */
export interface Rewritten {
  readonly outputs: readonly Node[];
  /** For each node of the graph before, the one that computes its value now; undefined for others. */
  became(node: Node): Node | undefined;
}

/**
 * `outputs` with every node replaced by what `replace` gives for it, inputs first; it sees nodes whose inputs have been
 * replaced already.
 */
export function rewrite(outputs: readonly Node[], replace: (node: Node) => Node): Rewritten {
  const became = new Map<Node, Node>();
  for (const node of inTopologicalOrder(outputs)) {
    const inputs = node.inputs.map((input) => became.get(input) ?? input);
    const changed = inputs.some((input, i) => input !== node.inputs[i]);
    became.set(node, replace(changed ? remake(node, inputs) : node));
  }
  return { outputs: outputs.map((node) => became.get(node) ?? node), became: (node) => became.get(node) };
}

/** For each node that `outputs` need, the nodes that read it, each once. */
export function readersOf(order: readonly Node[]): Map<Node, Node[]> {
  const readers = new Map<Node, Node[]>(order.map((node) => [node, []]));
  for (const node of order) for (const input of new Set(readInputs(node))) readers.get(input)?.push(node);
  return readers;
}

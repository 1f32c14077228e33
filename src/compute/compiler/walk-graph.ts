/** Walking and rewriting graphs. They may be thousands of nodes deep, so nothing here recurses. */
import { readInputs, type Node } from "./ir.ts";

/** All nodes that `outputs` need, each once, inputs before readers; in an order that depends on the graph alone. */
export function inTopologicalOrder(outputs: readonly Node[]): Node[] {
  const order: Node[] = [];
  const state = new Map<Node, "open" | "done">();
  const stack = [...outputs].reverse();
  for (let node = stack.at(-1); node !== undefined; node = stack.at(-1)) {
    const seen = state.get(node);
    if (seen === undefined) {
      state.set(node, "open");
      for (let i = node.inputs.length - 1; i >= 0; i--) {
        const input = node.inputs[i];
        if (input !== undefined && !state.has(input)) stack.push(input);
      }
      continue;
    }
    stack.pop();
    if (seen === "done") continue;
    state.set(node, "done");
    order.push(node);
  }
  return order;
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

/**
 * `outputs` with every node replaced by what `replace` gives for it, inputs first; it sees nodes whose inputs have been
 * replaced already.
 */
export function rewrite(outputs: readonly Node[], replace: (node: Node) => Node): Node[] {
  const replaced = new Map<Node, Node>();
  for (const node of inTopologicalOrder(outputs)) {
    const inputs = node.inputs.map((input) => replaced.get(input) ?? input);
    const changed = inputs.some((input, i) => input !== node.inputs[i]);
    replaced.set(node, replace(changed ? { ...node, inputs } : node));
  }
  return outputs.map((node) => replaced.get(node) ?? node);
}

/** For each node that `outputs` need, the nodes that read it, each once. */
export function readersOf(order: readonly Node[]): Map<Node, Node[]> {
  const readers = new Map<Node, Node[]>(order.map((node) => [node, []]));
  for (const node of order) for (const input of new Set(readInputs(node))) readers.get(input)?.push(node);
  return readers;
}

/** `outputs` with nodes that compute the same thing made one. Leaves are told apart by identity. */
export function mergeEqual(outputs: readonly Node[]): Node[] {
  const ids = new Map<Node, number>();
  const byKey = new Map<string, Node>();
  const idOf = (node: Node): number => {
    const id = ids.get(node) ?? ids.size;
    ids.set(node, id);
    return id;
  };
  return rewrite(outputs, (node) => {
    if (node.primitive.kind === "buffer") return node;
    const key = `${keyOfPrimitive(node)}:${node.dtype}:${node.shape.join()}:${node.inputs.map(idOf).join()}`;
    const same = byKey.get(key);
    if (same === undefined) byKey.set(key, node);
    return same ?? node;
  });
}

function keyOfPrimitive({ primitive }: Node): string {
  // JSON has no -0, NaN and infinities.
  const value = "value" in primitive ? (Object.is(primitive.value, -0) ? "-0" : String(primitive.value)) : "";
  return `${JSON.stringify(primitive)}${value}`;
}

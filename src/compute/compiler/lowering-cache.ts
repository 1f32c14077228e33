/**
 * Lowered graphs, by what they compute: a graph that comes again, over other leaves, is lowered at once.
 *
 * Making kernels of a training step takes some hundred milliseconds, and every shape, run and restart asks for the same
 * ones. What is kept holds no leaf and no graph: kernels, and nodes that stand for what they store and read.
 */
import type { Lowered } from "./lower.ts";
import type { LoweredKernel } from "./lower-region.ts";
import type { Node, Primitive } from "./ir.ts";
import { inTopologicalOrder } from "./walk-graph.ts";

/** Graphs kept; the one used longest ago goes first. */
const KEPT_MAX = 32;
/** Smaller graphs are lowered sooner than they are compared. */
const NODES_MIN = 64;

export class LoweringCache {
  readonly #kept = new Map<string, Lowered>();

  /**
   * `lower(outputs)`, or what it gave for an equal graph before.
   *
   * @param condition all else that the result depends on
   */
  get(outputs: readonly Node[], condition: string, lower: () => Lowered): Lowered {
    const order = inTopologicalOrder(outputs);
    if (order.length < NODES_MIN) return lower();
    const key = `${condition}|${keyOfGraph(order, outputs)}`;
    const leaves = order.filter(isLeaf);
    const known = this.#kept.get(key);
    if (known !== undefined) {
      this.#kept.delete(key);
      this.#kept.set(key, known);
      return overLeaves(known, (stand) => leaves[placeOf(stand)]);
    }
    const lowered = lower();
    this.#kept.set(key, withoutGraph(lowered, leaves));
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > KEPT_MAX && oldest !== undefined) this.#kept.delete(oldest);
    return lowered;
  }
}

function isLeaf({ primitive }: Node): boolean {
  return primitive.kind === "buffer";
}

/** Equal for graphs that compute the same from leaves of the same shapes, given in the same order. */
function keyOfGraph(order: readonly Node[], outputs: readonly Node[]): string {
  const ids = new Map<Node, number>(order.map((node, id) => [node, id]));
  const barriers = new Map<number, number>();
  const idOf = (node: Node): number => ids.get(node) ?? 0;
  const parts = order.map(({ primitive, inputs, shape, dtype }) => {
    return `${keyOfPrimitive(primitive, barriers)}:${dtype}:${shape.join()}:${inputs.map(idOf).join()}`;
  });
  return `${parts.join(";")}|${outputs.map(idOf).join()}`;
}

function keyOfPrimitive(primitive: Primitive, barriers: Map<number, number>): string {
  if (primitive.kind === "barrier") {
    // Ids tell the barriers of a graph apart, and differ from trace to trace.
    const number = barriers.get(primitive.id) ?? barriers.size;
    barriers.set(primitive.id, number);
    return `barrier ${number}`;
  }
  // A text of -0 is that of 0.
  const sign = "value" in primitive && Object.is(primitive.value, -0) ? "-" : "";
  return `${sign}${Object.values(primitive).join(" ")}`;
}

/** The leaf that a node of a kept graph stands for, by its place among the leaves; none for what a kernel stores. */
const places = new WeakMap<Node, number>();

function placeOf(stand: Node): number {
  return places.get(stand) ?? -1;
}

function withoutGraph(lowered: Lowered, leaves: readonly Node[]): Lowered {
  const stands = new Map<Node, Node>();
  const standFor = (node: Node): Node => {
    const known = stands.get(node);
    if (known !== undefined) return known;
    const stand: Node = { ...node, inputs: [] };
    if (isLeaf(node)) places.set(stand, leaves.indexOf(node));
    stands.set(node, stand);
    return stand;
  };
  return mapNodes(lowered, standFor);
}

function overLeaves(kept: Lowered, leafOf: (stand: Node) => Node | undefined): Lowered {
  return mapNodes(kept, (stand) => leafOf(stand) ?? stand);
}

function mapNodes({ kernels, outputs }: Lowered, by: (node: Node) => Node): Lowered {
  const mapped = kernels.map((kernel): LoweredKernel => {
    return { ...kernel, outputs: kernel.outputs.map(by), inputs: kernel.inputs.map(by) };
  });
  return { kernels: mapped, outputs: outputs.map(by) };
}

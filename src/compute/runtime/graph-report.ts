/** A graph of nodes as plain data. */
import type { Node, Primitive } from "../compiler/ir.ts";
import { inTopologicalOrder } from "../compiler/walk-graph.ts";
import { bytesOfNode } from "./leaves.ts";
import type { GraphNodeReport, GraphReport } from "./plan-report.ts";

/** What is known of a graph's nodes once kernels have been made. */
export interface Lowering {
  kernelsOf(node: Node): readonly number[];
  isStored(node: Node): boolean;
}

const NOT_LOWERED: Lowering = { kernelsOf: () => [], isStored: () => false };

/** The graph under `outputs`, and each node's place in it. */
export function reportGraph(
  outputs: readonly Node[],
  lowering: Lowering = NOT_LOWERED,
): { readonly report: GraphReport; readonly idOf: (node: Node) => number } {
  const order = inTopologicalOrder(outputs);
  const ids = new Map(order.map((node, id) => [node, id]));
  const idOf = (node: Node): number => ids.get(node) ?? -1;
  const nodes = order.map((node, id): GraphNodeReport => {
    const { primitive, shape, dtype, inputs } = node;
    return {
      id,
      kind: primitive.kind,
      label: labelOf(primitive),
      shape,
      dtype,
      inputs: inputs.map(idOf),
      kernels: lowering.kernelsOf(node),
      isStored: primitive.kind === "buffer" || lowering.isStored(node),
      bytes: bytesOfNode(node),
    };
  });
  return { report: { nodes, outputs: outputs.map(idOf) }, idOf };
}

/** "binary add", "reduce sum 0, 1", "constant 0.5". */
function labelOf(primitive: Primitive): string {
  switch (primitive.kind) {
    case "constant":
      return `constant ${primitive.value}`;
    case "iota":
    case "gather":
    case "scatterAdd":
      return `${primitive.kind} ${primitive.axis}`;
    case "random":
      return `random ${primitive.distribution}`;
    case "unary":
    case "binary":
      return `${primitive.kind} ${primitive.fn}`;
    case "permute":
      return `permute ${primitive.order.join(", ")}`;
    case "window":
      return `window ${primitive.size} of ${primitive.axis}`;
    case "reduce":
      return `reduce ${primitive.fn} ${primitive.axes.join(", ")}`;
    case "scan":
      return `scan ${primitive.fn} ${primitive.axis}`;
    default:
      return primitive.kind;
  }
}

/** Graphs as text, so that a test can say what it expects: `add(x, expand[2, 3](y))`. */
import type { Node } from "../../../src/compute/compiler/ir.ts";

/** The formula of `node`; leaves have the names that `names` gives them. */
export function formulaOf(node: Node, names: ReadonlyMap<Node, string>): string {
  const name = names.get(node);
  if (name !== undefined) return name;
  const { primitive, inputs } = node;
  const list = inputs.map((input) => formulaOf(input, names)).join(", ");
  switch (primitive.kind) {
    case "buffer":
      return "?";
    case "constant":
      return node.dtype === "bool" ? String(primitive.value === 1) : String(primitive.value);
    case "iota":
      return `iota[${node.shape.join(", ")}; ${primitive.axis}]`;
    case "unary":
    case "binary":
      return `${primitive.fn}(${list})`;
    case "cast":
    case "bitcast":
      return `${node.dtype}(${list})`;
    case "permute":
      return `permute[${primitive.order.join(", ")}](${list})`;
    case "slice":
      return `slice[${rangesOf(primitive.starts, primitive.steps, node.shape)}](${list})`;
    case "pad":
      return `pad[${primitive.low.join(", ")}; ${node.shape.join(", ")}](${list})`;
    case "reduce":
      return `${primitive.fn}[${primitive.axes.join(", ")}](${list})`;
    case "reshape":
    case "expand":
      return `${primitive.kind}[${node.shape.join(", ")}](${list})`;
    default:
      return `${primitive.kind}(${list})`;
  }
}

/** "0..2 by 1": from, to and including, step. */
function rangesOf(starts: readonly number[], steps: readonly number[], sizes: readonly number[]): string {
  return sizes
    .map((size, axis) => {
      const [start, step] = [starts[axis] ?? 0, steps[axis] ?? 1];
      return `${start}..${start + (size - 1) * step}${step === 1 ? "" : ` by ${step}`}`;
    })
    .join(", ");
}

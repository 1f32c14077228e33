import { OptionError, ShapeError } from "../../../base/errors.ts";
import { binary, cast, pad } from "../../compiler/graph.ts";
import type { Node } from "../../compiler/ir.ts";
import { defineOp } from "../op.ts";
import { promote } from "../promote.ts";
import { formatShape, sameShape } from "../../layout/shape.ts";
import { normalizeAxis, sizeOf, withSize } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import { castTo } from "./cast.ts";

/** dL/dx_i = the part of g that x_i went to. */
const op = defineOp<readonly Tensor[], { axis: number }>({
  name: "cat",
  forward: (nodes, { axis }) => join(nodes, axis),
  backward: ({ grad, inputs, options: { axis } }) => grad.split(inputs.map((x) => sizeOf(x.shape, axis)), axis), // prettier-ignore
});

/** Each part padded with zeros to the whole, and all added: the graph has no primitive for it, and x + 0 is exact. */
function join(nodes: readonly Node[], axis: number): Node {
  const total = nodes.reduce((sum, node) => sum + sizeOf(node.shape, axis), 0);
  let start = 0;
  const padded = nodes.map((node) => {
    const size = sizeOf(node.shape, axis);
    const at = (count: number): number[] => node.shape.map((_, i) => (i === axis ? count : 0));
    start += size;
    const x = node.dtype === "bool" ? cast(node, "int32") : node;
    return pad(x, { low: at(start - size), high: at(total - start), interior: at(0), value: 0 });
  });
  const all = padded.reduce((sum, node) => binary("add", sum, node));
  return nodes[0]?.dtype === "bool" ? cast(all, "bool") : all;
}

/** `tensors` one after another along `axis`; other sizes must be equal. @throws ShapeError, OptionError */
export function cat(tensors: readonly Tensor[], axis = 0): Tensor {
  const [first] = tensors;
  if (first === undefined) throw new OptionError("cat: expected at least one tensor, found none");
  const at = normalizeAxis("cat", axis, first.shape.length);
  for (const { shape } of tensors) {
    if (shape.length !== first.shape.length || !sameShape(withSize(shape, at, 0), withSize(first.shape, at, 0))) {
      throw new ShapeError(
        `cat: expected sizes that differ only at axis ${at}, found ${formatShape(first.shape)} and ${formatShape(shape)}`,
      );
    }
  }
  const dtype = tensors.map((x) => x.dtype).reduce(promote);
  return tensors.length === 1 ? first : op(tensors.map((x) => castTo(x, dtype)), { axis: at }); // prettier-ignore
}

/** `tensors` of one shape along a new axis. @throws ShapeError, OptionError */
export function stack(tensors: readonly Tensor[], axis = 0): Tensor {
  const [first] = tensors;
  const other = tensors.find(({ shape }) => first !== undefined && !sameShape(shape, first.shape));
  if (first !== undefined && other !== undefined) {
    throw new ShapeError(
      `stack: expected tensors of one shape, found ${formatShape(first.shape)} and ${formatShape(other.shape)}`,
    );
  }
  return cat(tensors.map((x) => x.unsqueeze(axis)), axis); // prettier-ignore
}

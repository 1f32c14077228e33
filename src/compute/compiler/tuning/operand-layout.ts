/** How the operand of a contraction lies in memory, seen through its views. */
import { i32 } from "../../lang/build.ts";
import { flatten, type Index } from "../../kernels/grid.ts";
import type { DType } from "../../layout/dtype.ts";
import type { Node } from "../ir.ts";
import { indexBehindView, isView } from "../views.ts";
import type { OperandLayout } from "../../kernels/contraction/operand-layout.ts";

/**
 * N where neighbours along the last axis of `operand` [batch, rows, columns] are nearer in memory than those along the
 * one before, else T. Found by following three elements to where they are stored: whatever the views do.
 */
export function operandLayout(
  operand: Node,
  isStored: (node: Node) => boolean,
): { readonly layout: OperandLayout; readonly dtype: DType } {
  const at = (row: number, column: number): { place: number; base: Node } =>
    placeOf(operand, [i32(0), i32(row), i32(column)], isStored);
  const [, rows = 1, columns = 1] = operand.shape;
  const { place: first, base } = at(0, 0);
  const alongColumns = columns > 1 ? Math.abs(at(0, 1).place - first) : 0;
  const alongRows = rows > 1 ? Math.abs(at(1, 0).place - first) : Number.POSITIVE_INFINITY;
  return { layout: alongRows > 0 && alongRows < alongColumns ? "T" : "N", dtype: base.dtype };
}

/** The place in row-major order of the stored element behind `index`, and the node that is stored. */
function placeOf(node: Node, index: Index, isStored: (node: Node) => boolean): { place: number; base: Node } {
  let [base, at] = [node, index];
  while (!isStored(base)) {
    const [source] = base.inputs;
    if (source === undefined || !(isView(base) || base.primitive.kind === "cast")) break;
    if (isView(base)) at = indexBehindView(base, source.shape, at);
    base = source;
  }
  const flat = flatten(at, base.shape);
  return { place: flat.kind === "constant" ? Number(flat.value) : 0, base };
}

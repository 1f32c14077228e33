/**
 * Products of matrices by other views of their operands: the same products, added up in the same order.
 *
 * A factor of an operand stays where it is: outside it would be exact for powers of two alone, and the operand's kernel
 * has it for nothing.
 */
import { binary, contraction, expand, permute, reshape } from "../graph.ts";
import type { Node } from "../ir.ts";
import { any, on, rule, type Rule } from "./pattern.ts";

/** [B, M, N] as [B, N, M]. */
function transposed(x: Node): Node {
  return permute(x, [0, 2, 1]);
}

function isTransposition(order: readonly number[]): boolean {
  return order.length === 3 && order[0] === 0 && order[1] === 2;
}

const SHAPES: readonly Rule[] = [
  rule({
    name: "a product of a column and a row is elementwise",
    pattern: on("contraction", { as: "product" }, any("a"), any("b")),
    rewrite: ({ product: { shape }, a, b }) =>
      a.shape[2] === 1 ? binary("multiply", expand(a, shape), expand(b, shape)) : undefined,
  }),
  rule({
    name: "matrices that repeat are multiplied once",
    pattern: on("contraction", { as: "product" }, on("expand", { as: "left" }, any("a")), on("expand", {}, any("b"))),
    rewrite: ({ product: { shape }, left, a, b }) => {
      if (a.shape[0] !== 1 || b.shape[0] !== 1 || shape[0] === 1) return undefined;
      const [, rows = 1, columns = 1] = shape;
      const inner = left.shape[2] ?? 1;
      return expand(contraction(expand(a, [1, rows, inner]), expand(b, [1, inner, columns])), shape);
    },
  }),
  rule({
    name: "one matrix for the whole batch: the batch is more rows",
    pattern: on("contraction", { as: "product" }, any("a"), on("expand", { as: "repeated" }, any("b"))),
    rewrite: ({ product: { shape }, a, repeated, b }) => {
      const [batch = 1, rows = 1] = shape;
      if (b.shape[0] !== 1 || batch === 1) return undefined;
      const [, inner = 1, columns = 1] = repeated.shape;
      return reshape(contraction(reshape(a, [1, batch * rows, inner]), expand(b, [1, inner, columns])), shape);
    },
  }),
];

const TRANSPOSED: readonly Rule[] = [
  rule({
    name: "a transposed product is a product of transposed matrices",
    pattern: on(
      "permute",
      { where: ({ primitive }) => isTransposition(primitive.order) },
      on("contraction", { isReadOnce: true }, any("a"), any("b")),
    ),
    rewrite: ({ a, b }) => contraction(transposed(b), transposed(a)),
  }),
  rule({
    name: "a transposed product without its batch is a product of transposed matrices",
    pattern: on(
      "permute",
      { as: "outer", where: ({ primitive: { order } }) => order.length === 2 && order[0] === 1 },
      on(
        "reshape",
        { as: "matrix", isReadOnce: true },
        on("contraction", { as: "product", isReadOnce: true }, any("a"), any("b")),
      ),
    ),
    rewrite: ({ outer, matrix, product, a, b }) => {
      const [batch, rows, columns] = product.shape;
      const isMatrix = batch === 1 && matrix.shape[0] === rows && matrix.shape[1] === columns;
      return isMatrix ? reshape(contraction(transposed(b), transposed(a)), outer.shape) : undefined;
    },
  }),
];

/** Rules of contractions. */
export const CONTRACTIONS: readonly Rule[] = [...SHAPES, ...TRANSPOSED];

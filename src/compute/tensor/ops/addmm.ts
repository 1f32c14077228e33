/** Products of matrices added to something: beta * input + alpha * product, where the input broadcasts. */
import type { Operand } from "../operands.ts";
import type { Tensor } from "../tensor.ts";
import { matmul } from "./matmul.ts";
import { bmm, mm, mv, outer } from "./vector-products.ts";

/** Options of `addmm` and its relatives; both factors are 1 by default. */
export interface AddProductOptions {
  /** Of the input; with 0 it is not looked at. */
  readonly beta?: number;
  /** Of the product. */
  readonly alpha?: number;
}

function added(input: Tensor, product: Tensor, { beta = 1, alpha = 1 }: AddProductOptions): Tensor {
  const scale = (x: Tensor, by: Operand): Tensor => (by === 1 ? x : x.mul(by));
  const scaled = scale(product, alpha);
  return beta === 0 ? scaled : scale(input, beta).add(scaled);
}

/** beta * input + alpha * a b, for [m, k] and [k, n]: [m, n]. @throws ShapeError */
export function addmm(input: Tensor, a: Tensor, b: Tensor, options: AddProductOptions = {}): Tensor {
  return added(input, mm(a, b), options);
}

/** beta * input + alpha * a b, for [m, n] and [n]: [m]. @throws ShapeError */
export function addmv(input: Tensor, a: Tensor, b: Tensor, options: AddProductOptions = {}): Tensor {
  return added(input, mv(a, b), options);
}

/** beta * input + alpha * a b^T, for vectors [m] and [n]: [m, n]. @throws ShapeError */
export function addr(input: Tensor, a: Tensor, b: Tensor, options: AddProductOptions = {}): Tensor {
  return added(input, outer(a, b), options);
}

/** beta * input + alpha * a b, for [b, m, k] and [b, k, n]: [b, m, n]. @throws ShapeError */
export function baddbmm(input: Tensor, a: Tensor, b: Tensor, options: AddProductOptions = {}): Tensor {
  return added(input, bmm(a, b), options);
}

/** beta * input + alpha * the sum of all a b, for [b, m, k] and [b, k, n]: [m, n]. @throws ShapeError */
export function addbmm(input: Tensor, a: Tensor, b: Tensor, options: AddProductOptions = {}): Tensor {
  const [batch = 0, rows = 0, inner = 0] = a.shape;
  const product = bmm(a, b);
  if (batch === 0) return added(input, product.sum(0), options);
  // One long product: [m, b k] [b k, n].
  const left = a.permute([1, 0, 2]).reshape([rows, batch * inner]);
  return added(input, matmul(left, b.reshape([batch * inner, -1].map((n, i) => (i === 1 ? (b.shape[2] ?? 0) : n)))), options); // prettier-ignore
}

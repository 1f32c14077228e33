/** The methods of tensors that multiply vectors and matrices. Each is the op of its name. */
import type { Tensor } from "../tensor.ts";
import { addbmm, addmm, addmv, addr, baddbmm } from "../ops/addmm.ts";
import type { AddProductOptions } from "../ops/addmm.ts";
import { corrcoef, cov } from "../ops/cov.ts";
import type { CovOptions } from "../ops/cov.ts";
import { cross } from "../ops/cross.ts";
import { kron } from "../ops/kron.ts";
import { matmul } from "../ops/matmul.ts";
import { matrixPower } from "../ops/matrix-power.ts";
import { bmm, dot, inner, mm, mv, outer } from "../ops/vector-products.ts";
import { ArrayMethods } from "./array-methods.ts";

export abstract class ProductMethods extends ArrayMethods {
  /** Batched, with leading axes that broadcast. */
  matmul(this: Tensor, other: Tensor): Tensor {
    return matmul(this, other);
  }
  /** [n] . [n] -> [] */
  dot(this: Tensor, other: Tensor): Tensor {
    return dot(this, other);
  }
  /** [m], [n] -> [m, n] */
  outer(this: Tensor, other: Tensor): Tensor {
    return outer(this, other);
  }
  /** Sums of products over the last axes: [.., n], [..', n] -> [.., ..'] */
  inner(this: Tensor, other: Tensor): Tensor {
    return inner(this, other);
  }
  /** [m, n] [n] -> [m] */
  mv(this: Tensor, vector: Tensor): Tensor {
    return mv(this, vector);
  }
  /** [m, k] [k, n] -> [m, n] */
  mm(this: Tensor, other: Tensor): Tensor {
    return mm(this, other);
  }
  /** [b, m, k] [b, k, n] -> [b, m, n] */
  bmm(this: Tensor, other: Tensor): Tensor {
    return bmm(this, other);
  }
  /** beta * this + alpha * a b, for matrices. */
  addmm(this: Tensor, a: Tensor, b: Tensor, options?: AddProductOptions): Tensor {
    return addmm(this, a, b, options);
  }
  /** beta * this + alpha * a b, for a matrix and a vector. */
  addmv(this: Tensor, a: Tensor, b: Tensor, options?: AddProductOptions): Tensor {
    return addmv(this, a, b, options);
  }
  /** beta * this + alpha * a b^T, for vectors. */
  addr(this: Tensor, a: Tensor, b: Tensor, options?: AddProductOptions): Tensor {
    return addr(this, a, b, options);
  }
  /** beta * this + alpha * a b, for batches of matrices. */
  baddbmm(this: Tensor, a: Tensor, b: Tensor, options?: AddProductOptions): Tensor {
    return baddbmm(this, a, b, options);
  }
  /** beta * this + alpha * the sum of all a b, for batches of matrices. */
  addbmm(this: Tensor, a: Tensor, b: Tensor, options?: AddProductOptions): Tensor {
    return addbmm(this, a, b, options);
  }
  /** Kronecker's product. */
  kron(this: Tensor, other: Tensor): Tensor {
    return kron(this, other);
  }
  /** The vector product along `axis` (the last). */
  cross(this: Tensor, other: Tensor, axis?: number): Tensor {
    return cross(this, other, axis);
  }
  /** Square matrices to a whole power. */
  matrixPower(this: Tensor, power: number): Tensor {
    return matrixPower(this, power);
  }
  /** Covariances of variables [v, n]: [v, v]. */
  cov(this: Tensor, options?: CovOptions): Tensor {
    return cov(this, options);
  }
  /** Correlations of variables [v, n]: [v, v]. */
  corrcoef(this: Tensor): Tensor {
    return corrcoef(this);
  }
}

/** Products of vectors and matrices by their ranks: matmul with checks. Floats accumulate in float32. */
import { ShapeError } from "../../../base/errors.ts";
import { formatShape } from "../../layout/shape.ts";
import type { Tensor } from "../tensor.ts";
import { matmul } from "./matmul.ts";
import { tensordot } from "./tensordot.ts";

/** @throws ShapeError unless `a` and `b` have these ranks */
function checkRanks(operation: string, expected: string, a: Tensor, b: Tensor, ranks: readonly [number, number]): void {
  if (a.shape.length === ranks[0] && b.shape.length === ranks[1]) return;
  throw new ShapeError(`${operation}: expected ${expected}, found ${formatShape(a.shape)} and ${formatShape(b.shape)}`);
}

/** [n] . [n] -> []. @throws ShapeError */
export function dot(a: Tensor, b: Tensor): Tensor {
  checkRanks("dot", "[n] and [n]", a, b, [1, 1]);
  return matmul(a, b);
}

/** [m, n] [n] -> [m]. @throws ShapeError */
export function mv(a: Tensor, b: Tensor): Tensor {
  checkRanks("mv", "[m, n] and [n]", a, b, [2, 1]);
  return matmul(a, b);
}

/** [m, k] [k, n] -> [m, n]. @throws ShapeError */
export function mm(a: Tensor, b: Tensor): Tensor {
  checkRanks("mm", "[m, k] and [k, n]", a, b, [2, 2]);
  return matmul(a, b);
}

/** [b, m, k] [b, k, n] -> [b, m, n]. @throws ShapeError */
export function bmm(a: Tensor, b: Tensor): Tensor {
  checkRanks("bmm", "[b, m, k] and [b, k, n]", a, b, [3, 3]);
  if (a.shape[0] !== b.shape[0]) {
    throw new ShapeError(`bmm: expected as many matrices on both sides, found ${formatShape(a.shape)} and ${formatShape(b.shape)}`); // prettier-ignore
  }
  return matmul(a, b);
}

/** [m], [n] -> [m, n]: a[i] * b[j]. @throws ShapeError */
export function outer(a: Tensor, b: Tensor): Tensor {
  checkRanks("outer", "[m] and [n]", a, b, [1, 1]);
  return a.unsqueeze(1).mul(b);
}

/** Sums of products over the last axes: [.., n], [..', n] -> [.., ..']; a scalar multiplies. @throws ShapeError */
export function inner(a: Tensor, b: Tensor): Tensor {
  if (a.shape.length === 0 || b.shape.length === 0) return a.mul(b);
  return tensordot(a, b, [[-1], [-1]]);
}

import { OptionError, ShapeError } from "../../../base/errors.ts";
import { formatShape } from "../../layout/shape.ts";
import type { Tensor } from "../tensor.ts";
import { norm } from "./norm.ts";

/**
 * The distances of all pairs of rows: [.., m, d], [.., n, d] -> [.., m, n], in the p-norm (2; 0 counts differences,
 * Infinity takes the largest). By differences, so that near rows lose nothing; leading axes broadcast. Gradients are 0
 * where rows are equal. @throws ShapeError, OptionError
 */
export function cdist(a: Tensor, b: Tensor, { p = 2 }: { readonly p?: number } = {}): Tensor {
  if (!(p >= 0)) throw new OptionError(`cdist: expected p from 0, found ${p}`);
  if (a.shape.length < 2 || b.shape.length < 2 || a.shape.at(-1) !== b.shape.at(-1)) {
    throw new ShapeError(`cdist: expected rows [.., m, d] and [.., n, d], found ${formatShape(a.shape)} and ${formatShape(b.shape)}`); // prettier-ignore
  }
  const difference = a.unsqueeze(-2).sub(b.unsqueeze(-3));
  if (a.shape.at(-1) === 0) return difference.sum(-1);
  return norm(difference, p, -1);
}

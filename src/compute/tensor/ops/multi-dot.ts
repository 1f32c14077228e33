import { OptionError, ShapeError } from "../../../base/errors.ts";
import { formatShape } from "../../layout/shape.ts";
import { sizeOf } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import { matmul } from "./matmul.ts";

/**
 * The product of two or more matrices, in the order of multiplications that costs least (by dynamic programming over
 * their sizes). The first may be a row [n], the last a column [n]. @throws OptionError, ShapeError
 */
export function multiDot(matrices: readonly Tensor[]): Tensor {
  const [first, last] = [matrices[0], matrices.at(-1)];
  if (first === undefined || last === undefined || matrices.length < 2) {
    throw new OptionError(`multiDot: expected at least two matrices, found ${matrices.length}`);
  }
  const isRow = first.shape.length === 1;
  const isColumn = last.shape.length === 1;
  const all = matrices.map((x, i) => {
    if (i === 0 && isRow) return x.unsqueeze(0);
    return i === matrices.length - 1 && isColumn ? x.unsqueeze(1) : x;
  });
  checkChain(all);
  const product = chainMatmul(all, splits(all), 0, all.length - 1);
  const axes = [...(isRow ? [0] : []), ...(isColumn ? [1] : [])];
  return product.reshape(product.shape.filter((_, axis) => !axes.includes(axis)));
}

function checkChain(all: readonly Tensor[]): void {
  const fits = all.every((x, i) => x.shape.length === 2 && (i === 0 || all[i - 1]?.shape[1] === x.shape[0]));
  if (!fits) throw new ShapeError(`multiDot: expected matrices of fitting sizes, found ${all.map(({ shape }) => formatShape(shape)).join(", ")}`); // prettier-ignore
}

/** Where to split the product of matrices i to j for the fewest multiplications, by `${i},${j}`. */
function splits(all: readonly Tensor[]): Map<string, number> {
  const sizes = [sizeOf(all[0]?.shape ?? [], 0), ...all.map((x) => sizeOf(x.shape, 1))];
  const costs = new Map<string, number>();
  const best = new Map<string, number>();
  const costOf = (i: number, j: number): number => costs.get(`${i},${j}`) ?? 0;
  for (let length = 1; length < all.length; length++) {
    for (let i = 0; i + length < all.length; i++) {
      const j = i + length;
      let least = Infinity;
      for (let k = i; k < j; k++) {
        const cost = costOf(i, k) + costOf(k + 1, j) + sizeOf(sizes, i) * sizeOf(sizes, k + 1) * sizeOf(sizes, j + 1);
        if (cost >= least) continue;
        least = cost;
        best.set(`${i},${j}`, k);
      }
      costs.set(`${i},${j}`, least);
    }
  }
  return best;
}

function chainMatmul(all: readonly Tensor[], best: ReadonlyMap<string, number>, i: number, j: number): Tensor {
  const only = all[i];
  if (i === j && only !== undefined) return only;
  const k = best.get(`${i},${j}`) ?? i;
  return matmul(chainMatmul(all, best, i, k), chainMatmul(all, best, k + 1, j));
}

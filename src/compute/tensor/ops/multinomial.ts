import { OptionError, ShapeError } from "../../../base/errors.ts";
import { formatShape } from "../../layout/shape.ts";
import { toFloat } from "../operands.ts";
import { sizeOf } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import { drawn } from "./draw.ts";
import type { RandomNumbers } from "./draw.ts";
import { searchSorted } from "./search-sorted.ts";
import { argsort } from "./sort.ts";
import { where } from "./where.ts";

/** Options of `multinomial`. */
export interface MultinomialOptions {
  /** Indices may come again. Off by default. */
  readonly replacement?: boolean;
  readonly generator?: RandomNumbers;
}

/** Weights below this count as this. */
const WEIGHT_MIN = 1e-30;
const NEVER = 3e38;

/**
 * `count` indices (int32) drawn in proportion to the weights in each row: [n] -> [count], [rows, n] -> [rows, count].
 * Weights are from 0, with a sum above 0, and need not sum to 1; one of 0 is never drawn while others are left.
 *
 * With replacement: by the inverse of the running sum, exact where additions round alike. Without: the smallest
 * exponential numbers divided by their weights (Efraimidis & Spirakis, 2006); a device whose division is off by a bit may
 * swap two that are within that bit. @throws OptionError, ShapeError
 */
export function multinomial(
  weights: Tensor,
  count: number,
  { replacement = false, generator }: MultinomialOptions = {},
): Tensor {
  const rank = weights.shape.length;
  const size = weights.shape[rank - 1] ?? 0;
  if (rank < 1 || rank > 2 || size === 0) {
    throw new ShapeError(`multinomial: expected weights [n] or [rows, n], found ${formatShape(weights.shape)}`);
  }
  if (!(Number.isInteger(count) && count >= 1 && (replacement || count <= size))) {
    const limit = replacement ? "" : ` to ${size}, of which each is drawn once`;
    throw new OptionError(`multinomial: expected a count from 1${limit}, found ${count}`);
  }
  const rows = toFloat(weights).detach().reshape([-1, size]);
  const picks = replacement ? withReplacement(rows, count, generator) : without(rows, count, generator);
  return rank === 1 ? picks.reshape([count]) : picks;
}

/** The first index whose running sum exceeds u * total. */
function withReplacement(weights: Tensor, count: number, generator: RandomNumbers | undefined): Tensor {
  const [rows, size] = [sizeOf(weights.shape, 0), sizeOf(weights.shape, 1)];
  const sums = weights.cumsum(1);
  const uniform = drawn("multinomial", [rows, count], { kind: "uniform", bits: 24 }, generator);
  return searchSorted(sums, uniform.mul(sums.narrow(1, size - 1, 1)), { right: true });
}

function without(weights: Tensor, count: number, generator: RandomNumbers | undefined): Tensor {
  const times = drawn("multinomial", weights.shape, { kind: "exponential" }, generator);
  const waits = where(weights.gt(0), times.div(weights.maximum(WEIGHT_MIN)), NEVER);
  return argsort(waits, 1).narrow(1, 0, count);
}

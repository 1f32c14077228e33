import { OptionError } from "../../../base/errors.ts";
import { isFloat } from "../../layout/dtype.ts";
import { defineOp } from "../op.ts";
import { filled } from "../operands.ts";
import { sizeOf } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import { gather } from "./gather.ts";
import { indexRuns } from "./index-runs.ts";
import { maximum } from "./maximum.ts";
import { minimum } from "./minimum.ts";
import { mul } from "./mul.ts";
import { paddedTo, scattered } from "./scatter.ts";
import type { Scattered } from "./scatter.ts";
import { scatterSum } from "./scatter-add.ts";
import { where } from "./where.ts";

/** Options of `scatterReduce`. */
export interface ScatterReduceOptions {
  /** What is in `x` counts as one of those that are combined: true by default. */
  readonly includeSelf?: boolean;
}

/** How values that meet in one place are combined. */
export type ScatterReduction = "sum" | "mean" | "prod" | "amax" | "amin";

/**
 * `x` with what `indices` bring to each place, out[p with p[axis] := indices[p]], combined with it. Places that no
 * index names keep their value. Of several largest (smallest) ones each gets an equal share of the gradient.
 *
 * Sums in index order; products and extremes by sorting the indices and log2(n) steps over each line. Indices out of
 * range are refused when they came from the host, and left out when they were computed on a device. @throws ShapeError, OptionError
 */
export function scatterReduce(
  x: Tensor,
  axis: number,
  indices: Tensor,
  source: Tensor,
  reduce: ScatterReduction,
  { includeSelf = true }: ScatterReduceOptions = {},
): Tensor {
  const write = scattered("scatterReduce", x, axis, indices, source);
  if (write.indices.size === 0) return x;
  switch (reduce) {
    case "sum":
      return sums(x, write, includeSelf).total;
    case "mean":
      return means(x, write, includeSelf);
    case "prod":
      return combined(x, write, mul, includeSelf);
    case "amax":
      return shared(x, write, combined(x.detach(), detached(write), maximum, includeSelf), includeSelf);
    case "amin":
      return shared(x, write, combined(x.detach(), detached(write), minimum, includeSelf), includeSelf);
    default:
      reduce satisfies never;
      throw new OptionError(`scatterReduce: expected sum, mean, prod, amax or amin, found ${String(reduce)}`);
  }
}

function detached(write: Scattered): Scattered {
  return { ...write, source: write.source.detach() };
}

/** The sums, and how many values went into each. */
function sums(x: Tensor, { axis, indices, source }: Scattered, includeSelf: boolean): { total: Tensor; count: Tensor } {
  const size = sizeOf(x.shape, axis);
  const arrived = paddedTo(scatterSum(filled(indices.shape, 1, "int32"), indices, axis, size), x);
  const own = includeSelf ? x : where(arrived.gt(0), 0, x);
  const count = includeSelf ? arrived.add(1) : arrived.maximum(1);
  return { total: own.add(paddedTo(scatterSum(source, indices, axis, size), x)), count };
}

function means(x: Tensor, write: Scattered, includeSelf: boolean): Tensor {
  const { total, count } = sums(x, write, includeSelf);
  return isFloat(x.dtype) ? total.div(count.cast(x.dtype)) : total.div(count).floor().cast(x.dtype);
}

/** Within each run of equal indices the combination of all before: after step d, of the last 2d. Then the runs' ends. */
function combined(
  x: Tensor,
  { axis, indices, source }: Scattered,
  fn: (a: Tensor, b: Tensor) => Tensor,
  includeSelf: boolean,
): Tensor {
  const { order, sorted, last, isNamed } = indexRuns(indices.transpose(axis, -1), sizeOf(x.shape, axis));
  const line = sorted.shape.length - 1;
  const count = sizeOf(sorted.shape, line);
  let values = gather(source.transpose(axis, -1), line, order);
  for (let step = 1; step < count; step *= 2) {
    const shifted = values.pad([step, -step]);
    const isSame = sorted.narrow(line, step, count - step).eq(sorted.narrow(line, 0, count - step)).pad([step, 0]); // prettier-ignore
    values = where(isSame, fn(values, shifted), values);
  }
  const totals = paddedTo(gather(values, line, last).transpose(axis, -1), x);
  return where(paddedTo(isNamed.transpose(axis, -1), x), includeSelf ? fn(x, totals) : totals, x);
}

/** x, source, indices and the extremes, which are the result. dL/dx, dL/dsource = g / the number of equals, for each of them. */
const sharedOp = defineOp<
  [x: Tensor, source: Tensor, indices: Tensor, best: Tensor],
  { axis: number; includeSelf: boolean }
>({
  name: "scatterReduce",
  forward: ([, , , best]) => best,
  backward: ({ grad, inputs: [x, source, indices, best], options: { axis, includeSelf } }) => {
    const write = { axis, indices, source };
    const wins = source.eq(bestOf(write, best)).cast(x.dtype);
    const { total: arrived } = sums(filled(x.shape, 0, x.dtype), { ...write, source: wins }, true);
    const { count } = sums(filled(x.shape, 0, x.dtype), write, true);
    const isUntouched = count.eq(1);
    const own = (includeSelf ? x.eq(best) : isUntouched).logicalOr(isUntouched).cast(x.dtype);
    const share = grad.div(arrived.add(own).maximum(1));
    return [share.mul(own), bestOf(write, share).mul(wins), null, null];
  },
});

/** What stands where each index points. */
function bestOf({ axis, indices }: Scattered, x: Tensor): Tensor {
  return gather(x, axis, indices);
}

function shared(x: Tensor, { axis, indices, source }: Scattered, best: Tensor, includeSelf: boolean): Tensor {
  return sharedOp([x, source, indices, best], { axis, includeSelf });
}

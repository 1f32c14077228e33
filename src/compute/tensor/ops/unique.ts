import { ShapeError } from "../../../base/errors.ts";
import { elementCount, formatShape } from "../../layout/shape.ts";
import { hostTensor } from "../host-tensor.ts";
import { normalizeAxis, sizeOf } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import { indexSelect } from "./gather.ts";
import { readOnHost } from "./on-host.ts";

/** Distinct elements and where they occur. */
export interface Unique {
  /** [count], or `x` with `count` elements along the axis; gradients flow back from the first of equals. */
  readonly values: Tensor;
  /** For each element of `x` (of the axis) its place among the values: int32. */
  readonly inverseIndices: Tensor;
  /** How often each occurs: [count], int32. */
  readonly counts: Tensor;
}

/** Options of `unique` and `uniqueConsecutive`. */
export interface UniqueOptions {
  /** Compare whole slices of this axis; all elements by default. */
  readonly axis?: number | null;
}

/**
 * The distinct elements in ascending order, or the distinct slices of an axis in the order of their elements. Reads `x`
 * back, since the shape depends on values: not for compiled functions. All NaN count as one. @throws OptionError
 */
export async function unique(x: Tensor, { axis = null }: UniqueOptions = {}): Promise<Unique> {
  return await distinct("unique", x, axis, (order, compare) => order.sort((a, b) => compare(a, b) || a - b));
}

/** As `unique`, of runs of equal elements only, in their order. */
export async function uniqueConsecutive(x: Tensor, { axis = null }: UniqueOptions = {}): Promise<Unique> {
  return await distinct("uniqueConsecutive", x, axis, (order) => order);
}

type Compare = (a: number, b: number) => number;

async function distinct(
  operation: string,
  x: Tensor,
  axis: number | null,
  arrange: (places: number[], compare: Compare) => number[],
): Promise<Unique> {
  const at = axis === null ? 0 : normalizeAxis(operation, axis, x.shape.length);
  const source = axis === null ? x.reshape([x.size]) : x;
  const count = sizeOf(source.shape, at);
  const width = elementCount(source.shape.filter((_, i) => i !== at));
  if (axis !== null && width === 0) {
    throw new ShapeError(`${operation}: expected slices with elements, found ${formatShape(x.shape)}`);
  }
  const rows = source.transpose(0, at).reshape([count, width]);
  return await readOnHost(operation, rows, (values) => {
    const compare: Compare = (a, b) => {
      for (let i = 0; i < width; i++) {
        const order = compareNumbers(values[a * width + i] ?? 0, values[b * width + i] ?? 0);
        if (order !== 0) return order;
      }
      return 0;
    };
    const places = arrange(Array.from({ length: count }, (_, i) => i), compare); // prettier-ignore
    const { firsts, inverse, counts } = runsOf(places, compare);
    return {
      values: indexSelect(source, at, hostTensor(Int32Array.from(firsts))),
      inverseIndices: hostTensor({ shape: axis === null ? x.shape : [count], data: inverse }),
      counts: hostTensor(Int32Array.from(counts)),
    };
  });
}

/** NaN is greater than all numbers. */
function compareNumbers(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return a === b ? 0 : a < b ? -1 : 1;
}

function runsOf(
  places: readonly number[],
  compare: Compare,
): { firsts: number[]; inverse: Int32Array<ArrayBuffer>; counts: number[] } {
  const firsts: number[] = [];
  const counts: number[] = [];
  const inverse = new Int32Array(places.length);
  let before: number | undefined;
  for (const place of places) {
    if (before === undefined || compare(before, place) !== 0) {
      firsts.push(place);
      counts.push(0);
    }
    counts[counts.length - 1] = (counts.at(-1) ?? 0) + 1;
    inverse[place] = counts.length - 1;
    before = place;
  }
  return { firsts, inverse, counts };
}

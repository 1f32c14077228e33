/**
 * What is known on the host about the values of integer tensors: enough to refuse an index out of range at the call.
 *
 * A kernel cannot throw, so indices that are computed on a device are clamped where they are used. Those that came from
 * the host (`tensor([...])`), and views of them that keep all elements, are checked.
 */
import { OptionError } from "../../base/errors.ts";
import type { Node } from "../compiler/ir.ts";
import { isFloat } from "../layout/dtype.ts";
import { elementCount } from "../layout/shape.ts";
import type { HostArray } from "../runtime/runtime.ts";
import type { Tensor } from "./tensor.ts";
import { isStateLeaf } from "./trace.ts";
import { ownsLeaf } from "./value.ts";
import type { Value } from "./value.ts";

/** The two lowest and the two highest distinct values: one of them may be a number that counts for nothing. */
interface Extremes {
  readonly low: readonly number[];
  readonly high: readonly number[];
}

const known = new WeakMap<Node, { readonly value: Value; readonly extremes: Extremes }>();

/** Remembers what the leaf of `value` holds. To be called whenever the host writes it. */
export function noteHostIntegers(value: Value, data: HostArray): void {
  if (!isFloat(value.node.dtype)) known.set(value.node, { value, extremes: extremesOf(data) });
}

function extremesOf(data: HostArray): Extremes {
  let [low, lower, high, higher] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const x of data) {
    if (x < low) [low, lower] = [x, low];
    else if (x > low && x < lower) lower = x;
    if (x > high) [high, higher] = [x, high];
    else if (x < high && x > higher) higher = x;
  }
  return { low: [low, lower], high: [high, higher] };
}

function extremesOfNode(node: Node): Extremes | null {
  const { primitive, inputs, shape } = node;
  const [x] = inputs;
  switch (primitive.kind) {
    case "buffer": {
      const entry = known.get(node);
      // A plan that updates the leaf, or another tensor that took it over, wrote what the host does not know.
      return entry !== undefined && ownsLeaf(entry.value) && !isStateLeaf(node) ? entry.extremes : null;
    }
    case "constant":
      return { low: [primitive.value, Infinity], high: [primitive.value, -Infinity] };
    case "iota": {
      const last = (shape[primitive.axis] ?? 1) - 1;
      return { low: [0, 1], high: [last, last - 1] };
    }
    case "reshape":
    case "permute":
    case "expand":
      return x === undefined ? null : extremesOfNode(x);
    case "cast":
      return x === undefined || isFloat(x.dtype) ? null : extremesOfNode(x);
    default:
      return null;
  }
}

/** What indices may be, beside 0 to `size` - 1. */
export interface IndexRules {
  /** From the end: -1 is the last. */
  readonly allowNegative?: boolean;
  /** Counts for nothing wherever it occurs. */
  readonly ignoreIndex?: number;
}

/** @throws OptionError when the host knows that `indices` hold one outside of an axis of `size` */
export function checkIndices(
  operation: string,
  indices: Tensor,
  size: number,
  { allowNegative = false, ignoreIndex }: IndexRules = {},
): void {
  if (elementCount(indices.shape) === 0) return;
  const extremes = extremesOfNode(indices.value.node);
  if (extremes === null) return;
  const first = allowNegative ? -size : 0;
  for (const candidates of [extremes.low, extremes.high]) {
    const index = candidates.find((value) => value !== ignoreIndex);
    if (index === undefined || !Number.isFinite(index) || (index >= first && index < size)) continue;
    throw indexError(operation, index, size, first);
  }
}

/** @throws OptionError unless `index`, a number, is within an axis of `size`; gives it counted from 0 */
export function normalizeIndex(operation: string, index: number, size: number): number {
  if (!Number.isInteger(index) || index < -size || index >= size) throw indexError(operation, index, size, -size);
  return index < 0 ? index + size : index;
}

function indexError(operation: string, index: number, size: number, first: number): OptionError {
  const range = size === 0 ? "no index, for an axis of size 0" : `indices from ${first} to ${size - 1} for an axis of size ${size}`; // prettier-ignore
  return new OptionError(`${operation}: expected ${range}, found ${index}`);
}

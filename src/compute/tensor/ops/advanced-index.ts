/** Indexing as Python's x[...]: with numbers, ranges and tensors of indices. */
import { OptionError, ShapeError, UnsupportedError } from "../../../base/errors.ts";
import { elementCount, formatShape } from "../../layout/shape.ts";
import { normalizeIndex } from "../index-range.ts";
import { toOperand } from "../operands.ts";
import type { Operand } from "../operands.ts";
import { broadcastShapes, sizeOf } from "../shapes.ts";
import { iotaTensor } from "../source.ts";
import type { Tensor } from "../tensor.ts";
import { broadcastTo } from "./broadcast-to.ts";
import { indexSelect } from "./gather.ts";
import { indexAdd, indexCopy } from "./index-add.ts";
import { movedim } from "./permute.ts";
import { slice } from "./slice.ts";
import type { Range } from "./slice.ts";
import { putRanges } from "./slice-scatter.ts";
import { fromStart } from "./take.ts";

/**
 * What stands for an axis: its element (a number), a range [start, stop, step], all of it (null, Python's `:`),
 * or the elements at integer indices, negative ones from the end. "..." stands for all axes that nothing else does.
 */
export type IndexEntry = number | Range | null | "..." | Tensor;

/** One entry for each axis, without "...". */
type AxisEntry = number | Range | null | Tensor;

/**
 * The part of `x` that `entries` name. Axes with numbers go; tensors of indices broadcast with one another, and their
 * common axes stand where the first of them was, or first of all if other axes lie between them, as in PyTorch. Indices
 * out of range are refused when they came from the host, and clamped when they were computed on a device.
 *
 * Masks (bool) are refused, since the shape would depend on values: see `maskedSelect`, `where` and `nonzero`.
 * @throws OptionError, ShapeError, UnsupportedError
 */
export function index(x: Tensor, entries: readonly IndexEntry[]): Tensor {
  const axes = axisEntries(x, entries);
  const part = slice(x, rangesOf(x, axes));
  const numbers = axes.flatMap((entry, axis) => (typeof entry === "number" ? [axis] : []));
  const kept = axes.filter((entry) => typeof entry !== "number");
  return pick(numbers.length === 0 ? part : part.squeeze(numbers), kept);
}

function isTensor(entry: AxisEntry): entry is Tensor {
  return typeof entry === "object" && entry !== null && "dtype" in entry;
}

function axisEntries(x: Tensor, entries: readonly IndexEntry[]): AxisEntry[] {
  const rank = x.shape.length;
  const given = entries.filter((entry) => entry !== "...");
  const dots = entries.length - given.length;
  if (dots > 1) throw new OptionError(`index: expected "..." at most once, found it ${dots} times`);
  if (given.length > rank) {
    throw new ShapeError(`index: expected at most ${rank} entries for ${formatShape(x.shape)}, found ${given.length}`);
  }
  const before = dots === 0 ? given.length : entries.indexOf("...");
  const rest = Array.from({ length: rank - given.length }, () => null);
  return [...given.slice(0, before), ...rest, ...given.slice(before)];
}

function rangesOf(x: Tensor, axes: readonly AxisEntry[]): (Range | null)[] {
  return axes.map((entry, axis) => {
    if (isTensor(entry)) return null;
    if (typeof entry !== "number") return entry;
    const place = normalizeIndex("index", entry, sizeOf(x.shape, axis));
    return [place, place + 1];
  });
}

/** The tensors among `entries` applied: their axes become one, which is selected from. */
function pick(x: Tensor, entries: readonly AxisEntry[]): Tensor {
  const axes = entries.flatMap((entry, axis) => (isTensor(entry) ? [axis] : []));
  const [first] = axes;
  if (first === undefined) return x;
  const indices = axes.map((axis) => placesAlong(x, axis, entries[axis] as Tensor));
  const shape = indices.reduce<readonly number[]>((all, places) => broadcastShapes("index", all, places.shape), []);
  const line = indices.reduce((sum, places, i) => sum.mul(sizeOf(x.shape, axes[i] ?? 0)).add(places));
  const rest = x.shape.filter((_, axis) => !axes.includes(axis));
  const front = movedim(x, axes, axes.map((_, i) => i)); // prettier-ignore
  const rows = front.reshape([elementCount(axes.map((axis) => sizeOf(x.shape, axis))), ...rest]);
  const picked = indexSelect(rows, 0, broadcastTo(line, shape).reshape([-1])).reshape([...shape, ...rest]);
  const isTogether = axes.every((axis, i) => axis === first + i);
  if (!isTogether || first === 0) return picked;
  const order = shape.map((_, i) => i);
  return movedim(picked, order, order.map((i) => i + first)); // prettier-ignore
}

function placesAlong(x: Tensor, axis: number, indices: Tensor): Tensor {
  if (indices.dtype === "bool") {
    throw new UnsupportedError(
      "index: expected integer indices, found a mask: use where, or await maskedSelect or nonzero, whose shapes depend on values",
    );
  }
  return fromStart("index", indices, sizeOf(x.shape, axis));
}

/** Options of `indexPut`. */
export interface IndexPutOptions {
  /** Add to what is there; otherwise the last of equal indices wins. */
  readonly accumulate?: boolean;
}

/**
 * `x` with `values`, which broadcast to the shape of `index(x, entries)`, in that place: what Python's x[..] = values
 * would make of it. Gradients flow to both. @throws OptionError, ShapeError, UnsupportedError
 */
export function indexPut(
  x: Tensor,
  entries: readonly IndexEntry[],
  values: Operand,
  { accumulate = false }: IndexPutOptions = {},
): Tensor {
  const axes = axisEntries(x, entries);
  const ranges = rangesOf(x, axes);
  if (!axes.some((entry) => isTensor(entry))) {
    const kept = axes.map((entry) => typeof entry !== "number");
    const whole = slice(x, ranges).shape;
    const source = toOperand(values, whole.filter((_, axis) => kept[axis]), x.dtype); // prettier-ignore
    return putRanges(x, ranges, source.reshape(whole), accumulate);
  }
  const places = index(iotaTensor([x.size], 0).reshape(x.shape), entries);
  const source = toOperand(values, places.shape, x.dtype).reshape([-1]);
  const put = accumulate ? indexAdd : indexCopy;
  return put(x.reshape([-1]), 0, places.reshape([-1]), source).reshape(x.shape);
}

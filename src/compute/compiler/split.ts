/**
 * Long reductions to few results, cut in two: parts first, then their combination. So that there are invocations for a
 * whole GPU, that none runs long, and that float sums lose less. All cuts depend on shapes and the kind of device alone:
 * the same bits each time. Hardware GPUs have lanes that share a row (`kernels/rows`): there, one kernel goes further.
 */
import type { DeviceTraits } from "../kernels/device-traits.ts";
import { elementCount } from "../layout/shape.ts";
import { reduceIdentity } from "./fold.ts";
import { binary, contraction, expand, pad, permute, reduce, reshape, scan, scatterAdd, slice } from "./graph.ts"; // prettier-ignore
import type { BinaryFunction, Node, Shape } from "./ir.ts";
import { rewrite, type Rewritten } from "./walk-graph.ts";

/** Invocations that are worth having, even at the price of a second kernel. */
const INVOCATIONS_WANTED = 1024;
/** Work that is too small to share out: elements read. */
const WORK_SMALL = 16_384;
/** The least that one part is left with. */
const REDUCE_PART = 64;
/** On hardware: invocations worth having, what one lane is left with, lanes of a workgroup, and rows that it goes across. */
const LANES_WANTED = 2 ** 15;
const LANE_PART = 512;
const WORKGROUP = 256;
const ROWS_ACROSS = 32;
/** For processors with vectors: parts that keep threads busy, and the least that one is left with. */
const THREADS_WANTED = 16;
const VECTOR_PART = 4096;
const SCAN_LONG = 1024;
const SCATTER_PART = 128;
/** Lines from which on a scatter is left whole: the outputs of parts cost more to clear and to sum than they spare. */
const SCATTER_LINES = 64;
const CONTRACTION_PART = 256;
/**
 * Tiles of a product that are worth having, by the device, even at the price of a second kernel: for the cores of a
 * processor, with tiles of a subgroup, and for those of a GPU, with tiles of a workgroup.
 */
const TILES_WANTED = {
  software: { count: 16, rows: 8, columns: 32 },
  hardware: { count: 96, rows: 32, columns: 32 },
  vectors: { count: 8, rows: 16, columns: 32 },
} as const;

/** `outputs` with long reductions, scans, scatters and contractions of few results cut. */
export function splitLong(outputs: readonly Node[], traits: DeviceTraits): Rewritten {
  return rewrite(outputs, (node) => {
    const [x, y] = node.inputs;
    switch (node.primitive.kind) {
      case "reduce":
        return x === undefined ? node : splitReduce(node, x, traits);
      case "scan":
        return x === undefined ? node : splitScan(node, x);
      case "scatterAdd":
        return x === undefined || y === undefined ? node : splitScatter(node, x, y);
      case "contraction":
        return x === undefined || y === undefined ? node : splitContraction(node, x, y, traits);
      default:
        return node;
    }
  });
}

/** Parts to cut `length` in, when `results` alone are too few: 1 for none. */
function partsFor(results: number, length: number, partMin: number, all: number = INVOCATIONS_WANTED): number {
  const wanted = Math.ceil(all / Math.max(1, results));
  return Math.max(1, Math.min(wanted, Math.floor(length / partMin)));
}

/** The same where lanes share rows: as many as a workgroup has along the innermost axis, fewer across others. */
function partsForLanes(results: number, length: number, x: Node, axes: readonly number[]): number {
  const lanes = axes.includes(x.shape.length - 1) ? WORKGROUP : Math.max(1, WORKGROUP / Math.min(ROWS_ACROSS, results));
  const wanted = Math.ceil(LANES_WANTED / Math.max(1, results * lanes));
  return Math.max(1, Math.min(wanted, Math.floor(length / (LANE_PART * lanes))));
}

/** [.., n, ..] as [.., parts, part, ..], with `value` at the end where n is no multiple. */
function cut(x: Node, axis: number, parts: number, value: number): Node {
  const size = x.shape[axis] ?? 1;
  const part = Math.ceil(size / parts);
  const at = (count: number): number[] => x.shape.map((_, i) => (i === axis ? count : 0));
  const whole = pad(x, { low: at(0), high: at(parts * part - size), value });
  return reshape(whole, [...x.shape.slice(0, axis), parts, part, ...x.shape.slice(axis + 1)]);
}

/** The divisor of `size` nearest to `parts` from below, when it is not far from it; else `parts`. */
function evenParts(size: number, parts: number): number {
  for (let even = parts; even * 2 > parts; even--) if (size % even === 0) return even;
  return parts;
}

function splitReduce(node: Node, x: Node, traits: DeviceTraits): Node {
  if (node.primitive.kind !== "reduce") return node;
  const { fn, axes } = node.primitive;
  const results = elementCount(node.shape);
  const work = elementCount(x.shape);
  const length = work / Math.max(1, results);
  const wanted = traits.hasVectorLanes
    ? partsFor(results, length, VECTOR_PART, THREADS_WANTED)
    : traits.isSoftware
      ? partsFor(results, length, REDUCE_PART)
      : partsForLanes(results, length, x, axes);
  if (work <= WORK_SMALL || wanted < 2) return node;
  // One axis of all that is reduced, after all that is kept.
  const kept = x.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const lined = reshape(permute(x, [...kept, ...axes]), [results, length]);
  const apart = cut(lined, 1, evenParts(length, wanted), reduceIdentity(fn, x.dtype));
  return reshape(reduce(fn, reduce(fn, apart, [2]), [1]), node.shape);
}

const COMBINING = { sum: "add", product: "multiply", maximum: "maximum" } as const satisfies Record<
  string,
  BinaryFunction
>;

/** Chunks scanned each for itself, then raised by the total of those before. */
function splitScan(node: Node, x: Node): Node {
  if (node.primitive.kind !== "scan") return node;
  const { fn, axis } = node.primitive;
  const size = x.shape[axis] ?? 1;
  const lines = elementCount(x.shape) / Math.max(1, size);
  if (size < SCAN_LONG || lines >= INVOCATIONS_WANTED) return node;
  const identity = reduceIdentity(fn, x.dtype);
  const chunks = evenParts(size, Math.ceil(Math.sqrt(size)));
  const inner = scan(fn, cut(x, axis, chunks, identity), axis + 1);
  const part = inner.shape[axis + 1] ?? 1;
  const only = (count: number): number[] => inner.shape.map((_, i) => (i === axis + 1 ? count : 0));
  const totals = slice(inner, only(part - 1), withAxis(inner.shape, axis + 1, 1));
  const running = splitScan(scan(fn, totals, axis), totals);
  const shift = (count: number): number[] => inner.shape.map((_, i) => (i === axis ? count : 0));
  const before = pad(running, { low: shift(1), high: shift(-1), value: identity });
  const raised = binary(COMBINING[fn], expand(before, inner.shape), inner);
  const merged = reshape(raised, withAxis(x.shape, axis, chunks * part));
  return slice(merged, x.shape.map(() => 0), x.shape); // prettier-ignore
}

function withAxis(shape: Shape, axis: number, size: number): number[] {
  return shape.map((old, i) => (i === axis ? size : old));
}

/** Contributions in parts, each added up in an output of its own, and the outputs summed. */
function splitScatter(node: Node, x: Node, indices: Node): Node {
  if (node.primitive.kind !== "scatterAdd") return node;
  const { axis } = node.primitive;
  const count = x.shape[axis] ?? 1;
  const size = node.shape[axis] ?? 1;
  const lines = elementCount(x.shape) / Math.max(1, count);
  // A part clears and adds up an output of its own, so that it should have no fewer contributions than that has places.
  const parts = evenParts(count, partsFor(lines, count, Math.max(SCATTER_PART, size)));
  if (parts < 2 || lines >= SCATTER_LINES) return node;
  const partial = scatterAdd(cut(x, axis, parts, 0), cut(indices, axis, parts, -1), axis + 1, size);
  return reshape(reduce("sum", partial, [axis]), node.shape);
}

/** The inner axis in parts, as more matrices in the batch, and their products summed: where tiles alone are too few. */
function splitContraction(node: Node, a: Node, b: Node, { isSoftware, hasVectorLanes }: DeviceTraits): Node {
  const [batch = 1, rows = 1, columns = 1] = node.shape;
  const inner = a.shape[2] ?? 1;
  const tile = hasVectorLanes ? TILES_WANTED.vectors : isSoftware ? TILES_WANTED.software : TILES_WANTED.hardware;
  const tiles = batch * Math.ceil(rows / tile.rows) * Math.ceil(columns / tile.columns);
  const wanted = Math.min(Math.ceil(tile.count / Math.max(1, tiles)), Math.floor(inner / CONTRACTION_PART));
  const parts = evenParts(inner, Math.max(1, wanted));
  if (parts < 2 || inner % parts !== 0) return node;
  const left = permute(reshape(a, [batch, rows, parts, inner / parts]), [0, 2, 1, 3]);
  const right = reshape(b, [batch, parts, inner / parts, columns]);
  const partial = contraction(
    reshape(left, [batch * parts, rows, inner / parts]),
    reshape(right, [batch * parts, inner / parts, columns]),
  );
  return reshape(reduce("sum", reshape(partial, [batch, parts, rows, columns]), [1]), node.shape);
}

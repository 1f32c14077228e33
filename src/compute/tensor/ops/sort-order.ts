/**
 * The order of keys, computed without atomics or barriers.
 *
 * Short lines by counting: the rank of an element is the number of those before it, a reduction over n^2 comparisons.
 * Longer ones in blocks by counting, which are then merged in pairs: each element of a merged line finds by bisection
 * how many of those before it are from the left part (Odeh et al., "Merge path", 2012), so that no result is waited for
 * within a step and log2(n / block) steps suffice. A bitonic network would need log2(n)^2 / 2 of them, each over all.
 */
import { elementCount } from "../../layout/shape.ts";
import { binary, constant, expand, gather as gatherNode, iota, select } from "../../compiler/graph.ts";
import type { Node } from "../../compiler/ir.ts";
import { hostTensor } from "../host-tensor.ts";
import { defineOp } from "../op.ts";
import { filled } from "../operands.ts";
import { iotaTensor } from "../source.ts";
import type { Tensor } from "../tensor.ts";
import { gather } from "./gather.ts";

/** Lines of up to this many elements, and the blocks of longer ones, are counted: beyond, comparisons cost more than merges. */
const COUNTED_MAX = 256;
/** Unless they are few altogether: a kernel more, and its compilation, cost more than these. */
const COMPARISONS_FEW = 2 ** 22;
const KEY_MAX = 0x7fff_ffff;

/**
 * Places of the `count` smallest keys of each line [.., n], smallest first, equals in their order: int32 [.., count].
 */
export function firstPlaces(keys: Tensor, count: number): Tensor {
  const outer = keys.shape.slice(0, -1);
  const lines = keys.reshape([elementCount(outer), keys.shape.at(-1) ?? 1]);
  return placesOf(lines, count).reshape([...outer, count]);
}

function placesOf(keys: Tensor, count: number): Tensor {
  const [lines = 0, size = 0] = keys.shape;
  if (keys.size === 0 || count === 0) return filled([lines, count], 0, "int32");
  const isCounted = size <= COUNTED_MAX || lines * size * size <= COMPARISONS_FEW;
  if (isCounted) return countedPlaces(keys).narrow(1, 0, count);
  return 4 * count <= COUNTED_MAX ? placesOfFew(keys, count) : mergedPlaces(keys).narrow(1, 0, count);
}

/** [.., n]: rank(i) = the number of j with key(j) < key(i), or equal and j < i; then the i with rank p, for each p. */
function countedPlaces(keys: Tensor): Tensor {
  const size = keys.shape.at(-1) ?? 1;
  const [mine, other] = [keys.unsqueeze(-1), keys.unsqueeze(-2)];
  const isEarlier = iotaTensor([size, size], 1).lt(iotaTensor([size, size], 0));
  const rank = isEarlier.where(other.le(mine), other.lt(mine)).sum(-1);
  const square = [...keys.shape, size];
  const last = square.length - 1;
  return rank.unsqueeze(-2).eq(iotaTensor(square, last - 1)).where(iotaTensor(square, last), 0).sum(-1); // prettier-ignore
}

/** [lines, n] as [lines, blocks, part], with keys at the end that come after all. */
function inBlocks(keys: Tensor, blocks: number, part: number): Tensor {
  const [lines = 0, size = 0] = keys.shape;
  return keys.pad([0, blocks * part - size], KEY_MAX).reshape([lines, blocks, part]);
}

/** Places within blocks [lines, blocks, count] as places in the line [lines, blocks * count]. */
function inLine(places: Tensor, part: number): Tensor {
  const [lines = 0, blocks = 0, count = 0] = places.shape;
  return places.add(iotaTensor(places.shape, 1).mul(part)).reshape([lines, blocks * count]);
}

/** The first of each block are candidates, among whom it goes on. */
function placesOfFew(keys: Tensor, count: number): Tensor {
  const size = keys.shape[1] ?? 1;
  const blocks = Math.ceil(size / COUNTED_MAX);
  const part = Math.ceil(size / blocks);
  const kept = Math.min(count, part);
  const whole = inBlocks(keys, blocks, part);
  const candidates = inLine(countedPlaces(whole).narrow(2, 0, kept), part);
  const theirs = gather(whole.reshape([-1, blocks * part]), 1, candidates);
  return gather(candidates, 1, placesOf(theirs, count));
}

function mergedPlaces(keys: Tensor): Tensor {
  const size = keys.shape[1] ?? 1;
  const levels = Math.ceil(Math.log2(size / COUNTED_MAX));
  const blocks = 2 ** levels;
  const part = Math.ceil(size / blocks);
  const whole = inBlocks(keys, blocks, part);
  const flat = whole.reshape([-1, blocks * part]);
  let places = inLine(countedPlaces(whole), part);
  for (let level = 0; level < levels; level++) {
    // The length of the parts is a value and no constant: all levels run the same kernel, compiled once.
    const length = hostTensor(Int32Array.of(part * 2 ** level)).reshape([1, 1]);
    places = mergeOp([flat, places, length], { partMax: (part * blocks) / 2 });
  }
  return places;
}

/**
 * Merges pairs of parts of `length` of each line: places [lines, m * 2 * length], in order within parts by the keys
 * that they point at -> in order within pairs. Equals of the left part come first.
 *
 * Searches in four parts at a time: half the loads in a row of a bisection. Conditions are selected, not branched on.
 */
const mergeOp = defineOp<[keys: Tensor, places: Tensor, length: Tensor], { partMax: number }>({
  name: "mergePairs",
  forward: ([keys, places, length], { partMax }) => {
    const { shape } = keys;
    const of = (value: number): Node => constant(value, shape, "int32");
    const minus = (a: Node, b: Node): Node => binary("subtract", a, b);
    const plus = (a: Node, b: Node): Node => binary("add", a, b);
    const part = expand(length, shape);
    const local = binary("remainder", iota(shape, 1), plus(part, part));
    const start = minus(iota(shape, 1), local);
    const [leftMax, rightMax] = [binary("minimum", local, part), minus(local, part)];
    const [beforeStart, end] = [minus(start, of(1)), plus(plus(start, part), local)];
    const keyAt = (place: Node): Node => gatherNode(keys, gatherNode(places, place, 1), 1);
    /** The `count`-th of the left part comes before what follows in the right part. */
    const holds = (count: Node): Node => {
      const isBefore = binary("lessEqual", keyAt(plus(beforeStart, count)), keyAt(minus(end, count)));
      const isLast = binary("lessEqual", count, rightMax);
      const isPossible = binary("lessEqual", count, leftMax);
      return select(isPossible, select(isLast, constant(1, shape, "bool"), isBefore), constant(0, shape, "bool"));
    };
    // How many of the elements before each place are from the left part.
    let left = of(0);
    for (let step = 4 ** Math.floor(Math.log2(partMax) / 2); step >= 1; step /= 4) {
      const [one, two, three] = [plus(left, of(step)), plus(left, of(2 * step)), plus(left, of(3 * step))];
      left = select(holds(two), select(holds(three), three, two), select(holds(one), one, left));
    }
    const isFirst = binary("lessEqual", keyAt(plus(start, left)), keyAt(minus(end, left)));
    const isOnly = binary("lessEqual", left, rightMax);
    const isThere = binary("less", left, part);
    const takesLeft = select(isThere, select(isOnly, constant(1, shape, "bool"), isFirst), constant(0, shape, "bool"));
    return gatherNode(places, select(takesLeft, plus(start, left), minus(end, left)), 1);
  },
  backward: null,
});

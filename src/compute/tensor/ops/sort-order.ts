/**
 * The order of keys, computed without atomics or barriers.
 *
 * Short lines by counting: the rank of an element is the number of those before it, a reduction over n^2 comparisons.
 * Longer ones in blocks by counting, which are then merged in pairs: each element of a merged line finds by bisection
 * how many of those before it are from the left part (Odeh et al., "Merge path", 2012), so that no result is waited for
 * within a step and log2(n / block) steps suffice. A bitonic network would need log2(n)^2 / 2 of them, each over all.
 */
import { elementCount } from "../../layout/shape.ts";
import { filled } from "../operands.ts";
import { iotaTensor } from "../source.ts";
import type { Tensor } from "../tensor.ts";
import { gather } from "./gather.ts";

/** Lines of up to this many elements are counted: beyond, comparisons cost more than a merge saves. */
const COUNTED_MAX = 256;
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
  if (size <= COUNTED_MAX) return countedPlaces(keys).narrow(1, 0, count);
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
  let part = Math.ceil(size / blocks);
  const whole = inBlocks(keys, blocks, part);
  const flat = whole.reshape([-1, blocks * part]);
  let places = inLine(countedPlaces(whole), part);
  let sorted = gather(flat, 1, places);
  for (let level = 0; level < levels; level++) {
    const from = mergeSources(sorted, part);
    places = gather(places, 1, from);
    sorted = gather(sorted, 1, from);
    part *= 2;
  }
  return places;
}

/** Where each element of the merged pairs comes from: `keys` [lines, m * 2 * part], sorted in parts. */
function mergeSources(keys: Tensor, part: number): Tensor {
  const [lines = 0, size = 0] = keys.shape;
  const pairs = [lines, size / (2 * part), 2 * part];
  const local = iotaTensor(pairs, 2).reshape([lines, size]);
  const start = iotaTensor(pairs, 1).mul(2 * part).reshape([lines, size]); // prettier-ignore
  const keyAt = (place: Tensor): Tensor => gather(keys, 1, start.add(place));
  const leftMax = local.minimum(part);
  let left: Tensor = filled([lines, size], 0, "int32");
  for (let step = 2 ** Math.floor(Math.log2(part)); step >= 1; step /= 2) {
    const more = left.add(step);
    const right = local.sub(more);
    // The element before `more` belongs before the one after `right`: equals of the left part come first.
    const isBefore = right.ge(part).logicalOr(keyAt(more.sub(1)).le(keyAt(right.add(part))));
    left = more.le(leftMax).logicalAnd(isBefore).where(more, left);
  }
  const right = local.sub(left);
  const isLeft = right.ge(part).logicalOr(keyAt(left).le(keyAt(right.add(part))));
  return start.add(left.lt(part).logicalAnd(isLeft).where(left, right.add(part)));
}

/** Who must go when some pairs of members cannot reach each other: the smallest set that leaves no broken pair, the newest first. */
import type { PeerId } from "../../network/transport/transport.ts";

/** Beyond this many members with broken links the search is greedy: 2^16 subsets are the most worth trying. */
const EXACT_MAX = 16;

/**
 * The members to remove. `members` are in order of joining, oldest first; among the smallest sets the one with the
 * newest members is taken, so that a newcomer with a bad network cannot push out those who work.
 */
export function removalSet(members: readonly PeerId[], broken: readonly (readonly [PeerId, PeerId])[]): PeerId[] {
  const pairs = broken.filter(([a, b]) => members.includes(a) && members.includes(b));
  const involved = members.filter((peer) => pairs.some((pair) => pair.includes(peer)));
  if (involved.length === 0) return [];
  return involved.length <= EXACT_MAX ? exact(involved, pairs) : greedy(involved, pairs);
}

function exact(involved: readonly PeerId[], pairs: readonly (readonly [PeerId, PeerId])[]): PeerId[] {
  const bit = new Map(involved.map((peer, index) => [peer, 1 << index]));
  const masks = pairs.map(([a, b]) => (bit.get(a) ?? 0) | (bit.get(b) ?? 0));
  let best = (1 << involved.length) - 1;
  let bestCount = involved.length;
  // From high masks down: with equal counts the first one found has the newest members.
  for (let mask = best; mask > 0; mask--) {
    const count = ones(mask);
    if (count < bestCount && masks.every((pair) => (mask & pair) !== 0)) {
      best = mask;
      bestCount = count;
    }
  }
  return involved.filter((_, index) => best & (1 << index));
}

function greedy(involved: readonly PeerId[], pairs: readonly (readonly [PeerId, PeerId])[]): PeerId[] {
  const removed: PeerId[] = [];
  let left = [...pairs];
  while (left.length > 0) {
    const degree = (peer: PeerId): number => left.filter((pair) => pair.includes(peer)).length;
    const worst = [...involved].reverse().reduce((a, b) => (degree(b) > degree(a) ? b : a));
    removed.push(worst);
    left = left.filter((pair) => !pair.includes(worst));
  }
  return removed;
}

function ones(mask: number): number {
  let count = 0;
  for (let rest = mask; rest !== 0; rest &= rest - 1) count += 1;
  return count;
}

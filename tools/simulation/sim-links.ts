/**
 * What a simulated member says that its links cost: figures that differ by pair and wander, made from names and time
 * alone, so that the simulation's other chances are what they are without.
 */
import { Random } from "../../src/base/random.ts";
import type { LinkFigure } from "../../src/network/wire/link-levels.ts";
import type { EpochMessage } from "../../src/training/recovery/member.ts";

/** Figures stay for so long; a member tells its row with one vote of so many. */
const STAY_MS = 20_000;
const SILENT_VOTES = 3;

/** The row of `self`; now and then one that lacks somebody, or names a stranger. */
export function simLinks({ members }: EpochMessage, self: string, nowMs: number): LinkFigure[] {
  const others = members.map(({ peer }) => peer).filter((peer) => peer !== self);
  const period = Math.floor(nowMs / STAY_MS);
  const row = others.flatMap((peer): LinkFigure[] => {
    const random = new Random("links", peer, self, period);
    if (random.below(8) === 0) return [];
    return [[peer, 2 ** random.below(9), random.below(4) === 0 ? null : 100 * 4 ** random.below(6)]];
  });
  const isWrong = new Random("wrong links", self, period).below(16) === 0;
  return isWrong ? [...row, ["a-stranger", 1, 1]] : row;
}

/** The same with a vote: mostly nothing. */
export function simLinkNews(epoch: EpochMessage, self: string, nowMs: number): { links?: LinkFigure[] } {
  return Math.floor(nowMs) % SILENT_VOTES === 0 ? { links: simLinks(epoch, self, nowMs) } : {};
}

/**
 * Pairs that only reach each other through the server. They train like all others, but whoever owns shards talks with
 * everybody, so owners are chosen such that few of them are relayed.
 */
import type { PathKind, PeerId } from "../../network/transport/transport.ts";
import { removalSet } from "./reachability.ts";

/** What votes tell of paths: by voter, how it reaches each other member. */
export type PathsByVoter = ReadonlyMap<PeerId, Readonly<Record<PeerId, PathKind>>>;

/** Relayed pairs among `members`, the peer that sorts first before: it takes one of the two to say so. */
export function relayedPairs(members: readonly PeerId[], paths: PathsByVoter): [PeerId, PeerId][] {
  return members.flatMap((a) =>
    members
      .filter((b) => a < b && (paths.get(a)?.[b] === "relay" || paths.get(b)?.[a] === "relay"))
      .map((b): [PeerId, PeerId] => [a, b]),
  );
}

/**
 * Who may own shards among `members` (oldest first): all but the smallest set, the newest first, without which no pair
 * is relayed. All of them where that would leave less than half: then sparing some would only burden the rest.
 */
export function unrelayed(
  members: readonly PeerId[],
  pairs: readonly (readonly [PeerId, PeerId])[],
): readonly PeerId[] {
  const spared = new Set(removalSet(members, pairs));
  const left = members.filter((peer) => !spared.has(peer));
  return 2 * left.length < members.length ? members : left;
}

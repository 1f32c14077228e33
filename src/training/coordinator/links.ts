/**
 * What links cost: the newest row of every member, in memory alone, and one matrix of levels for all members of an
 * epoch. It goes with the epoch's first plan, which comes when everybody's row of that epoch is here, and with a later
 * one when it changed: so whoever runs a step has it by the same matrix as all others, or by none like all others.
 *
 * Everything but the choice of programs is as it is without: a wrong row costs time, and no bits.
 */
import type { PeerId } from "../../network/transport/transport.ts";
import {
  encodeLevels,
  levelOf,
  LINKED_MEMBERS_MAX,
  UNMEASURED,
  type LinkFigure,
  type LinkLevel,
} from "../../network/wire/link-levels.ts";
import { decide } from "./decisions.ts";
import type { Draft } from "./draft.ts";
import type { Epoch, PeerState, State } from "./state.ts";

/** The levels of links to one member, by sender. */
export type LinkRow = ReadonlyMap<PeerId, LinkLevel>;

/** What an epoch's members were told last. */
export interface ToldLinks {
  readonly text: string;
  readonly atMs: number;
}

export const NO_LINKS: LinkRow = new Map();

/** A matrix is told this seldom within an epoch: to choose anew takes members a moment. */
const TOLD_MS = 10_000;
/** For two there is nothing to choose. */
const MEMBERS_MIN = 3;
/** 1 ms and 16 MB/s, where nobody in the room knows better. */
const USUAL = { latency: 3, bandwidth: 14 };

/** Takes a member's row in place of its last one; one that cannot be right is left out, and all are told why. */
export function noteLinks(draft: Draft, peer: PeerState, row: readonly LinkFigure[] | undefined): void {
  if (row === undefined) return;
  const own = peer.info.peer;
  const fault = rowFault(own, row, draft.state.epoch);
  if (fault !== null) return decide(draft, "member", `What ${own} says of its links is left out: ${fault}.`, [own]);
  const links = new Map(row.map((figure) => [figure[0], levelOf(figure, peer.links.get(figure[0]))]));
  draft.patchPeer(own, { links });
}

/** The matrix to tell with the next plan of an epoch; null where everybody has it already, or there is none. */
export function newLinks(draft: Draft, epoch: Epoch): ToldLinks | null {
  const { state, nowMs } = draft;
  if (epoch.links !== null && nowMs - epoch.links.atMs < TOLD_MS) return null;
  const text = matrixOf(state, epoch);
  return text === null || text === epoch.links?.text ? null : { text, atMs: nowMs };
}

function rowFault(own: PeerId, row: readonly LinkFigure[], epoch: Epoch | null): string | null {
  const members = new Set(epoch?.members.map(({ peer }) => peer));
  const named = new Set<PeerId>();
  for (const [peer] of row) {
    if (peer === own) return "it names itself";
    if (!members.has(peer)) return `it names ${peer}, which is not in the epoch`;
    if (named.has(peer)) return `it names ${peer} twice`;
    named.add(peer);
  }
  return null;
}

/** Null in a room of two or too many, and where nobody has measured anything. */
function matrixOf(state: State, { members }: Epoch): string | null {
  if (members.length < MEMBERS_MIN || members.length > LINKED_MEMBERS_MAX) return null;
  const rows = members.map(({ peer }) => state.peers.get(peer)?.links ?? NO_LINKS);
  const told = (from: number, to: number): LinkLevel => rows[to]?.get(members[from]?.peer ?? "") ?? UNMEASURED;
  const ranks = [...members.keys()];
  const known = ranks.flatMap((from) => ranks.filter((to) => to !== from).map((to) => told(from, to)));
  const latency = median(known.map((level) => level.latency));
  const bandwidth = median(known.map((level) => level.bandwidth));
  if (latency === null && bandwidth === null) return null;
  const links = ranks.map((from) =>
    ranks.map((to) => ({
      // There and back is one figure: whoever has it.
      latency: told(from, to).latency ?? told(to, from).latency ?? latency ?? USUAL.latency,
      bandwidth: told(from, to).bandwidth ?? bandwidth ?? USUAL.bandwidth,
    })),
  );
  return encodeLevels(links);
}

/** What is usual in this room, for links that nobody measured. */
function median(levels: readonly (number | null)[]): number | null {
  const known = levels.filter((level) => level !== null).sort((a, b) => a - b);
  return known[Math.floor(known.length / 2)] ?? null;
}

/**
 * What the coordinator decides and why, in one sentence each, for pages and logs. Nothing else reads it: a test plays a
 * run with it and without.
 */
import type { PeerId } from "../../network/transport/transport.ts";
import { SENTENCE_MAX, type DecisionLine } from "../../network/wire/run-line.ts";
import type { EpochMember } from "../../network/wire/messages.ts";
import type { Draft } from "./draft.ts";
import type { Epoch, State } from "./state.ts";

/** What was told lately. */
export interface Told {
  /** The last sentence about each subject. */
  readonly last: Readonly<Partial<Record<DecisionLine["about"], string>>>;
  readonly sinceMs: number;
  readonly count: number;
}

export const NOTHING_TOLD: Told = { last: {}, sinceMs: Number.NEGATIVE_INFINITY, count: 0 };

/** At most so many in so long: in a room where all flaps, the rest goes untold. */
const TOLD_MAX = 20;
const WINDOW_MS = 10_000;
/** Members that a sentence names at most. */
const NAMES_MAX = 6;

/** Tells everybody a decision, unless that is what was said last about its subject. */
export function decide(draft: Draft, about: DecisionLine["about"], text: string, peers: readonly PeerId[] = []): void {
  const { told, durable } = draft.state;
  const isOver = draft.nowMs - told.sinceMs >= WINDOW_MS;
  const count = isOver ? 0 : told.count;
  if (told.last[about] === text || count >= TOLD_MAX) return;
  const sinceMs = isOver ? draft.nowMs : told.sinceMs;
  draft.patch({ told: { last: { ...told.last, [about]: text }, sinceMs, count: count + 1 } });
  const step = durable.record?.step ?? 0;
  draft.report({ type: "decision", step, about, text: text.slice(0, SENTENCE_MAX), peers: peers.slice(0, NAMES_MAX) });
}

/** Why the epoch just announced follows the one `before`: who came, who went and how, who became complete. */
export function tellEpoch(draft: Draft, before: Epoch | null): void {
  const { epoch, durable } = draft.state;
  const members = epoch?.members ?? [];
  const { reasons, peers } = changesOf(draft, before, members);
  const who = members.length === 1 ? "one member" : `${members.length} members`;
  decide(draft, "epoch", `Epoch ${durable.epoch} with ${who}: ${reasons.join("; ")}.`, peers);
}

function changesOf(
  { state, nowMs }: Draft,
  before: Epoch | null,
  members: readonly EpochMember[],
): { reasons: string[]; peers: PeerId[] } {
  if (!before) {
    const step = state.durable.record?.step ?? 0;
    return { reasons: [step === 0 ? "the run begins" : `it goes on from step ${step}`], peers: [] };
  }
  const now = new Map(members.map((member) => [member.peer, member]));
  const old = new Map(before.members.map((member) => [member.peer, member]));
  const groups: (readonly [what: string, peers: PeerId[]])[] = [
    ["came", [...now.keys()].filter((peer) => !old.has(peer))],
    ["has all parameters now", [...now].flatMap(([peer, { role }]) => (isPromoted(role, old.get(peer)) ? [peer] : []))],
    [
      "connected anew",
      [...now.keys()].filter((peer) => old.has(peer) && connOf(before, peer) !== state.peers.get(peer)?.conn),
    ],
    ...["hands over", "paused", "is set aside", "was lost"].map((what): readonly [string, PeerId[]] => [
      what,
      [...old.keys()].filter((peer) => !now.has(peer) && wayOf(state, peer, nowMs) === what),
    ]),
  ];
  const told = groups.filter(([, peers]) => peers.length > 0);
  if (told.length === 0)
    return { reasons: ["the one before came to nothing, or owners moved off slow links"], peers: [] };
  return {
    reasons: told.map(([what, peers]) => `${namesOf(peers)} ${what}`),
    peers: told.flatMap(([, peers]) => peers),
  };
}

function isPromoted(role: EpochMember["role"], old: EpochMember | undefined): boolean {
  return role === "full" && old?.role === "listener";
}

function connOf({ members, conns }: Epoch, peer: PeerId): string | undefined {
  return conns[members.findIndex((member) => member.peer === peer)];
}

/** How a member of before is out of it now. */
function wayOf({ peers }: State, id: PeerId, nowMs: number): string {
  const peer = peers.get(id);
  if (!peer || peer.status === "preparing") return "was lost";
  if (peer.status === "paused") return "paused";
  if (peer.retiring) return "hands over";
  return peer.heldUntilMs > nowMs ? "is set aside" : "was lost";
}

/** How slots are shared from now on, where that changed. */
export function tellSharing(draft: Draft, before: Epoch, shares: readonly (readonly number[])[]): void {
  const counts = shares.map((slots) => slots.length);
  if (before.slots?.every((slots, rank) => slots.length === counts[rank])) return;
  const parts = before.members.map(({ peer, role }, rank) => {
    const speed = draft.state.peers.get(peer)?.slotsPerSecond ?? 0;
    return role === "full"
      ? `${peer} ${counts[rank]} (${speed.toPrecision(2)} a second)`
      : `${peer} none (it listens first)`;
  });
  const more = parts.length > NAMES_MAX ? ` and ${parts.length - NAMES_MAX} more` : "";
  const text = `Slots by measured speed: ${parts.slice(0, NAMES_MAX).join(", ")}${more}.`;
  decide(draft, "slots", text, before.members.map(({ peer }) => peer)); // prettier-ignore
}

function namesOf(peers: readonly PeerId[]): string {
  const names = peers.slice(0, NAMES_MAX).join(", ");
  return peers.length > NAMES_MAX ? `${names} and ${peers.length - NAMES_MAX} more` : names;
}

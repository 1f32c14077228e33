/**
 * Leaving on purpose without costing anybody anything.
 *
 * A member that says it goes finishes the step in flight. At the boundary the next epoch is formed without it, while what it
 * holds still counts as a source; once everybody of that epoch has shown to hold its part, it is told that it may go.
 * Whoever vanishes meanwhile is lost like anybody else. Invariants: an epoch is never formed with a member that said it
 * goes; it is released before its part is held elsewhere only where nobody is left to take it over, or after HAND_OVER_MS.
 */
import type { PeerId } from "../../network/transport/transport.ts";
import { decide } from "./decisions.ts";
import { isAlive, type Draft } from "./draft.ts";
import type { PeerState, State } from "./state.ts";

/** A member's word that it goes. */
export interface Retiring {
  readonly reason: string;
  /** When the step in flight was over and handing over began; null before that. */
  readonly sinceMs: number | null;
}

/** For the others to take over, once the step in flight is over: whoever goes does not want to wait for ever. */
export const HAND_OVER_MS = 10_000;

/** Notes that `peer` goes; what is in flight is finished with it. */
export function retire(draft: Draft, { info, retiring }: PeerState, reason: string): void {
  if (retiring === null) draft.patchPeer(info.peer, { retiring: { reason, sinceMs: null } });
}

/** Those that go and still give what they hold. */
export function retiringPeers({ peers }: State): PeerState[] {
  return [...peers.values()].filter((peer) => peer.status === "joined" && peer.retiring !== null);
}

/** True while the epoch has a member that said it goes. */
export function hasRetiring(state: State): boolean {
  const members = state.epoch?.members ?? [];
  return members.some(({ peer }, rank) => isAlive(state, rank) && isRetiring(state, peer));
}

/** True when the epoch's members all go and nobody is there to go on: then the last step is worth a checkpoint. */
export function isFarewell(state: State): boolean {
  return hasRetiring(state) && !hasHeirs(state);
}

/** Lets those go whose part is no longer needed, or who have waited long enough; `release` takes each off the run. */
export function releaseRetired(draft: Draft, release: (peer: PeerState, reason: string) => void): void {
  for (const { info, retiring } of draft.state.peers.values()) {
    if (retiring === null || isInStep(draft.state, info.peer)) continue;
    const sinceMs = retiring.sinceMs ?? draft.nowMs;
    if (retiring.sinceMs === null) draft.patchPeer(info.peer, { retiring: { ...retiring, sinceMs } });
    const peer = draft.state.peers.get(info.peer);
    if (!peer) continue;
    const isFree = mayGo(draft.state, peer);
    if (!isFree && draft.nowMs - sinceMs < HAND_OVER_MS) continue;
    const why = isFree ? whyFree(draft.state) : `the others did not take over within ${HAND_OVER_MS / 1_000} s`;
    decide(draft, "member", `${info.peer} may go: ${why}.`, [info.peer]);
    release(peer, retiring.reason);
  }
}

function whyFree(state: State): string {
  if (!hasHeirs(state)) return "nobody is left to take over from it";
  return "nobody needs anything of it any more";
}

function mayGo(state: State, peer: PeerState): boolean {
  const { phase, durable, checkpoint, epoch } = state;
  if (durable.record === null || phase.kind === "ended") return true;
  // It says what it holds in a moment.
  if (peer.status === "preparing") return false;
  const isLast = !hasHeirs(state);
  // Where nobody stays, the checkpoint is all that will be left: its writers need one another.
  if (checkpoint && (isLast || isWriting(state, peer.info.peer))) return false;
  // One that connected again may have voted by its old socket: that epoch still counts on it.
  const isMember = epoch?.members.some((member) => member.peer === peer.info.peer) ?? false;
  const isFormedWithout = !isMember && (phase.kind === "boundary" || phase.kind === "stepping");
  return isLast ? phase.kind !== "finishing" : isFormedWithout;
}

/** Whether somebody is there, or about to be, that could take over. */
function hasHeirs({ peers }: State): boolean {
  return [...peers.values()].some(({ status, retiring }) => status !== "paused" && retiring === null);
}

function isWriting({ checkpoint }: State, peer: PeerId): boolean {
  return checkpoint !== null && checkpoint.asked.has(peer) && !checkpoint.stored.has(peer);
}

/** A member of a running step is waited for as long as its step is. */
function isInStep(state: State, peer: PeerId): boolean {
  const rank = state.epoch?.members.findIndex((member) => member.peer === peer) ?? -1;
  return state.phase.kind === "stepping" && rank >= 0 && isAlive(state, rank);
}

function isRetiring({ peers }: State, peer: PeerId): boolean {
  return (peers.get(peer)?.retiring ?? null) !== null;
}

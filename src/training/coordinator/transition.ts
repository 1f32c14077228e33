/**
 * The whole coordinator: one pure step. Time comes in as `nowMs`, I/O goes out as effects.
 *
 * Handlers note what happened; `advance` then does whatever has become possible, until nothing more has.
 */
import type { RosterEntry, ClientMessage } from "../../network/wire/messages.ts";
import { advanceCheckpoint, closeCheckpoint, onDigest, onStored } from "./checkpointing.ts";
import { countDevices } from "./churn.ts";
import { candidates } from "./coverage.ts";
import { Draft, isAlive, lostRanks } from "./draft.ts";
import { advanceForming, dissolve, hasRelayedOwner, onReady, tryForm } from "./forming.ts";
import { onMemory, tellMemories } from "./memory.ts";
import { dropSilent, endLine, onClosed, onHello, onJoin, onLeave, peerOf, release, stepOf } from "./membership.ts";
import { offerShown, onOffer } from "./offers.ts";
import type { Effect, Event, Limits } from "./protocol.ts";
import { wallOffsetMs } from "./quarantine.ts";
import { hasRetiring, releaseRetired } from "./retiring.ts";
import type { State } from "./state.ts";
import { advanceStep, onFailed, onVote, planStep } from "./stepping.ts";
import { dropStragglers, onComputed } from "./stragglers.ts";

export interface Step {
  readonly state: State;
  readonly effects: readonly Effect[];
}

/** Rosters go out this seldom. */
const ROSTER_MS = 1_000;

/** One event into the coordinator. Effects are to be carried out in order, an append being durable before the next. */
export function transition(state: State, event: Event, nowMs: number, limits: Limits): Step {
  const draft = new Draft(state, nowMs, limits);
  switch (event.kind) {
    case "start":
      draft.append({ kind: "incarnation", incarnation: state.durable.incarnation + 1 });
      draft.patch({ wallOffsetMs: wallOffsetMs(state, nowMs, event.wallMs) });
      if (state.durable.endDigests) draft.patch({ phase: { kind: "ended" } });
      break;
    case "message":
      onMessage(draft, event.conn, event.message);
      break;
    case "closed":
      onClosed(draft, event.conn);
      break;
    case "hold":
      draft.patch({ hold: event.isHeld ? "asked" : "none" });
      break;
    case "tick":
      dropSilent(draft);
      countDevices(draft);
      break;
    default:
      event satisfies never;
  }
  advance(draft);
  tellRoster(draft);
  tellMemories(draft);
  return { state: draft.state, effects: draft.effects };
}

function onMessage(draft: Draft, conn: string, message: ClientMessage): void {
  if (message.kind === "hello") return onHello(draft, conn, message);
  const peer = peerOf(draft.state, conn);
  if (!peer) return; // An observer, or a socket whose peer is gone: nothing to say.
  draft.patchPeer(peer.info.peer, { heardAtMs: draft.nowMs });
  switch (message.kind) {
    case "join":
      return onJoin(draft, peer, message);
    case "ready":
      return onReady(draft, peer, message);
    case "computed":
      return onComputed(draft, peer, message);
    case "vote":
      return onVote(draft, peer, message);
    case "failed":
      return onFailed(draft, peer, message);
    case "stored":
      return onStored(draft, peer, message);
    case "digest":
      return onDigest(draft, peer, message);
    case "leave":
      return onLeave(draft, peer, message);
    case "memory":
      return onMemory(draft, peer, message);
    case "offer":
      return onOffer(draft, peer, message);
    case "heartbeat":
      return;
    default:
      message satisfies never;
  }
}

/** Does what has become possible. Each round changes the phase or ends; a phase moves on at most a few times an event. */
function advance(draft: Draft): void {
  advanceCheckpoint(draft);
  for (let moved = true; moved;) moved = advanceOnce(draft);
  releaseRetired(draft, (peer, reason) => release(draft, peer, reason));
}

function advanceOnce(draft: Draft): boolean {
  const { phase } = draft.state;
  switch (phase.kind) {
    case "idle":
      return tryForm(draft);
    case "forming":
      return advanceForming(draft);
    case "boundary":
      return leaveBoundary(draft);
    case "stepping":
      return advanceStep(draft);
    case "finishing":
      return finish(draft, phase.deadlineAtMs);
    case "ended":
      return false;
  }
}

/** Between steps: the end, another epoch where somebody came, left or became complete, or the next step. */
function leaveBoundary(draft: Draft): boolean {
  const { epoch, durable } = draft.state;
  const record = durable.record;
  if (!epoch || !record) return false;
  if (record.step >= (durable.spec?.steps ?? 0)) {
    draft.sendToEpoch({ kind: "finish", step: record.step, chain: record.chain });
    const deadlineAtMs = draft.nowMs + draft.limits.endMsMax;
    draft.patch({ phase: { kind: "finishing", deadlineAtMs }, lastDigests: new Map() });
    return true;
  }
  const members = new Set(epoch.members.map((member) => member.peer));
  const hasNew = candidates(draft.state, draft.nowMs).some((peer) => !members.has(peer.info.peer));
  const hasComplete = epoch.slots !== null && epoch.members.some((member) => member.role === "listener");
  const isOver = lostRanks(draft.state).length > 0 || hasNew || hasComplete || hasRetiring(draft.state);
  if (isOver || hasRelayedOwner(draft.state) || dropStragglers(draft)) dissolve(draft, false);
  else if (draft.state.hold === "held") return false;
  else planStep(draft);
  return true;
}

/** The run is over when the last checkpoint is closed and every living member has said what its device holds. */
function finish(draft: Draft, deadlineAtMs: number): boolean {
  const { checkpoint, durable, epoch, lastDigests } = draft.state;
  const isOpen = checkpoint !== null && checkpoint.record.chain === durable.record?.chain;
  const members = epoch?.members ?? [];
  const hasAll = members.every(({ peer }, rank) => lastDigests.has(peer) || !isAlive(draft.state, rank));
  if ((isOpen || !hasAll) && draft.nowMs < deadlineAtMs) return false;
  if (isOpen) closeCheckpoint(draft, checkpoint);
  draft.append({ kind: "end", step: stepOf(draft.state), digests: Object.fromEntries(lastDigests) });
  draft.report(endLine(draft.state));
  draft.patch({ phase: { kind: "ended" } });
  return true;
}

function tellRoster(draft: Draft): void {
  const { state } = draft;
  if (draft.nowMs - state.rosterAtMs < ROSTER_MS) return;
  const roster = rosterOf(state, draft.nowMs);
  if (JSON.stringify(roster) === JSON.stringify(state.roster)) return;
  draft.patch({ roster, rosterAtMs: draft.nowMs });
  draft.broadcast({ kind: "roster", members: roster });
}

function rosterOf(state: State, nowMs: number): RosterEntry[] {
  const { epoch, phase } = state;
  return [...state.peers.values()].map((peer) => {
    const rank = epoch?.members.findIndex((member) => member.peer === peer.info.peer) ?? -1;
    const isMember = rank >= 0 && epoch?.conns[rank] === peer.conn;
    const isTraining = isMember && (phase.kind === "stepping" || phase.kind === "boundary");
    const joined = isTraining ? "training" : isMember && phase.kind === "forming" ? "syncing" : "waiting";
    return {
      ...peer.info,
      state: peer.status !== "joined" ? peer.status : peer.retiring && !isTraining ? "leaving" : joined,
      slots: isTraining ? (epoch?.slots?.[rank]?.length ?? 0) : 0,
      slotsPerSecond: Math.round(peer.slotsPerSecond * 100) / 100,
      ...(peer.offered ? { offer: offerShown(peer.offered, nowMs) } : {}),
    };
  });
}

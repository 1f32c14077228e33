/** Coming and going: hello, join, leave, silence, sockets that close. They only note facts; `advance` draws the conclusions. */
import { assert } from "../../base/assert.ts";
import { CorruptDataError } from "../../base/errors.ts";
import type { PeerId } from "../../network/transport/transport.ts";
import { PROTOCOL_VERSION, type ClientMessage, type RefusalCode } from "../../network/wire/messages.ts";
import type { Inventory, StateLayout } from "../../network/wire/state-record.ts";
import type { RunLine, StepLine } from "../../network/wire/run-line.ts";
import { checkStateLayout } from "./check-state-layout.ts";
import { decide } from "./decisions.ts";
import type { Draft } from "./draft.ts";
import { holdMsOf, noteDeparture } from "./flapping.ts";
import { NO_LINKS } from "./links.ts";
import { sendMemories } from "./memory.ts";
import { retire } from "./retiring.ts";
import { noteQuarantine, quarantineOf } from "./quarantine.ts";
import type { PeerState, State } from "./state.ts";

/** Whoever still compiles a model is not counted on, and may be too busy to say anything for so many times as long. */
const PREPARING_PATIENCE = 10;

const EMPTY_INVENTORY: Inventory = { parameterRoots: [], optimizer: [], stored: [] };

/** The peer whose socket `conn` is. */
export function peerOf(state: State, conn: string): PeerState | undefined {
  for (const peer of state.peers.values()) if (peer.conn === conn) return peer;
  return undefined;
}

export function onHello(draft: Draft, conn: string, hello: Extract<ClientMessage, { kind: "hello" }>): void {
  const { state } = draft;
  const { spec, incarnation, history, room } = state.durable;
  const refuse = (code: RefusalCode, reason: string): void => {
    draft.send(conn, { kind: "refused", code, reason });
    draft.close(conn, reason);
  };
  if (hello.protocol !== PROTOCOL_VERSION) {
    return refuse(
      "protocol-version",
      `This room speaks version ${PROTOCOL_VERSION} of hearth's protocol, your tab version ${hello.protocol}: reload the page.`,
    );
  }
  if (!spec || hello.room !== room) return refuse("unknown-room", "There is no such room: check the link.");
  const quarantine = quarantineOf(state, hello.info.device, draft.nowMs);
  if (hello.role === "member" && quarantine !== null) return refuse("mismatch", quarantine);
  const step = state.durable.record?.step ?? 0;
  const peers = [...state.peers.keys()].filter((peer) => peer !== hello.info.peer);
  if (hello.role === "observer") draft.patch({ observers: new Set(state.observers).add(conn) });
  else admit(draft, conn, hello);
  draft.send(conn, { kind: "welcome", spec, incarnation, step, peers, history });
  sendMemories(draft, conn);
  if (hello.role === "observer") {
    const last = lastStepLine(state);
    if (last) draft.send(conn, { kind: "event", line: last });
    if (state.durable.endDigests) draft.send(conn, { kind: "event", line: endLine(state) });
  }
  if (draft.state.waitingReason) {
    draft.send(conn, { kind: "waiting", reason: draft.state.waitingReason, devices: [] });
  }
}

function admit(draft: Draft, conn: string, hello: Extract<ClientMessage, { kind: "hello" }>): void {
  const old = draft.state.peers.get(hello.info.peer);
  if (old && old.conn !== conn) draft.close(old.conn, "the same tab connected again");
  const peers = new Map(draft.state.peers).set(hello.info.peer, {
    info: hello.info,
    conn,
    status: "preparing",
    heardAtMs: draft.nowMs,
    joinedAtMs: draft.nowMs,
    slotsPerSecond: old?.slotsPerSecond ?? 0,
    isMeasured: old?.isMeasured ?? false,
    inventory: EMPTY_INVENTORY,
    genesis: null,
    heldUntilMs: old?.heldUntilMs ?? 0,
    retiring: null,
    memory: old?.memory ?? null,
    offered: old?.offered ?? null,
    links: old?.links ?? NO_LINKS,
  });
  draft.patch({ peers });
}

/** The last line of a run. */
export function endLine(state: State): Extract<RunLine, { type: "end" }> {
  const { loss, endDigests } = state.durable;
  return { type: "end", steps: stepOf(state), loss, digests: endDigests ?? {} };
}

/** What a reconnecting observer may have missed: the last commit, as far as the log knows it. */
function lastStepLine(state: State): StepLine | undefined {
  const { record, loss, lastMembers } = state.durable;
  if (!record || record.step === 0) return undefined;
  return {
    type: "step",
    step: record.step,
    loss,
    incarnation: record.incarnation,
    epoch: record.epoch,
    members: lastMembers.map((member) => member.peer),
    chain: record.chain,
    ms: 0,
    transport: {},
    bytesSent: {},
    times: {},
  };
}

export function onJoin(draft: Draft, peer: PeerState, join: Extract<ClientMessage, { kind: "join" }>): void {
  const fault = layoutFault(draft.state.layout, join.layout);
  if (fault !== null) return expel(draft, peer.info.peer, fault);
  draft.patchPeer(peer.info.peer, {
    info: { ...peer.info, engine: join.engine },
    status: "joined",
    joinedAtMs: draft.nowMs,
    slotsPerSecond: peer.isMeasured ? peer.slotsPerSecond : join.slotsPerSecond,
    inventory: join.inventory,
    genesis: join.genesis,
    // Whoever went may want to stay after all; one that goes may say twice that it is prepared, the second time released.
    retiring: join.leaving ? (peer.retiring ?? { reason: "leaving", sinceMs: null }) : null,
  });
  draft.patch({
    slots: draft.state.slots ?? join.slots,
    layout: draft.state.layout ?? join.layout ?? null,
    firstJoinAtMs: draft.state.firstJoinAtMs ?? draft.nowMs,
    // What failed before may work now: a returning member's disk and links count again.
    badHashes: new Map(),
    brokenPairs: new Map([...draft.state.brokenPairs].filter(([pair]) => !pair.split("|").includes(peer.info.peer))),
  });
  if (peer.status !== "joined") {
    holdBack(draft, peer);
    draft.report({ type: "member", event: "join", peer: peer.info.peer, step: stepOf(draft.state) });
  }
  const { record } = draft.state.durable;
  if (draft.state.phase.kind === "ended" && record) {
    draft.send(peer.conn, { kind: "finish", step: record.step, chain: record.chain });
  }
}

/** What is wrong with the layout that a member tells, beside the one that is known; null where nothing is. */
function layoutFault(known: StateLayout | null, told: StateLayout | undefined): string | null {
  if (!told) return null;
  try {
    const count = checkStateLayout(told);
    const expected = known ? checkStateLayout(known) : count;
    if (count === expected) return null;
    return `state layout: expected the room's ${expected} parameters, found ${count}`;
  } catch (error) {
    if (error instanceof CorruptDataError) return error.message;
    throw error;
  }
}

/** A device that keeps leaving waits before it counts again. */
function holdBack(draft: Draft, peer: PeerState): void {
  const holdMs = holdMsOf(draft.state.departures.get(peer.info.device), draft.nowMs);
  if (holdMs === 0) return;
  draft.patchPeer(peer.info.peer, { heldUntilMs: Math.max(peer.heldUntilMs, draft.nowMs + holdMs) });
  const reason = `This device left and came back several times: it takes part again in ${Math.ceil(holdMs / 1_000)} s.`;
  draft.send(peer.conn, { kind: "waiting", reason, devices: [] });
  const seconds = Math.ceil(holdMs / 1_000);
  decide(draft, "member", `${peer.info.peer} waits ${seconds} s: its device left and came back several times.`, [
    peer.info.peer,
  ]);
}

/** A pause or a farewell: with a hand-over in peace, without one no longer counted on, from now. */
export function onLeave(draft: Draft, peer: PeerState, leave: Extract<ClientMessage, { kind: "leave" }>): void {
  if (!leave.handsOver) return letGo(draft, peer, leave.reason);
  if (peer.status === "paused") draft.send(peer.conn, { kind: "released" });
  else retire(draft, peer, leave.reason);
}

/** Tells a member that handed over that it may go. */
export function release(draft: Draft, peer: PeerState, reason: string): void {
  letGo(draft, peer, reason);
  draft.send(peer.conn, { kind: "released" });
}

function letGo(draft: Draft, peer: PeerState, reason: string): void {
  if (peer.status !== "paused") {
    draft.report({ type: "member", event: "leave", peer: peer.info.peer, step: stepOf(draft.state), reason });
  }
  draft.patchPeer(peer.info.peer, { status: "paused", inventory: EMPTY_INVENTORY, retiring: null });
}

export function onClosed(draft: Draft, conn: string): void {
  const observers = new Set(draft.state.observers);
  if (observers.delete(conn)) draft.patch({ observers });
  const peer = peerOf(draft.state, conn);
  if (peer) lose(draft, peer, "its connection closed");
}

/** Members that have said nothing for too long are gone; their sockets are closed so that they notice when they wake. */
export function dropSilent(draft: Draft): void {
  for (const peer of draft.state.peers.values()) {
    const silentMs = draft.nowMs - peer.heardAtMs;
    if (silentMs > draft.limits.silenceMsMax * (peer.status === "preparing" ? PREPARING_PATIENCE : 1)) {
      draft.close(peer.conn, `silent for ${Math.round(silentMs)} ms`);
      lose(draft, peer, `silent for ${Math.round(silentMs / 1000)} s`);
    }
  }
}

export function lose(draft: Draft, peer: PeerState, reason: string): void {
  draft.removePeer(peer.info.peer);
  if (peer.status === "joined") {
    noteDeparture(draft, peer.info.device);
    draft.report({ type: "member", event: "lost", peer: peer.info.peer, step: stepOf(draft.state), reason });
  }
}

/** Closes a member out for good: what it sends cannot be trusted. */
function expel(draft: Draft, peerId: PeerId, reason: string): void {
  const peer = draft.state.peers.get(peerId);
  assert(peer !== undefined, `expel: ${peerId} is not connected`);
  draft.send(peer.conn, { kind: "refused", code: "mismatch", reason });
  draft.close(peer.conn, reason);
  lose(draft, peer, reason);
}

/** Closes out every tab of a device whose results cannot be trusted, and keeps it out for a while. */
export function quarantine(draft: Draft, device: string, reason: string): void {
  const told = noteQuarantine(draft, device, reason);
  for (const { info } of draft.state.peers.values()) if (info.device === device) expel(draft, info.peer, told);
}

/** The step last committed. */
export function stepOf(state: State): number {
  return state.durable.record?.step ?? 0;
}

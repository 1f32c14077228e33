/**
 * A step: PLAN, votes, COMMIT or abort.
 *
 * A COMMIT needs: every living member's vote; the owner's and the replica's vote for every shard, naming the same bytes;
 * two members with the complete parameters (one in an epoch of one), all naming the same root; and for every shard a
 * holder that is still alive. It is in the log before anybody hears of it. Whatever else ends a step aborts it, and the
 * next epoch does it again from the committed state.
 */
import { assert } from "../../base/assert.ts";
import { hashList, type Hash } from "../../base/hash.ts";
import type { ByteCounts, StepLine, StepTimes } from "../../network/wire/run-line.ts";
import type { CommitRecord } from "../../network/wire/state-record.ts";
import type { PathKind, PeerId } from "../../network/transport/transport.ts";
import { disputeSlot, planAudits, settleAudits } from "./audit.ts";
import { openCheckpoint } from "./checkpointing.ts";
import { parameterRootOf } from "./coverage.ts";
import { tellSharing } from "./decisions.ts";
import { isAlive, lostRanks, type Draft } from "./draft.ts";
import { dissolve, isCurrent, noteFailure, pairKey, stateRecord } from "./forming.ts";
import { newLinks, noteLinks } from "./links.ts";
import { lose, stepOf } from "./membership.ts";
import { relayedPairs } from "./relayed.ts";
import type { ClientMessage } from "../../network/wire/messages.ts";
import { shareSlots, SPEED_SHARE_MIN } from "./slots.ts";
import type { Epoch, PeerState, Phase, State, Vote } from "./state.ts";
import { coverOf } from "./straggler-state.ts";
import { measuredSpeed, noteLateness, planBackups, tellPlan } from "./stragglers.ts";

type Stepping = Extract<Phase, { kind: "stepping" }>;

/** Members give up first and can say whom they missed; the coordinator waits a little longer. */
const VERDICT_MS = 5_000;
/** Weight of the newest measurement in a member's speed and the usual step time. */
const SMOOTHING = 0.3;
/** Slots per second that even a member that never finishes is counted with. */
const SPEED_MIN = 1e-3;
/** Growth of the speed that an idle member is believed to have, a step. */
const HOPE = 1.05;

export function planStep(draft: Draft): void {
  const { epoch, durable, slots } = draft.state;
  assert(epoch !== null && slots !== null, "planStep: no epoch");
  const step = stepOf(draft.state) + 1;
  const speeds = speedsOf(draft.state, epoch);
  const shares = shareSlots(slots, speeds, epoch.slots);
  const audits = planAudits(draft, { epoch, shares, speeds, step });
  // A slot that is checked counts as its owner computed it.
  const backups = audits.length > 0 ? [] : planBackups(draft, epoch, shares);
  tellPlan(draft, epoch, shares, backups);
  tellSharing(draft, epoch, shares);
  const deadlineMs = Math.max(draft.limits.stepMsMin, draft.limits.stepFactor * draft.state.usualStepMs);
  const links = newLinks(draft, epoch);
  draft.patch({
    epoch: { ...epoch, slots: shares, links: links ?? epoch.links },
    phase: {
      kind: "stepping",
      step,
      votes: new Map(),
      failed: new Map(),
      audits,
      cover: coverOf(backups),
      startedAtMs: draft.nowMs,
      deadlineAtMs: draft.nowMs + deadlineMs + VERDICT_MS,
    },
  });
  const { incarnation, epoch: number } = durable;
  const more = {
    ...(audits.length > 0 ? { audits } : {}),
    ...(backups.length > 0 ? { backups } : {}),
    ...(links ? { links: links.text } : {}),
  };
  draft.sendToEpoch({ kind: "plan", incarnation, epoch: number, step, slots: shares, ...more, deadlineMs });
}

/** Slots per second by rank, 0 for listeners. Who was never measured is taken for fast enough to get a slot, which measures it. */
function speedsOf(state: State, epoch: Epoch): number[] {
  const full = epoch.members.map((member) => (member.role === "full" ? state.peers.get(member.peer) : undefined));
  const fastest = Math.max(...full.map((peer) => peer?.slotsPerSecond ?? 0), SPEED_MIN);
  return full.map((peer) => {
    if (!peer) return 0;
    const least = peer.isMeasured ? SPEED_MIN : fastest * SPEED_SHARE_MIN;
    return Math.max(peer.slotsPerSecond, least);
  });
}

export function onVote(draft: Draft, peer: PeerState, vote: Vote): void {
  const { phase, epoch } = draft.state;
  if (phase.kind !== "stepping" || !isCurrent(draft.state, vote) || vote.step !== phase.step) return;
  const rank = epoch?.members.findIndex((member) => member.peer === peer.info.peer) ?? -1;
  if (rank < 0 || epoch?.conns[rank] !== peer.conn || phase.votes.has(peer.info.peer)) return;
  draft.patch({ phase: { ...phase, votes: new Map(phase.votes).set(peer.info.peer, vote) } });
  noteLinks(draft, peer, vote.links);
}

export function onFailed(draft: Draft, peer: PeerState, failed: Extract<ClientMessage, { kind: "failed" }>): void {
  if (!isCurrent(draft.state, failed)) return;
  const { phase } = draft.state;
  if (phase.kind === "forming") {
    noteFailure(draft, peer, failed);
    draft.report({ type: "abort", step: stepOf(draft.state) + 1, reason: `${peer.info.peer}: ${failed.reason}` });
    dissolve(draft, true);
  } else if (phase.kind === "stepping") {
    noteFailure(draft, peer, failed);
    if (failed.slot !== undefined) disputeSlot(draft, peer, failed.slot);
    draft.patch({ phase: { ...phase, failed: new Map(phase.failed).set(peer.info.peer, failed.reason) } });
  }
}

/** Commits, aborts, or waits on. True when the phase changed. */
export function advanceStep(draft: Draft): boolean {
  const { phase, epoch } = draft.state;
  if (phase.kind !== "stepping" || !epoch) return false;
  const alive = epoch.members.filter((_, rank) => isAlive(draft.state, rank));
  if (alive.length > 0 && alive.every((member) => phase.votes.has(member.peer))) {
    const difference = settleAudits(draft, phase, epoch);
    const outcome = difference === null ? judge(draft.state, phase, epoch) : { ok: false as const, reason: difference };
    if (outcome.ok) commit(draft, phase, epoch, outcome.record);
    else abort(draft, outcome.reason);
    return true;
  }
  const lost = lostRanks(draft.state).map((rank) => epoch.members[rank]?.peer ?? "");
  const silentLoss = lost.find((peer) => !phase.votes.has(peer));
  if (silentLoss !== undefined) {
    abort(draft, `${silentLoss} was lost`);
    return true;
  }
  const [failedPeer, reason] = [...phase.failed][0] ?? [];
  if (failedPeer !== undefined) {
    abort(draft, `${failedPeer}: ${reason}`);
    return true;
  }
  if (draft.nowMs < phase.deadlineAtMs) return false;
  for (const member of alive) {
    const peer = draft.state.peers.get(member.peer);
    if (!peer || phase.votes.has(member.peer)) continue;
    draft.close(peer.conn, "no vote before the step's deadline");
    lose(draft, peer, "no vote before the step's deadline");
  }
  abort(draft, "the step's deadline passed");
  return true;
}

type Verdict = { readonly ok: true; readonly record: CommitRecord } | { readonly ok: false; readonly reason: string };

/** The commit rule. Pure: the same votes give the same verdict. */
function judge(state: State, phase: Stepping, epoch: Epoch): Verdict {
  const no = (reason: string): Verdict => ({ ok: false, reason });
  const voteOf = (rank: number): Vote | undefined => phase.votes.get(epoch.members[rank]?.peer ?? "");
  const parameters: Hash[] = [];
  const optimizer: Hash[] = [];
  const hashOf = (list: readonly (readonly [number, Hash])[] | undefined, shard: number): Hash | undefined =>
    list?.find(([number]) => number === shard)?.[1];
  for (const [shard, owner] of epoch.map.owner.entries()) {
    const replica = epoch.map.replica[shard] ?? owner;
    const parameter = hashOf(voteOf(owner)?.parameters, shard);
    const own = hashOf(voteOf(owner)?.optimizer, shard);
    const copy = hashOf(voteOf(replica)?.optimizer, shard);
    if (parameter === undefined || own === undefined) return no(`no owner's vote for shard ${shard}`);
    if (copy === undefined) return no(`no replica's vote for shard ${shard}`);
    if (copy !== own) return no(`owner and replica of shard ${shard} hold different bytes`);
    if (!isAlive(state, owner) && !isAlive(state, replica)) return no(`no living copy of shard ${shard}`);
    parameters.push(parameter);
    optimizer.push(own);
  }
  const root = parameterRootOf(parameters);
  const complete = [...phase.votes.values()].filter((vote) => vote.parameterRoot === root).length;
  if (complete !== phase.votes.size) return no("members hold different parameters");
  if (complete < Math.min(2, epoch.members.length)) return no("fewer than two members hold the complete parameters");
  const { incarnation, epoch: number, record: before } = state.durable;
  assert(before !== null, "judge: no record to go on from");
  const names = epoch.members.map((member) => member.peer);
  const chain = hashList("chain", [before.chain, `${incarnation}/${number}/${phase.step}`, ...names, ...optimizer]);
  return {
    ok: true,
    record: stateRecord(state, {
      incarnation,
      epoch: number,
      step: phase.step,
      chain,
      previous: before.chain,
      parameters,
      optimizer,
    }),
  };
}

function commit(draft: Draft, phase: Stepping, epoch: Epoch, record: CommitRecord): void {
  const loss = meanLoss(phase.votes);
  draft.append({ kind: "commit", record, loss });
  const { incarnation, epoch: number } = draft.state.durable;
  noteLateness(draft, phase, epoch);
  learn(draft, phase, epoch, record);
  const checkpoint = openCheckpoint(draft, epoch, record, loss);
  draft.sendToEpoch({
    kind: "commit",
    incarnation,
    epoch: number,
    step: record.step,
    chain: record.chain,
    parameterRoot: record.parameterRoot,
    loss,
    checkpoint,
  });
  draft.report(stepLine(draft, phase, epoch, record, loss));
  // Steps done again have the bytes, and the names, that could not be had before.
  draft.patch({ phase: { kind: "boundary" }, failures: 0, brokenPairs: new Map(), badHashes: new Map() });
}

/** Ends the step without a result: the same step will be done again. */
function abort(draft: Draft, reason: string): void {
  const step = stepOf(draft.state) + 1;
  draft.report({ type: "abort", step, reason });
  const isLoss = lostRanks(draft.state).length > 0;
  dissolve(draft, !isLoss);
}

/** Slots are equal parts of the batch, so the step's loss is their plain mean, taken in slot order. */
function meanLoss(votes: ReadonlyMap<PeerId, Vote>): number {
  const losses = [...votes.values()].flatMap((vote) => [...vote.losses]).sort(([a], [b]) => a - b);
  return losses.reduce((sum, [, loss]) => sum + loss, 0) / Math.max(1, losses.length);
}

/** What the votes tell of members: their speed, and what they now hold. */
function learn(draft: Draft, phase: Stepping, epoch: Epoch, record: CommitRecord): void {
  epoch.members.forEach((member, rank) => {
    const vote = phase.votes.get(member.peer);
    const peer = draft.state.peers.get(member.peer);
    if (!vote || !peer || !isAlive(draft.state, rank)) return;
    const measured = measuredSpeed(phase, epoch, rank, vote, peer.slotsPerSecond);
    // Without slots there is nothing to measure: a slow member is given another chance after a while.
    const speed = measured > 0 ? mix(peer.isMeasured ? peer.slotsPerSecond : 0, measured) : peer.slotsPerSecond * HOPE;
    const optimizer = vote.optimizer.filter(([shard, hash]) => record.optimizer[shard] === hash);
    const inventory = { ...peer.inventory, parameterRoots: [record.parameterRoot], optimizer };
    draft.patchPeer(member.peer, { slotsPerSecond: speed, isMeasured: peer.isMeasured || measured > 0, inventory });
  });
  const members = epoch.members.map((member) => member.peer);
  const paths = new Map([...phase.votes].map(([peer, vote]) => [peer, vote.paths]));
  draft.patch({ relayedPairs: relayedPairs(members, paths) });
  draft.patch({ usualStepMs: mix(draft.state.usualStepMs, draft.nowMs - phase.startedAtMs) });
}

function mix(old: number, measured: number): number {
  return old > 0 ? old + SMOOTHING * (measured - old) : measured;
}

function stepLine(draft: Draft, phase: Stepping, epoch: Epoch, record: CommitRecord, loss: number): StepLine {
  const transport: Record<string, PathKind> = {};
  const bytesSent: Record<PeerId, ByteCounts> = {};
  const times: Record<PeerId, StepTimes> = {};
  const members = epoch.members.map((member) => member.peer);
  for (const [peer, vote] of phase.votes) {
    bytesSent[peer] = vote.bytesSent;
    times[peer] = vote.times;
    for (const [other, path] of Object.entries(vote.paths)) {
      if (members.includes(other)) transport[pairKey(peer, other)] = path;
    }
  }
  return {
    type: "step",
    step: record.step,
    loss,
    incarnation: record.incarnation,
    epoch: record.epoch,
    members,
    chain: record.chain,
    ms: Math.round(draft.nowMs - phase.startedAtMs),
    transport,
    bytesSent,
    times,
  };
}

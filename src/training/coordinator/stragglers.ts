/**
 * Members that hold steps up: fewer slots by their speed (`slots.ts`), then their slots computed twice, then out for a
 * while.
 *
 * In a step with backups members say what they have computed, and once there is a copy of every slot, `reduce` says
 * to everybody which one counts. It is decided once a step, so that each slot goes into every owner's sum once; a late
 * member gives up its slots, and takes part in the rest of the step as it always does.
 */
import type { PeerId } from "../../network/transport/transport.ts";
import type { Backup, ClientMessage } from "../../network/wire/messages.ts";
import type { StragglerAction } from "../../network/wire/run-line.ts";
import { isAlive, type Draft } from "./draft.ts";
import { isCurrent } from "./forming.ts";
import { stepOf } from "./membership.ts";
import type { Epoch, PeerState, Phase, State, Vote } from "./state.ts";
import { LATENESS_STEPS, type Stragglers } from "./straggler-state.ts";

type Stepping = Extract<Phase, { kind: "stepping" }>;

/** Late is who took so many times what was planned, and what others took, */
const LATE_FACTOR = 2;
/** and longer than planned by so much: less is not worth the coordinator's answer that a step with backups waits for. */
const LATE_MS_MIN = 1_000;
/** Others that have to be left when a member is dropped: so that every shard still has two copies. */
const OTHERS_MIN = 2;
/** Out for so long the first time, then twice as long each time; staying so long makes up for it. */
const HOLD_MS = 10_000;
const HOLD_MS_MAX = 160_000;
const FORGET_MS = 10 * 60_000;

/** Whose slots a second member computes too, and who: whoever would be done with them first. */
export function planBackups(draft: Draft, epoch: Epoch, shares: readonly (readonly number[])[]): Backup[] {
  const { state, limits } = draft;
  const speeds = epoch.members.map(({ peer, role }) =>
    role === "full" ? (state.peers.get(peer)?.slotsPerSecond ?? 0) : 0,
  );
  const counts = epoch.members.map(({ peer }) => lateCount(state.stragglers, peer));
  const isLate = (rank: number): boolean => (counts[rank] ?? 0) >= limits.lateBackup;
  const loads = shares.map((share) => share.length);
  const backups: Backup[] = [];
  shares.forEach((share, rank) => {
    if (share.length === 0 || !isLate(rank)) return;
    const endOf = (by: number): number => ((loads[by] ?? 0) + share.length) / (speeds[by] ?? 0);
    const others = [...speeds.keys()].filter((by) => !isLate(by) && (speeds[by] ?? 0) > 0);
    const [by] = others.sort((a, b) => endOf(a) - endOf(b));
    if (by === undefined) return;
    loads[by] = (loads[by] ?? 0) + share.length;
    backups.push([rank, by]);
  });
  return backups;
}

/** Tells what the coming step's plan does about members that were late. */
export function tellPlan(
  draft: Draft,
  epoch: Epoch,
  shares: readonly (readonly number[])[],
  backups: readonly Backup[],
): void {
  const { stragglers } = draft.state;
  const step = stepOf(draft.state) + 1;
  const tell = (peer: PeerId, action: StragglerAction, what: string): void => {
    const late = `late in ${lateCount(stragglers, peer)} of its last ${stragglers.late.get(peer)?.length ?? 0} steps`;
    draft.report({ type: "straggler", peer, step, action, reason: `${late}: ${what}` });
  };
  epoch.members.forEach(({ peer }, rank) => {
    const [before, now] = [epoch.slots?.[rank]?.length ?? 0, shares[rank]?.length ?? 0];
    if (lateCount(stragglers, peer) > 0 && now < before) tell(peer, "less", `${now} of the slots instead of ${before}`);
  });
  const backed = backups.map(([rank]) => epoch.members[rank]?.peer ?? "");
  backups.forEach(([, by], at) => {
    const peer = backed[at] ?? "";
    if (stragglers.backed.includes(peer)) return;
    tell(peer, "backup", `its slots are computed by ${epoch.members[by]?.peer} too`);
  });
  draft.patch({ stragglers: { ...stragglers, backed } });
}

/** Notes that slots are computed, and decides as soon as there is a copy of each. */
export function onComputed(draft: Draft, peer: PeerState, message: Extract<ClientMessage, { kind: "computed" }>): void {
  const { phase, epoch, durable } = draft.state;
  if (phase.kind !== "stepping" || !isCurrent(draft.state, message) || message.step !== phase.step) return;
  const { cover } = phase;
  const by = epoch?.members.findIndex((member) => member.peer === peer.info.peer) ?? -1;
  if (!epoch?.slots || !cover || cover.decision || by < 0 || epoch.conns[by] !== peer.conn) return;
  const isAsked = message.rank === by || backupOf(cover.backups, message.rank) === by;
  if (!isAsked) return;
  const computed = new Set(cover.computed).add(`${message.rank}:${by}`);
  const decision = decide(epoch.slots, cover.backups, computed);
  const atMs = draft.nowMs;
  draft.patch({ phase: { ...phase, cover: { ...cover, computed, decision: decision && { late: decision, atMs } } } });
  if (!decision) return;
  const { incarnation, epoch: number } = durable;
  draft.sendToEpoch({ kind: "reduce", incarnation, epoch: number, step: phase.step, late: decision });
}

/** Ranks whose slots are only computed by their backups; null while some slot is computed nowhere. */
function decide(
  slots: readonly (readonly number[])[],
  backups: readonly Backup[],
  computed: ReadonlySet<string>,
): number[] | null {
  const late: number[] = [];
  for (const [rank, share] of slots.entries()) {
    if (share.length === 0 || computed.has(`${rank}:${rank}`)) continue;
    if (!computed.has(`${rank}:${backupOf(backups, rank)}`)) return null;
    late.push(rank);
  }
  return late;
}

function backupOf(backups: readonly Backup[], rank: number): number | undefined {
  return backups.find(([of]) => of === rank)?.[1];
}

/** Remembers who was late in the step just committed. To be called while members' speeds are still those of its plan. */
export function noteLateness(draft: Draft, phase: Stepping, epoch: Epoch): void {
  const { peers, stragglers } = draft.state;
  const late = new Map([...stragglers.late].filter(([peer]) => peers.has(peer)));
  epoch.members.forEach(({ peer }, rank) => {
    if ((epoch.slots?.[rank]?.length ?? 0) === 0 || !isAlive(draft.state, rank)) return;
    const was = late.get(peer) ?? [];
    late.set(peer, [...was, isLate(draft.state, phase, epoch, rank)].slice(-LATENESS_STEPS));
  });
  draft.patch({ stragglers: { ...stragglers, late } });
}

function isLate(state: State, phase: Stepping, epoch: Epoch, rank: number): boolean {
  if (phase.cover?.decision?.late.includes(rank)) return true;
  const computeMs = (other: number): number => phase.votes.get(epoch.members[other]?.peer ?? "")?.times.compute ?? 0;
  const peer = state.peers.get(epoch.members[rank]?.peer ?? "");
  const others = [...epoch.members.keys()].filter((other) => other !== rank && countedSlots(phase, epoch, other) > 0);
  if (!peer?.isMeasured || others.length === 0) return false;
  const plannedMs = (1_000 * countedSlots(phase, epoch, rank)) / peer.slotsPerSecond;
  const times = others.map(computeMs).sort((a, b) => a - b);
  const usualMs = times[(times.length - 1) >> 1] ?? 0;
  const own = computeMs(rank);
  return own > LATE_FACTOR * Math.max(plannedMs, usualMs) && own - plannedMs > LATE_MS_MIN;
}

/**
 * Slots per second of a member in a step; 0 where there was nothing to measure. Of one that was late in a step with
 * backups: what it can have been at most.
 */
export function measuredSpeed(phase: Stepping, epoch: Epoch, rank: number, vote: Vote, speed: number): number {
  const decision = phase.cover?.decision;
  if (decision?.late.includes(rank)) {
    const share = epoch.slots?.[rank]?.length ?? 0;
    return Math.min(speed, (1_000 * share) / Math.max(1, decision.atMs - phase.startedAtMs));
  }
  return vote.times.compute > 0 ? (1_000 * countedSlots(phase, epoch, rank)) / vote.times.compute : 0;
}

/** Slots that went into a step as `rank` computed them: what its time is to be measured by. */
function countedSlots({ cover }: Stepping, { slots }: Epoch, rank: number): number {
  const late = cover?.decision?.late ?? [];
  const backed = (cover?.backups ?? []).filter(([of, by]) => by === rank && late.includes(of)).map(([of]) => of);
  const counted = late.includes(rank) ? backed : [rank, ...backed];
  return counted.reduce((sum, of) => sum + (slots?.[of]?.length ?? 0), 0);
}

/** Leaves out, for a growing time, whoever is late however little it gets. True when somebody of the epoch was. */
export function dropStragglers(draft: Draft): boolean {
  const { epoch, stragglers } = draft.state;
  const members = (epoch?.members ?? []).filter(({ role }) => role === "full").map(({ peer }) => peer);
  const late = members.filter((peer) => lateCount(stragglers, peer) >= draft.limits.lateDrop);
  // The one that is late most often first; others may follow when they are still late in the next epoch.
  const [worst] = late.sort((a, b) => lateCount(stragglers, b) - lateCount(stragglers, a));
  const peer = worst === undefined ? undefined : draft.state.peers.get(worst);
  if (!peer || members.length - 1 < OTHERS_MIN) return false;
  drop(draft, peer);
  return true;
}

function drop(draft: Draft, { info, conn }: PeerState): void {
  const { late, drops } = draft.state.stragglers;
  const before = drops.get(info.device);
  const count = before && draft.nowMs - before.atMs < FORGET_MS ? before.count + 1 : 1;
  const holdMs = Math.min(HOLD_MS_MAX, HOLD_MS * 2 ** (count - 1));
  const steps = late.get(info.peer) ?? [];
  const often = `in ${steps.filter(Boolean).length} of its last ${steps.length} steps`;
  const stepsOfOthers = new Map([...late].filter(([peer]) => peer !== info.peer));
  draft.patch({
    stragglers: {
      ...draft.state.stragglers,
      late: stepsOfOthers,
      drops: new Map(drops).set(info.device, { count, atMs: draft.nowMs }),
    },
  });
  draft.patchPeer(info.peer, { heldUntilMs: draft.nowMs + holdMs });
  const backS = Math.ceil(holdMs / 1_000);
  const forItself = `This tab took much longer than planned ${often}: it takes part again in ${backS} s.`;
  draft.send(conn, { kind: "waiting", reason: forItself, devices: [] });
  const reason = `late ${often}: left out for ${backS} s`;
  draft.report({ type: "straggler", peer: info.peer, step: stepOf(draft.state), action: "dropped", reason });
}

function lateCount({ late }: Stragglers, peer: PeerId): number {
  return (late.get(peer) ?? []).filter(Boolean).length;
}

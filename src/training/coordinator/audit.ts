/**
 * Recomputed slots: at random another device computes a slot too, and both say what came out.
 *
 * Where they differ, nothing of the step is committed, and who is wrong is decided before anything else is: a third
 * device computes the slot in the next plan, and the outvoted one is quarantined. With no third both are asked once more;
 * if they still differ, one goes by `lastResort`, the newer one where nothing else tells. So two devices find a broken
 * one only by a result that is not finite or not twice the same. A device that is left alone is believed.
 *
 * It finds broken devices, not liars: who sends a fingerprint of one gradient and contributes another, or updates its
 * own shards wrongly, is not found by it. What a wrong device contributed since it was last compared stays in the model;
 * people are told since when. An audited slot costs one slot of compute beside the step's own, by whoever is done first.
 */
import { Random } from "../../base/random.ts";
import type { PeerId } from "../../network/transport/transport.ts";
import type { Audit, Fingerprint } from "../../network/wire/messages.ts";
import { isUnanimous, lastResort, outvoted, type Claim, type Claims, type Dispute } from "./audit-claims.ts";
import { isAlive, type Draft } from "./draft.ts";
import { quarantine, stepOf } from "./membership.ts";
import type { Epoch, PeerState, Phase, State } from "./state.ts";

type Stepping = Extract<Phase, { kind: "stepping" }>;

const NOBODY: Claims = new Map();

/** What is known of the step that is planned. */
interface Planned {
  readonly epoch: Epoch;
  /** Slots by rank. */
  readonly shares: readonly (readonly number[])[];
  /** Slots per second by rank, 0 for listeners. */
  readonly speeds: readonly number[];
  readonly step: number;
}

/** Slots of the step that another device computes too: those drawn, and one that is in dispute. */
export function planAudits(draft: Draft, planned: Planned): Audit[] {
  const { durable } = draft.state;
  const { epoch, shares, step } = planned;
  const dispute = draft.state.dispute?.base === durable.record?.chain ? draft.state.dispute : null;
  const drawn = drawSlots(draft, shares.flat(), step).filter((slot) => slot !== dispute?.slot);
  const loads = shares.map((slots) => slots.length);
  const audits: Audit[] = [];
  for (const slot of dispute ? [dispute.slot, ...drawn] : drawn) {
    const rank = auditorOf(planned, slot, loads, slot === dispute?.slot ? dispute.claims : NOBODY);
    if (rank === undefined) continue;
    loads[rank] = (loads[rank] ?? 0) + 1;
    audits.push({ slot, rank });
  }
  const isOpen = dispute !== null && audits.some(({ slot }) => slot === dispute.slot);
  const here = new Set(epoch.members.map(({ device }) => device));
  const agreedAt = new Map([...draft.state.agreedAt].filter(([device]) => here.has(device)));
  draft.patch({ dispute: isOpen ? dispute : null, agreedAt });
  return audits;
}

/** The same for everybody who knows the room's seed: it is not a secret, since broken devices do not plan. */
function drawSlots({ state, limits }: Draft, slots: readonly number[], step: number): number[] {
  if (limits.auditEvery === 0) return [];
  const random = new Random(state.durable.spec?.seed ?? 0, "audit", step);
  if (random.below(limits.auditEvery) > 0) return [];
  return random.shuffle(slots).slice(0, limits.auditSlots);
}

/** Of the devices that do not own the slot: first one that has not spoken of it, then the one that is done first. */
function auditorOf(
  { epoch, shares, speeds }: Planned,
  slot: number,
  loads: readonly number[],
  asked: Claims,
): number | undefined {
  const owner = epoch.members[shares.findIndex((slots) => slots.includes(slot))]?.device;
  const others = epoch.members
    .map(({ device }, rank) => ({ device, rank }))
    .filter(({ device, rank }) => epoch.members[rank]?.role === "full" && device !== owner);
  const fresh = others.filter(({ device }) => !asked.has(device));
  const endOf = (rank: number): number => ((loads[rank] ?? 0) + 1) / (speeds[rank] ?? 0);
  const ordered = (fresh.length > 0 ? fresh : others).toSorted((a, b) => endOf(a.rank) - endOf(b.rank));
  return ordered[0]?.rank;
}

/** A member computed something for `slot` that is not finite: others say whether that is the model or its device. */
export function disputeSlot(draft: Draft, peer: PeerState, slot: number): void {
  const { record } = draft.state.durable;
  const open = draft.state.dispute;
  if (!record || !peer.info.device || open?.base === record.chain) return;
  const claims = new Map([[peer.info.device, claimOf(peer, null)]]);
  draft.patch({ dispute: { base: record.chain, slot, claims, before: null } });
}

/** Compares what was computed twice. A sentence where the step must not be committed, null where nothing speaks against it. */
export function settleAudits(draft: Draft, phase: Stepping, epoch: Epoch): string | null {
  for (const audit of phase.audits) {
    const { dispute } = draft.state;
    const open = dispute?.slot === audit.slot ? dispute : null;
    const said = claimsOf(draft.state, phase, epoch, audit);
    const claims: Claims = new Map([...said, ...(open?.claims ?? NOBODY)]);
    const isSame = isUnanimous(said) && (isUnanimous(claims) || outvoted(claims)?.length === 0);
    // Members that know of no audits say nothing: there is nothing to compare.
    if (isSame || said.size < 2) {
      if (isSame && said.size > 1) noteAgreement(draft, [...said.keys()], phase.step);
      if (open) draft.patch({ dispute: null });
      if ([...said.values()].some(({ fingerprint }) => fingerprint === null)) return notFinite(audit.slot);
      continue;
    }
    const base = draft.state.durable.record?.chain ?? "";
    return decide(draft, epoch, { base, slot: audit.slot, claims, before: open?.before ?? null });
  }
  return null;
}

/** What the slot's owner and its auditor said in this attempt, by device. */
function claimsOf(state: State, phase: Stepping, epoch: Epoch, { slot, rank }: Audit): Map<string, Claim> {
  const owner = epoch.slots?.findIndex((slots) => slots.includes(slot)) ?? -1;
  const claims = new Map<string, Claim>();
  for (const member of [epoch.members[owner], epoch.members[rank]]) {
    const vote = phase.votes.get(member?.peer ?? "");
    const found = vote?.fingerprints?.find(([number]) => number === slot);
    if (!member || !found) continue;
    const peer = state.peers.get(member.peer);
    claims.set(member.device, claimOf(peer ?? { info: member, joinedAtMs: Number.POSITIVE_INFINITY }, found[1]));
  }
  return claims;
}

function claimOf(peer: Pick<PeerState, "info" | "joinedAtMs">, fingerprint: Fingerprint | null): Claim {
  return { peer: peer.info.peer, joinedAtMs: peer.joinedAtMs, fingerprint };
}

function noteAgreement(draft: Draft, devices: readonly string[], step: number): void {
  draft.patch({ agreedAt: new Map([...draft.state.agreedAt, ...devices.map((device) => [device, step] as const)]) });
}

/** Puts out who is outvoted, or has the slot computed again. Returns why the step is not committed. */
function decide(draft: Draft, epoch: Epoch, dispute: Dispute): string {
  const { slot, claims } = dispute;
  const differ = `slot ${slot}: ${namesOf([...claims.values()])} computed different results`;
  const wrong = outvoted(claims);
  if (wrong && wrong.length > 0) {
    draft.patch({ dispute: null });
    for (const device of wrong) putOut(draft, device, claims, slot, null);
    return `${differ}, and the others agree against ${namesOf(wrong.flatMap((device) => claims.get(device) ?? []))}`;
  }
  if (isSomebodyLeft(draft.state, epoch, claims)) {
    draft.patch({ dispute });
    return `${differ}: another device computes it too`;
  }
  if ([...claims.values()].every(({ fingerprint }) => fingerprint === null)) {
    draft.patch({ dispute: null });
    return notFinite(slot);
  }
  if (!dispute.before) {
    draft.patch({ dispute: { ...dispute, claims: NOBODY, before: claims } });
    return `${differ}: all are asked once more, since nobody else is here`;
  }
  draft.patch({ dispute: null });
  const found = lastResort(dispute, (device) => draft.state.durable.quarantines.get(device)?.count ?? 0);
  if (found) putOut(draft, found.device, claims, slot, found.why);
  return `${differ}, and nobody is left to arbitrate`;
}

function notFinite(slot: number): string {
  return `slot ${slot}: expected a finite loss and gradient, found others; a lower learning rate may help`;
}

/** True while a device could compute the slot that has not said what comes out. */
function isSomebodyLeft(state: State, epoch: Epoch, claims: Claims): boolean {
  return epoch.members.some(({ device, role }, rank) => role === "full" && isAlive(state, rank) && !claims.has(device));
}

function putOut(draft: Draft, device: string, claims: Claims, slot: number, why: string | null): void {
  const { state } = draft;
  const step = stepOf(state) + 1;
  const others = namesOf([...claims].flatMap(([other, claim]) => (other === device ? [] : [claim])));
  const last = state.agreedAt.get(device);
  const since = last === undefined ? "it had not been compared before" : `it was last seen to agree at step ${last}`;
  const verdict = why ?? "its GPU or driver computes wrongly";
  const reason = `This device's result for slot ${slot} of step ${step} differs from that of ${others}: ${verdict}; ${since}.`;
  quarantine(draft, device, reason);
}

function namesOf(claims: readonly { readonly peer: PeerId }[]): string {
  return claims.map(({ peer }) => peer).join(", ");
}

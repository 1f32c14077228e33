/** Checkpoints: who writes which shards, when a generation is whole, and whether all devices hold the same parameters. */
import { SHARDS, type CheckpointOrder, type CommitRecord, type StoredParity } from "../../network/wire/state-record.ts";
import type { ClientMessage } from "../../network/wire/messages.ts";
import type { Hash } from "../../base/hash.ts";
import type { PeerId } from "../../network/transport/transport.ts";
import { leavesPerHour } from "./churn.ts";
import { candidates, sourcesOf } from "./coverage.ts";
import { decide } from "./decisions.ts";
import type { Draft } from "./draft.ts";
import { chooseScheme, type Choice } from "./durability.ts";
import { quarantine, stepOf } from "./membership.ts";
import { placeCheckpoint } from "./placement.ts";
import { isFarewell } from "./retiring.ts";
import type { StoredStripe } from "./protocol.ts";
import type { Epoch, OpenCheckpoint, PeerState, StoredPart } from "./state.ts";

/** A writer that has not reported by then is not waited for. */
const WRITE_MS_MAX = 30_000;
/** What a device held is written elsewhere with the next checkpoint, which takes at least so long to come. */
const REPAIR_MS_MIN = 60_000;

/** What a checkpoint step asks of members; null at other steps. */
export function openCheckpoint(draft: Draft, epoch: Epoch, record: CommitRecord, loss: number): CheckpointOrder | null {
  const spec = draft.state.durable.spec;
  const isAsked = draft.state.hold === "asked";
  const isDue = record.step % (spec?.checkpointEvery ?? 1) === 0 || record.step === spec?.steps;
  if (!spec || !(isDue || isAsked || isFarewell(draft.state))) return null;
  if (isAsked) draft.patch({ hold: "held" });
  if (draft.state.checkpoint) closeCheckpoint(draft, draft.state.checkpoint);
  const devices = epoch.members.map((member) => member.device);
  const { scheme, lossChance, reason } = choiceOf(draft, new Set(devices).size, spec.checkpointEvery);
  decide(draft, "checkpoint", `Checkpoints: ${reason}.`);
  const { writers, stripes } = placeCheckpoint({ ...epoch.map, devices }, scheme);
  const asked = new Map<PeerId, number[]>();
  writers.forEach((ranks, unit) => {
    for (const rank of ranks) {
      const peer = epoch.members[rank]?.peer ?? "";
      asked.set(peer, [...(asked.get(peer) ?? []), unit]);
    }
  });
  const members = epoch.members.map((member) => member.peer);
  const reports = { stored: new Map(), digests: new Map() };
  const startedAtMs = draft.nowMs;
  draft.patch({ checkpoint: { record, loss, startedAtMs, scheme, lossChance, stripes, asked, members, ...reports } });
  const keep = draft.state.durable.generations.map(({ record: { step, chain } }) => ({ step, chain }));
  const parity = parityOfNewest(draft);
  return { writers, stripes, optimizer: record.optimizer, keep, ...(parity ? { parity } : {}) };
}

/** Of the newest checkpoint in the log, as far as members have it. */
function parityOfNewest({ state, nowMs }: Draft): StoredParity | null {
  const record = state.durable.generations.at(-1)?.record;
  if (!record) return null;
  const { stripes } = sourcesOf(record, candidates(state, nowMs), state);
  return stripes.length > 0 ? { parameters: record.parameters, optimizer: record.optimizer, stripes } : null;
}

/** The redundancy of a checkpoint, from how often devices have left so far. */
function choiceOf({ state, limits }: Draft, devices: number, checkpointEvery: number): Choice {
  const repairHours = Math.max(REPAIR_MS_MIN, checkpointEvery * state.usualStepMs) / 3_600_000;
  const { lossChanceMax, copiesMax } = limits;
  const churn = { leavesPerHour: leavesPerHour(state), repairHours };
  return chooseScheme(devices, churn, { lossChanceMax, copiesMax, shards: SHARDS });
}

export function onStored(draft: Draft, peer: PeerState, message: Extract<ClientMessage, { kind: "stored" }>): void {
  const { checkpoint } = draft.state;
  if (!checkpoint || message.chain !== checkpoint.record.chain) return;
  const { shards, parity = [], error, ms } = message;
  const part: StoredPart = { units: shards, parity, error, ms, device: peer.info.device };
  const stored = new Map(checkpoint.stored).set(peer.info.peer, part);
  draft.patch({ checkpoint: { ...checkpoint, stored } });
  const generation = { step: message.step, chain: message.chain, shards };
  const others = peer.inventory.stored.filter((found) => found.chain !== message.chain);
  // Whoever has written it keeps those of the log, as the order said: the newest may be one that was rolled back.
  const inLog = new Set(draft.state.durable.generations.map(({ record }) => record.chain));
  const kept = shards.length > 0 ? [generation, ...others.filter(({ chain }) => inLog.has(chain))] : others;
  draft.patchPeer(peer.info.peer, { inventory: { ...peer.inventory, stored: kept } });
}

export function onDigest(draft: Draft, peer: PeerState, message: Extract<ClientMessage, { kind: "digest" }>): void {
  const { checkpoint, phase, durable, lastDigests } = draft.state;
  if (phase.kind === "finishing" && message.chain === durable.record?.chain) {
    draft.patch({ lastDigests: new Map(lastDigests).set(peer.info.peer, message.digest) });
  }
  if (!checkpoint || message.chain !== checkpoint.record.chain) return;
  const digests = new Map(checkpoint.digests).set(peer.info.peer, message.digest);
  draft.patch({ checkpoint: { ...checkpoint, digests } });
}

/** Closes the open checkpoint once all who live have reported. True when it closed. */
export function advanceCheckpoint(draft: Draft): boolean {
  const { checkpoint, peers } = draft.state;
  if (!checkpoint) return false;
  const isLiving = (peer: PeerId): boolean => peers.get(peer)?.status === "joined";
  const hasStored = [...checkpoint.asked.keys()].every((peer) => checkpoint.stored.has(peer) || !isLiving(peer));
  const hasDigests = checkpoint.members.every((peer) => checkpoint.digests.has(peer) || !isLiving(peer));
  const isLate = draft.nowMs - checkpoint.startedAtMs > WRITE_MS_MAX;
  if (!(hasStored && hasDigests) && !isLate) return false;
  closeCheckpoint(draft, checkpoint);
  return true;
}

/** Logs the generation if every shard can be had from disks, and tells everybody how it went. */
export function closeCheckpoint(draft: Draft, checkpoint: OpenCheckpoint): void {
  const { record, loss, lossChance, scheme, stored } = checkpoint;
  const holders = holdersOf(checkpoint);
  const copies = 1 + survivableLosses(checkpoint, holders);
  const { generationCount } = draft.state.durable;
  const generation = copies > 0 ? generationCount + 1 : generationCount;
  draft.patch({ checkpoint: null });
  if (copies > 0) {
    const stripes = storedStripes(checkpoint, holders);
    const { layout } = draft.state;
    const optional = { ...(stripes.length > 0 ? { stripes } : {}), ...(layout ? { layout } : {}) };
    draft.append({ kind: "checkpoint", generation, record, loss, holders, ...optional });
  }
  const errors: Record<PeerId, string> = {};
  for (const [peer, part] of stored) if (part.error !== null) errors[peer] = part.error;
  draft.report({
    type: "checkpoint",
    step: record.step,
    generation,
    ms: Math.round(Math.max(0, ...[...stored.values()].map((part) => part.ms))),
    copies,
    lossChance,
    scheme: [scheme.dataChunks, scheme.chunks],
    digests: Object.fromEntries(checkpoint.digests),
    ...(Object.keys(errors).length > 0 ? { errors } : {}),
  });
  expelDeviants(draft, checkpoint.digests);
}

/** For each unit the devices that said to have it; of parity only those who said what it is. */
function holdersOf({ stored, stripes }: OpenCheckpoint): string[][] {
  const units = SHARDS + stripes.reduce((sum, { parity }) => sum + parity.length, 0);
  const holders: string[][] = Array.from({ length: units }, () => []);
  for (const { units: written, parity, device } of stored.values()) {
    const named = new Set(parity.map(([unit]) => unit));
    for (const unit of written) {
      const list = holders[unit];
      if (list && !list.includes(device) && (unit < SHARDS || named.has(unit))) list.push(device);
    }
  }
  return holders;
}

/** Devices that may be lost at once, whichever they are, without losing a shard; -1 when a shard is not there. */
function survivableLosses({ stripes }: OpenCheckpoint, holders: readonly string[][]): number {
  const isStored = (unit: number): boolean => (holders[unit] ?? []).length > 0;
  const striped = new Set(stripes.flatMap(({ shards }) => shards));
  const spare = stripes.map(({ shards, parity }) => [...shards, ...parity].filter(isStored).length - shards.length);
  const copies = holders.slice(0, SHARDS).flatMap((list, shard) => (striped.has(shard) ? [] : [list.length - 1]));
  return Math.max(-1, Math.min(...spare, ...copies));
}

function storedStripes({ stripes, stored }: OpenCheckpoint, holders: readonly string[][]): StoredStripe[] {
  const named = new Map(
    [...stored.values()].flatMap(({ parity }) => parity.map((entry) => [entry[0], entry] as const)),
  );
  return stripes.map(({ shards, parity }) => ({
    shards,
    parity: parity.flatMap((unit, row) => {
      const [, parameter, optimizer] = named.get(unit) ?? [];
      const isStored = (holders[unit] ?? []).length > 0 && parameter !== undefined && optimizer !== undefined;
      return isStored ? [{ unit, row, parameter, optimizer }] : [];
    }),
  }));
}

/** A device whose parameters differ from what most devices read back computes wrongly: it must not train on. */
function expelDeviants(draft: Draft, digests: ReadonlyMap<PeerId, Hash>): void {
  const counts = new Map<Hash, number>();
  for (const digest of digests.values()) counts.set(digest, (counts.get(digest) ?? 0) + 1);
  if (counts.size < 2) return;
  const [most, count] = [...counts].sort((a, b) => b[1] - a[1])[0] ?? ["", 0];
  draft.report({ type: "abort", step: stepOf(draft.state), reason: "devices read back different parameters" });
  if (count * 2 <= digests.size) return;
  for (const [peer, digest] of digests) {
    const device = digest === most ? undefined : draft.state.peers.get(peer)?.info.device;
    if (device === undefined) continue;
    quarantine(draft, device, "This device's parameters differ from the others': its GPU or driver computes wrongly.");
  }
}

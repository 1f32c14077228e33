/** Checkpoints: who writes which shards, when a generation is whole, and whether all devices hold the same parameters. */
import type { CheckpointOrder, ClientMessage, CommitRecord } from "../../network/wire/messages.ts";
import type { Hash } from "../../base/hash.ts";
import type { PeerId } from "../../network/transport/transport.ts";
import type { Draft } from "./draft.ts";
import { expel, stepOf } from "./membership.ts";
import { placeCheckpoint } from "./placement.ts";
import type { Epoch, OpenCheckpoint, PeerState } from "./state.ts";

/** A writer that has not reported by then is not waited for. */
const WRITE_MS_MAX = 30_000;

/** What a checkpoint step asks of members; null at other steps. */
export function openCheckpoint(draft: Draft, epoch: Epoch, record: CommitRecord, loss: number): CheckpointOrder | null {
  const spec = draft.state.durable.spec;
  if (!spec || (record.step % spec.checkpointEvery !== 0 && record.step !== spec.steps)) return null;
  if (draft.state.checkpoint) closeCheckpoint(draft, draft.state.checkpoint);
  const writers = placeCheckpoint({ ...epoch.map, devices: epoch.members.map((member) => member.device) });
  const asked = new Map<PeerId, number[]>();
  writers.forEach((ranks, shard) => {
    for (const rank of ranks) {
      const peer = epoch.members[rank]?.peer ?? "";
      asked.set(peer, [...(asked.get(peer) ?? []), shard]);
    }
  });
  const members = epoch.members.map((member) => member.peer);
  draft.patch({
    checkpoint: { record, loss, startedAtMs: draft.nowMs, asked, stored: new Map(), digests: new Map(), members },
  });
  const keep = draft.state.durable.generations.map(({ record: { step, chain } }) => ({ step, chain }));
  return { writers, optimizer: record.optimizer, keep };
}

export function onStored(draft: Draft, peer: PeerState, message: Extract<ClientMessage, { kind: "stored" }>): void {
  const { checkpoint } = draft.state;
  if (!checkpoint || message.chain !== checkpoint.record.chain) return;
  const { shards, error, ms } = message;
  const stored = new Map(checkpoint.stored).set(peer.info.peer, { shards, error, ms, device: peer.info.device });
  draft.patch({ checkpoint: { ...checkpoint, stored } });
  const generation = { step: message.step, chain: message.chain, shards };
  const others = peer.inventory.stored.filter((found) => found.chain !== message.chain);
  const kept = shards.length > 0 ? [generation, ...others].slice(0, 2) : others;
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

/** Logs the generation if every shard is on some device's disk, and tells everybody how it went. */
export function closeCheckpoint(draft: Draft, checkpoint: OpenCheckpoint): void {
  const { record, loss } = checkpoint;
  const holders = record.parameters.map((_, shard) => {
    const devices = [...checkpoint.stored.values()]
      .filter((part) => part.shards.includes(shard))
      .map((part) => part.device);
    return [...new Set(devices)];
  });
  const copies = Math.min(...holders.map((devices) => devices.length));
  const { generationCount } = draft.state.durable;
  const generation = copies > 0 ? generationCount + 1 : generationCount;
  draft.patch({ checkpoint: null });
  if (copies > 0) draft.append({ kind: "checkpoint", generation, record, loss, holders });
  const errors: Record<PeerId, string> = {};
  for (const [peer, part] of checkpoint.stored) if (part.error !== null) errors[peer] = part.error;
  draft.report({
    type: "checkpoint",
    step: record.step,
    generation,
    ms: Math.round(Math.max(0, ...[...checkpoint.stored.values()].map((part) => part.ms))),
    copies,
    digests: Object.fromEntries(checkpoint.digests),
    ...(Object.keys(errors).length > 0 ? { errors } : {}),
  });
  expelDeviants(draft, checkpoint.digests);
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
    if (digest !== most && draft.state.peers.has(peer)) {
      expel(draft, peer, "This device's parameters differ from the others': its GPU or driver computes wrongly.");
    }
  }
}

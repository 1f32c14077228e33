/**
 * Writing this rank's part of a checkpoint from an immutable version, while training goes on: optimizer shards of others
 * are fetched by content from their owners and replicas first, whatever epoch it is by then; then everything goes to disk.
 */
import type { Bytes } from "../../base/bytes.ts";
import { describeError } from "../../base/errors.ts";
import type { Hash } from "../../base/hash.ts";
import type { WaitOptions } from "../../base/wait.ts";
import type { BlobExchange } from "../../network/blob-exchange.ts";
import type { PeerId } from "../../network/transport/transport.ts";
import type { CheckpointOrder } from "../../network/wire/messages.ts";
import type { EpochMessage, VersionName } from "../recovery/member.ts";
import { parameterShard, type Version } from "../recovery/replica.ts";
import type { ChunkStore, ShardBytes } from "./chunk-store.ts";

export interface SaveInput {
  readonly room: string;
  readonly self: PeerId;
  readonly name: VersionName;
  readonly version: Version;
  readonly epoch: EpochMessage;
  readonly order: CheckpointOrder;
  readonly blobs: BlobExchange;
  readonly chunks: ChunkStore;
  readonly options: WaitOptions;
  readonly note: (text: string) => void;
}

/** The shards written, ascending. @throws QuotaError when the disk is full */
export async function saveCheckpoint(input: SaveInput): Promise<number[]> {
  const { room, self, name, version, epoch, order, chunks } = input;
  const rank = epoch.members.findIndex((member) => member.peer === self);
  const mine = order.writers.flatMap((ranks, shard) => (ranks.includes(rank) ? [shard] : []));
  const optimizer = await gatherOptimizer(input, mine);
  const shards = mine.flatMap((shard): ShardBytes[] => {
    const hash = order.optimizer[shard] ?? "";
    const state = optimizer.get(hash);
    if (!state) return [];
    const parameter = parameterShard(version.parameters, shard);
    return [
      { shard, parameter, parameterHash: version.parameterHashes[shard] ?? "", optimizer: state, optimizerHash: hash },
    ];
  });
  await chunks.writeGeneration({ run: room, step: name.step, chain: name.chain, shards, writer: self });
  return shards.map(({ shard }) => shard);
}

/** Own shards, and those of others as far as they can be had: what this rank holds itself is worth writing in any case. */
async function gatherOptimizer(input: SaveInput, mine: readonly number[]): Promise<Map<Hash, Bytes>> {
  const { version, order, epoch, blobs, options, note } = input;
  const found = new Map<Hash, Bytes>();
  for (const { bytes, hash } of version.optimizer.values()) found.set(hash, bytes);
  const { owner, replica } = epoch.map;
  const peerAt = (rank: number | undefined): PeerId[] =>
    epoch.members.slice(rank ?? 0, (rank ?? 0) + 1).map(({ peer }) => peer);
  const wanted = mine
    .filter((shard) => !found.has(order.optimizer[shard] ?? ""))
    .map((shard) => ({
      hash: order.optimizer[shard] ?? "",
      sources: [...new Set([...peerAt(owner[shard]), ...peerAt(replica[shard])])],
    }));
  if (wanted.length === 0) return found;
  try {
    const fetched = await blobs.fetchAll(wanted, { ...options, category: "checkpoint" });
    for (const [hash, bytes] of fetched) found.set(hash, bytes);
  } catch (error) {
    note(`${wanted.length} shards of others did not arrive for checkpoint ${input.name.step}: ${describeError(error)}`);
  }
  return found;
}

/**
 * Writing this rank's part of a checkpoint from an immutable version, while training goes on: optimizer shards of others
 * are fetched by content from their owners and replicas first, whatever epoch it is by then; parity is computed from
 * them; then everything goes to disk.
 */
import type { Bytes } from "../../base/bytes.ts";
import { describeError } from "../../base/errors.ts";
import type { Hash } from "../../base/hash.ts";
import type { WaitOptions } from "../../base/wait.ts";
import type { BlobExchange } from "../../network/blob-exchange.ts";
import type { PeerId } from "../../network/transport/transport.ts";
import type { CheckpointOrder } from "../../network/wire/state-record.ts";
import type { EpochMessage, VersionName } from "../recovery/member.ts";
import { parameterShard, type Version } from "../recovery/replica.ts";
import type { ShardBytes } from "./chunk-store.ts";
import type { Chunks } from "./chunks.ts";
import { parityOf } from "./parity.ts";

export interface SaveInput {
  readonly room: string;
  readonly self: PeerId;
  readonly name: VersionName;
  readonly version: Version;
  readonly epoch: EpochMessage;
  readonly order: CheckpointOrder;
  readonly blobs: BlobExchange;
  readonly chunks: Chunks;
  readonly options: WaitOptions;
  readonly note: (text: string) => void;
}

export type GatherOptimizerInput = Pick<
  SaveInput,
  "name" | "version" | "epoch" | "order" | "blobs" | "options" | "note"
>;

export interface Saved {
  /** Ascending. */
  readonly units: readonly number[];
  /** [unit, hash over parameters, hash over optimizer state]. */
  readonly parity: readonly (readonly [number, Hash, Hash])[];
}

/** The units written. @throws QuotaError when the disk is full */
export async function saveCheckpoint(input: SaveInput): Promise<Saved> {
  const { room, self, name, epoch, order, chunks } = input;
  const rank = epoch.members.findIndex((member) => member.peer === self);
  const mine = order.writers.flatMap((ranks, unit) => (ranks.includes(rank) ? [unit] : []));
  const stripes = order.stripes.filter(({ parity }) => parity.some((unit) => mine.includes(unit)));
  const data = mine.filter((unit) => unit < order.optimizer.length);
  const needed = new Set([...data, ...stripes.flatMap(({ shards }) => shards)]);
  const optimizer = await gatherOptimizer(input, [...needed]);
  const shards = data.flatMap((shard) => shardBytes(input, optimizer, shard));
  const parity: ShardBytes[] = [];
  for (const stripe of stripes) parity.push(...(await parityBytes(input, optimizer, stripe, mine)));
  const units = [...shards, ...parity];
  await chunks.writeGeneration({ run: room, step: name.step, chain: name.chain, shards: units, writer: self });
  return {
    units: units.map(({ shard }) => shard),
    parity: parity.map(({ shard, parameterHash, optimizerHash }) => [shard, parameterHash, optimizerHash]),
  };
}

/** Nothing where its optimizer state did not arrive. */
function shardBytes({ version, order }: SaveInput, found: ReadonlyMap<Hash, Bytes>, shard: number): ShardBytes[] {
  const optimizerHash = order.optimizer[shard] ?? "";
  const optimizer = found.get(optimizerHash);
  if (!optimizer) return [];
  const parameter = parameterShard(version.parameters, shard);
  return [{ shard, parameter, parameterHash: version.parameterHashes[shard] ?? "", optimizer, optimizerHash }];
}

/** The parity units of a stripe that are in `mine`; none where a shard of it did not arrive. */
async function parityBytes(
  input: SaveInput,
  found: ReadonlyMap<Hash, Bytes>,
  { shards, parity }: CheckpointOrder["stripes"][number],
  mine: readonly number[],
): Promise<ShardBytes[]> {
  const parts = shards.flatMap((shard) => shardBytes(input, found, shard));
  if (parts.length < shards.length) return [];
  const made: ShardBytes[] = [];
  for (const [row, unit] of parity.entries()) {
    if (!mine.includes(unit)) continue;
    const parameter = parityOf(
      parts.map((part) => part.parameter),
      row,
    );
    const optimizer = parityOf(
      parts.map((part) => part.optimizer),
      row,
    );
    const parameterHash = await input.chunks.hash(parameter);
    const optimizerHash = await input.chunks.hash(optimizer);
    made.push({ shard: unit, parameter, parameterHash, optimizer, optimizerHash });
  }
  return made;
}

/** Own shards, and those of others as far as they can be had: what this rank holds itself is worth writing in any case. */
export async function gatherOptimizer(
  input: GatherOptimizerInput,
  shards: readonly number[],
): Promise<Map<Hash, Bytes>> {
  const { version, order, epoch, blobs, options, note } = input;
  const found = new Map<Hash, Bytes>();
  for (const { bytes, hash } of version.optimizer.values()) found.set(hash, bytes);
  const { owner, replica } = epoch.map;
  const peerAt = (rank: number | undefined): PeerId[] =>
    epoch.members.slice(rank ?? 0, (rank ?? 0) + 1).map(({ peer }) => peer);
  const wanted = shards
    .filter((shard) => !found.has(order.optimizer[shard] ?? ""))
    .map((shard) => ({
      hash: order.optimizer[shard] ?? "",
      sources: [...new Set([...peerAt(owner[shard]), ...peerAt(replica[shard])])],
    }));
  if (wanted.length === 0) return found;
  const onBlob = (hash: Hash, bytes: Bytes): void => void found.set(hash, bytes);
  try {
    await blobs.fetchAll(wanted, { ...options, category: "checkpoint", onBlob });
  } catch (error) {
    const missing = wanted.filter(({ hash }) => !found.has(hash)).length;
    note(`${missing} shards of others did not arrive for checkpoint ${input.name.step}: ${describeError(error)}`);
  }
  return found;
}

/**
 * Getting ready for an epoch: links to every member, and the bytes of its record, found by content wherever they are:
 * in this member's own versions (that is how a pending result is applied or given up), on its disk, at other members.
 */
import type { Bytes } from "../../base/bytes.ts";
import { HearthError } from "../../base/errors.ts";
import type { Hash } from "../../base/hash.ts";
import type { WaitOptions } from "../../base/wait.ts";
import type { BlobExchange } from "../../network/blob-exchange.ts";
import type { Mux } from "../../network/mux.ts";
import type { PeerId } from "../../network/transport/transport.ts";
import type { EpochMessage } from "./member.ts";
import { joinParameters, makeVersion, type OptimizerShard, type Version } from "./replica.ts";

/** Why an epoch cannot be formed here; goes to the coordinator, which decides what follows. */
export class SyncError extends HearthError {
  readonly code = "sync";
  readonly unreachable: readonly PeerId[];
  readonly missing: readonly Hash[];
  constructor(message: string, unreachable: readonly PeerId[], missing: readonly Hash[], options?: ErrorOptions) {
    super(message, options);
    this.unreachable = unreachable;
    this.missing = missing;
  }
}

export interface SyncInput {
  readonly epoch: EpochMessage;
  readonly rank: number;
  readonly mux: Mux;
  readonly blobs: BlobExchange;
  /** Own bytes by content: versions in memory. */
  readonly find: (hash: Hash) => Bytes | undefined;
  /** Own bytes by content: verified chunks on disk. */
  readonly readChunk: (hash: Hash) => Promise<Bytes | undefined>;
  readonly signal: AbortSignal;
}

/** Links take at most so much of the epoch's time, so that there is some left to say who cannot be reached. */
const LINK_SHARE = 0.5;

/** The record's version with the shards that the map gives this rank; null for a listener. @throws SyncError */
export async function syncToEpoch(input: SyncInput): Promise<Version | null> {
  const { epoch, rank } = input;
  const options: WaitOptions = { deadlineMs: epoch.deadlineMs * LINK_SHARE, signal: input.signal };
  await linkUp(input, options);
  if (epoch.members[rank]?.role !== "full") return null;
  const { record, map } = epoch;
  const shards = record.optimizer
    .map((_, shard) => shard)
    .filter((s) => map.owner[s] === rank || map.replica[s] === rank);
  const wanted = new Map<Hash, readonly PeerId[]>();
  record.parameters.forEach((hash, shard) => wanted.set(hash, epoch.parameterSources[shard] ?? []));
  for (const shard of shards) wanted.set(record.optimizer[shard] ?? "", epoch.optimizerSources[shard] ?? []);
  const found = await gather(input, wanted, options);
  const bytesOfHash = (hash: Hash | undefined): Bytes => found.get(hash ?? "") ?? new Uint8Array(0);
  const optimizer = new Map<number, OptimizerShard>();
  for (const shard of shards) {
    const hash = record.optimizer[shard] ?? "";
    optimizer.set(shard, { bytes: bytesOfHash(hash), hash });
  }
  return makeVersion(record.step, joinParameters(record.parameters.map(bytesOfHash)), optimizer);
}

async function linkUp({ epoch, rank, mux }: SyncInput, options: WaitOptions): Promise<void> {
  const others = epoch.members.filter((_, other) => other !== rank).map((member) => member.peer);
  const results = await Promise.allSettled(others.map((peer) => mux.connect(peer, options)));
  options.signal?.throwIfAborted();
  const unreachable = others.filter((_, index) => results[index]?.status === "rejected");
  if (unreachable.length === 0) return;
  const reason = results.find((result) => result.status === "rejected")?.reason as unknown;
  throw new SyncError(`cannot reach ${unreachable.join(", ")}`, unreachable, [], { cause: reason });
}

async function gather(
  input: SyncInput,
  wanted: ReadonlyMap<Hash, readonly PeerId[]>,
  options: WaitOptions,
): Promise<Map<Hash, Bytes>> {
  const self = input.mux.self;
  const found = new Map<Hash, Bytes>();
  const remote: { hash: Hash; sources: readonly PeerId[] }[] = [];
  for (const [hash, sources] of wanted) {
    // The disk is asked only for what the coordinator was told is there.
    const local = input.find(hash) ?? (sources.includes(self) ? await input.readChunk(hash) : undefined);
    if (local) found.set(hash, local);
    else remote.push({ hash, sources: sources.filter((peer) => peer !== self) });
  }
  const nowhere = remote.filter((item) => item.sources.length === 0).map((item) => item.hash);
  if (nowhere.length > 0) throw new SyncError(`${nowhere.length} shards are nowhere to be had`, [], nowhere);
  if (remote.length > 0) {
    const fetched = await input.blobs.fetchAll(remote, { ...options, category: "join" });
    for (const [hash, bytes] of fetched) found.set(hash, bytes);
  }
  return found;
}

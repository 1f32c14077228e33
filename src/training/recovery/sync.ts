/**
 * Getting ready for an epoch: links to every member, and the bytes of its record, found by content wherever they are:
 * in this member's own versions (that is how a pending result is applied or given up), on its disk, at other members.
 */
import type { Bytes } from "../../base/bytes.ts";
import type { Clock } from "../../base/clock.ts";
import { HearthError, MissingDataError } from "../../base/errors.ts";
import type { Hash } from "../../base/hash.ts";
import type { WaitOptions } from "../../base/wait.ts";
import type { BlobExchange } from "../../network/blob-exchange.ts";
import type { Mux } from "../../network/mux.ts";
import type { PeerId } from "../../network/transport/transport.ts";
import type { Recovery } from "../../network/wire/run-line.ts";
import { gather, stripesOf, type Gathered } from "./gather.ts";
import type { EpochMessage } from "./member.ts";
import { joinParameters, makeVersion, parameterShard, type OptimizerShard, type Version } from "./replica.ts";

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
  /** Told of what arrived, so that the next attempt need not fetch it again. */
  readonly keep: (hash: Hash, bytes: Bytes) => void;
  /** For the lengths of its shards. */
  readonly genesis: Version;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Links take at most so much of the epoch's time, so that there is some left to say who cannot be reached. */
const LINK_SHARE = 0.5;

export interface Synced {
  /** Null for a listener. */
  readonly version: Version | null;
  /** Where its bytes came from, in the order in which sources were tried. */
  readonly recovered: readonly Recovery[];
}

/** The record's version with the shards that the map gives this rank. @throws SyncError */
export async function syncToEpoch(input: SyncInput): Promise<Synced> {
  const { epoch, rank } = input;
  const options: WaitOptions = { deadlineMs: epoch.deadlineMs * LINK_SHARE, signal: input.signal };
  await linkUp(input, options);
  if (epoch.members[rank]?.role !== "full") return { version: null, recovered: [] };
  const { record, map } = epoch;
  const shards = record.optimizer
    .map((_, shard) => shard)
    .filter((s) => map.owner[s] === rank || map.replica[s] === rank);
  const wanted = new Map<Hash, readonly PeerId[]>();
  record.parameters.forEach((hash, shard) => wanted.set(hash, epoch.parameterSources[shard] ?? []));
  for (const shard of shards) wanted.set(record.optimizer[shard] ?? "", epoch.optimizerSources[shard] ?? []);
  const { found, recovered } = await gatheredOverLinks(input, wanted, options);
  const bytesOfHash = (hash: Hash | undefined): Bytes => found.get(hash ?? "") ?? new Uint8Array(0);
  const optimizer = new Map<number, OptimizerShard>();
  for (const shard of shards) {
    const hash = record.optimizer[shard] ?? "";
    optimizer.set(shard, { bytes: bytesOfHash(hash), hash });
  }
  const parameters = joinParameters(record.parameters.map(bytesOfHash));
  return { version: makeVersion(record.step, parameters, optimizer), recovered };
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

/** Once more where a link broke meanwhile, after it is made anew; what came before is kept. */
async function gatheredOverLinks(...input: Parameters<typeof gathered>): Promise<Gathered> {
  const [sync, , options] = input;
  let hasLost = false;
  const stop = sync.mux.onLost(() => (hasLost = true));
  try {
    return await gathered(...input);
  } catch (error) {
    if (!hasLost) throw error;
    await linkUp(sync, options);
    return await gathered(...input);
  } finally {
    stop();
  }
}

async function gathered(
  input: SyncInput,
  wanted: ReadonlyMap<Hash, readonly PeerId[]>,
  options: WaitOptions,
): Promise<Gathered> {
  const { epoch, genesis, mux } = input;
  const { record } = epoch;
  const stripes = stripesOf(epoch.stripes, {
    parameter: (shard) => ({
      hash: record.parameters[shard] ?? "",
      sources: epoch.parameterSources[shard] ?? [],
      bytes: parameterShard(genesis.parameters, shard).byteLength,
    }),
    optimizer: (shard) => ({
      hash: record.optimizer[shard] ?? "",
      sources: epoch.optimizerSources[shard] ?? [],
      bytes: genesis.optimizer.get(shard)?.bytes.byteLength ?? 0,
    }),
  });
  const { blobs, find, readChunk, keep, clock } = input;
  try {
    return await gather({ self: mux.self, wanted, stripes, blobs, find, readChunk, keep, clock, options });
  } catch (error) {
    if (!(error instanceof MissingDataError)) throw error;
    throw new SyncError(error.message, [], error.hashes, { cause: error });
  }
}

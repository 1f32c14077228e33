/**
 * Writing this rank's part of a checkpoint from an immutable version, while training goes on: the third writer's
 * optimizer shards come from their owners first, then everything goes to disk.
 */
import type { Bytes } from "../../base/bytes.ts";
import type { Hash } from "../../base/hash.ts";
import { describeError } from "../../base/errors.ts";
import { hashBytes } from "../../base/hash.ts";
import type { WaitOptions } from "../../base/wait.ts";
import type { Group } from "../../network/collectives/group.ts";
import type { EpochMessage, VersionName } from "../recovery/member.ts";
import { parameterShard, type OptimizerShard, type Version } from "../recovery/replica.ts";
import { exchangeShards, type StepEngine } from "../parallel/data/data-parallel-step.ts";
import type { ChunkStore } from "./chunk-store.ts";

export interface SaveInput {
  readonly room: string;
  readonly name: VersionName;
  readonly version: Version;
  readonly epoch: EpochMessage;
  /** For each shard the ranks that write it. */
  readonly writers: readonly (readonly number[])[];
  readonly group: Group;
  readonly engine: Pick<StepEngine, "parameterCount" | "stateFloats">;
  readonly chunks: ChunkStore;
  readonly options: WaitOptions;
  readonly note: (text: string) => void;
}

/** Checkpoints share their epoch's group with its steps; their operation ids lie far above the steps'. */
const OPERATION_BASE = 0x8000_0000;

/** The shards written, ascending. @throws QuotaError when the disk is full; PeerLostError when a shard's owner is gone */
export async function saveCheckpoint(input: SaveInput): Promise<number[]> {
  const { name, version, writers, group, chunks } = input;
  const optimizer = new Map<number, OptimizerShard>(version.optimizer);
  // Where the epoch ends meanwhile, what this rank holds itself is still worth writing.
  await receiveOthers(input, optimizer).catch((error: unknown) =>
    input.note(`a checkpoint's copies did not arrive: ${describeError(error)}`),
  );
  const mine = writers.flatMap((ranks, shard) => (ranks.includes(group.rank) ? [shard] : []));
  const parts = mine.flatMap((shard) => {
    const state = optimizer.get(shard);
    return state ? [part(version, shard, state)] : [];
  });
  await chunks.writeGeneration({
    run: input.room,
    step: name.step,
    chain: name.chain,
    shards: parts,
    writer: input.epoch.members[group.rank]?.peer ?? "",
  });
  return parts.map(({ shard }) => shard);
}

/** Owners hand their shards to writers that are neither owner nor replica. */
async function receiveOthers(input: SaveInput, optimizer: Map<number, OptimizerShard>): Promise<void> {
  const { group, writers, epoch, name, options } = input;
  const { owner, replica } = epoch.map;
  const isThird = (shard: number, rank: number): boolean => rank !== owner[shard] && rank !== replica[shard];
  const own = new Map([...input.version.optimizer].filter(([shard]) => owner[shard] === group.rank));
  await exchangeShards(group, {
    engine: input.engine,
    own,
    sends: (shard) => (writers[shard] ?? []).filter((rank) => isThird(shard, rank)),
    from: (shard) =>
      writers[shard]?.includes(group.rank) && isThird(shard, group.rank) ? (owner[shard] ?? null) : null,
    receive: (shard, bytes) => optimizer.set(shard, { bytes, hash: hashBytes(bytes) }),
    options: { ...options, operation: OPERATION_BASE + name.step, category: "checkpoint" },
  });
}

function part(
  version: Version,
  shard: number,
  state: OptimizerShard,
): { shard: number; parameter: Bytes; parameterHash: Hash; optimizer: Bytes; optimizerHash: Hash } {
  return {
    shard,
    parameter: parameterShard(version.parameters, shard),
    parameterHash: version.parameterHashes[shard] ?? "",
    optimizer: state.bytes,
    optimizerHash: state.hash,
  };
}

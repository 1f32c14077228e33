/** Writing one member's part of a checkpoint to a simulated disk, and collecting what the log no longer names. */
import type { Hash } from "../../src/base/hash.ts";
import type { CheckpointOrder, StoredGeneration } from "../../src/network/wire/messages.ts";
import type { SimDisk, WriteFault } from "./sim-disk.ts";
import { labelOf, optimizerName, parameterName, type SimVersion } from "./versions.ts";
import type { World } from "./world.ts";

/** Third copies of optimizer shards are taken to have come from their owners. */
export function storeShards(
  disk: SimDisk,
  version: SimVersion,
  generation: StoredGeneration,
  order: CheckpointOrder,
  world: World,
): WriteFault {
  const hashes = generation.shards.flatMap((shard): Hash[] => {
    const parameter = version.parameters[shard] ?? "";
    return [parameter, version.optimizer.get(shard) ?? optimizerName(shard, labelOf(parameter))];
  });
  const fault = disk.write(generation, hashes, world);
  if (fault === null) {
    const kept = new Set([generation.chain, ...order.keep.map(({ chain }) => chain)]);
    disk.collect(({ chain }) => kept.has(chain), hashesOf);
  }
  return fault;
}

/** What a marker names: a committed step has one content. */
function hashesOf({ step, shards }: StoredGeneration): Hash[] {
  return shards.flatMap((shard) => [parameterName(shard, `d${step}`), optimizerName(shard, `d${step}`)]);
}

/** Writing one member's part of a checkpoint to a simulated disk, and collecting what the log no longer names. */
import type { Hash } from "../../src/base/hash.ts";
import { SHARDS, type CheckpointOrder, type StoredGeneration } from "../../src/network/wire/state-record.ts";
import type { SimDisk, WriteFault } from "./sim-disk.ts";
import { labelOf, optimizerName, parameterName, parityNames, type SimVersion } from "./versions.ts";
import type { World } from "./world.ts";

export interface StoredUnits {
  readonly fault: WriteFault;
  readonly parity: readonly (readonly [number, Hash, Hash])[];
}

/** Optimizer shards of others are taken to have come from their owners. */
export function storeShards(
  disk: SimDisk,
  version: SimVersion,
  generation: StoredGeneration,
  order: CheckpointOrder,
  world: World,
): StoredUnits {
  const parity = parityOf(version, generation.shards, order);
  const hashes = generation.shards.flatMap((unit): Hash[] => {
    if (unit >= SHARDS) return [];
    const parameter = version.parameters[unit] ?? "";
    return [parameter, version.optimizer.get(unit) ?? optimizerName(unit, labelOf(parameter))];
  });
  const fault = disk.write(generation, [...hashes, ...parity.flatMap(([, p, o]) => [p, o])], world);
  if (fault === null) {
    const kept = new Set([generation.chain, ...order.keep.map(({ chain }) => chain)]);
    disk.collect(({ chain }) => kept.has(chain));
  }
  return { fault, parity };
}

function parityOf(version: SimVersion, units: readonly number[], { stripes }: CheckpointOrder): [number, Hash, Hash][] {
  return stripes.flatMap((stripe) =>
    stripe.parity.flatMap((unit, row): [number, Hash, Hash][] => {
      if (!units.includes(unit)) return [];
      const labels = new Set(
        stripe.shards.map((shard) => labelOf(version.parameters[shard] ?? parameterName(shard, ""))),
      );
      const [label] = labels;
      return [[unit, ...parityNames(stripe, row, labels.size === 1 && label !== undefined ? label : "mixed")]];
    }),
  );
}

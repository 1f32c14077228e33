/** A run's state as one safetensors file: parameters and optimizer state by name, for other programs. */
import type { Bytes } from "../../base/bytes.ts";
import { floatsOf } from "../../base/bytes.ts";
import { CorruptDataError, MissingDataError, OptionError } from "../../base/errors.ts";
import type { HostValues } from "../../compute/tensor/host-values.ts";
import { writeSafetensors } from "../../model/safetensors/write-safetensors.ts";
import type { RunSpec } from "../../network/wire/run-spec.ts";
import type { StateLayout } from "../../network/wire/state-record.ts";
import { shardRange } from "../parallel/shards.ts";
import { checkStateLayout } from "../coordinator/check-state-layout.ts";
import { gatherOptimizer, type GatherOptimizerInput } from "./save.ts";

export interface ExportInput extends GatherOptimizerInput {
  readonly spec: Pick<RunSpec, "run" | "seed">;
  readonly layout: StateLayout;
}

/**
 * The file's bytes: each parameter float32 under its name, its state vectors under "optimizer.<vector>.<name>". The
 * metadata's "hearth" is JSON, readable by `importState`, with the run, seed, step and chain besides. Optimizer
 * shards that are not here are fetched from their owners by the hashes of the checkpoint's order.
 * @throws MissingDataError when some did not arrive; CorruptDataError when the layout is not that of the bytes
 */
export async function exportState(input: ExportInput): Promise<Bytes> {
  const { layout, version } = input;
  const count = checkStateLayout(layout);
  if (count !== version.parameters.length) {
    throw new CorruptDataError(`export: expected a layout of ${version.parameters.length} parameters, found ${count}`);
  }
  const { vectors } = layout.optimizer;
  const states = joinVectors(await optimizerShards(input), count, vectors.length);
  const tensors = new Map<string, HostValues>();
  const add = (name: string, shape: readonly number[], offset: number, flat: Float32Array): void => {
    if (tensors.has(name)) throw new OptionError(`export: expected one tensor "${name}", found two`);
    const size = shape.reduce((product, length) => product * length, 1);
    tensors.set(name, { shape, data: flat.slice(offset, offset + size) });
  };
  for (const { name, shape, offset } of layout.tensors) add(name, shape, offset, version.parameters);
  for (const [index, vector] of vectors.entries()) {
    const flat = states[index] ?? new Float32Array(0);
    for (const { name, shape, offset } of layout.tensors) add(`optimizer.${vector}.${name}`, shape, offset, flat);
  }
  const hearth = JSON.stringify(positionOf(input, [...tensors.keys()]));
  return writeSafetensors(Object.fromEntries(tensors), { metadata: { format: "pt", hearth } });
}

/** Sampler and random state are functions of seed and step. */
function positionOf({ name, spec, layout }: ExportInput, order: readonly string[]): object {
  const { step, chain } = name;
  const { run, seed } = spec;
  const optimizer = { name: layout.optimizer.name, options: layout.optimizer.options };
  const sampler = { seed, position: step };
  return { run, seed, step, chain, sampler, random: [], optimizer, lossScale: layout.lossScale, order };
}

/** All of them, in shard order. */
async function optimizerShards(input: ExportInput): Promise<Bytes[]> {
  const { name, order } = input;
  const found = await gatherOptimizer(
    input,
    order.optimizer.map((_, shard) => shard),
  );
  const missing = order.optimizer.filter((hash) => !found.has(hash));
  if (missing.length > 0) {
    throw new MissingDataError(
      missing,
      `export of step ${name.step}: expected ${order.optimizer.length} optimizer shards from their owners, found ${missing.length} nowhere to be had`,
    );
  }
  return order.optimizer.flatMap((hash) => found.get(hash) ?? []);
}

/** Each state vector whole, `count` floats long, from shards that have their parts of all vectors one after another. */
function joinVectors(shards: readonly Bytes[], count: number, vectors: number): Float32Array[] {
  const whole = Array.from({ length: vectors }, () => new Float32Array(count));
  for (const [shard, bytes] of shards.entries()) {
    const [from, to] = shardRange(count, shard);
    const length = to - from;
    if (bytes.byteLength !== length * vectors * 4) {
      throw new CorruptDataError(
        `export: optimizer shard ${shard}: expected ${length * vectors * 4} bytes by the layout, found ${bytes.byteLength}`,
      );
    }
    const floats = floatsOf(bytes);
    for (const [index, vector] of whole.entries()) {
      vector.set(floats.subarray(index * length, (index + 1) * length), from);
    }
  }
  return whole;
}

/** Striped checkpoints of made-up states, on made-up devices. */
import type { Bytes } from "../../../../src/base/bytes.ts";
import { hashBytes, type Hash } from "../../../../src/base/hash.ts";
import type { Scheme } from "../../../../src/training/checkpoint/striped/durability.ts";
import type { Manifest } from "../../../../src/training/checkpoint/striped/manifest.ts";
import type { FetchChunk } from "../../../../src/training/checkpoint/striped/restore.ts";
import { makeStripes, type Striped } from "../../../../src/training/checkpoint/striped/stripes.ts";
import { filled } from "../generations.ts";

export const RUN = "a room";

/** Parameters and two moments of so many float32 values. */
export function stateOf(floats: number, ...labels: (number | string)[]): Bytes {
  return filled(3 * 4 * floats, ...labels);
}

export function devicesOf(count: number): string[] {
  return Array.from({ length: count }, (_, at) => `device-${at}`);
}

export function checkpointOf(
  state: Bytes,
  scheme: Scheme,
  devices: readonly string[],
  generation = 1,
): Striped & { readonly manifest: Manifest } {
  const striped = makeStripes(state, scheme, devices);
  const third = state.byteLength / 3;
  const tensors = ["weight", "weight.m", "weight.v"].map((name, at) => {
    return { name, dtype: "float32", shape: [third / 4], offset: at * third, bytes: third };
  });
  const manifest: Manifest = {
    version: 1,
    run: RUN,
    generation,
    step: 5 * generation,
    chain: hashBytes(new Uint8Array([generation])),
    tensors,
    stripes: [...striped.stripes],
    digest: striped.digest,
    sampler: { seed: 7, position: 40 * generation },
    random: [7, generation],
    optimizer: { name: "AdamW", options: { lr: 1e-3 } },
    lossScale: null,
  };
  return { ...striped, manifest };
}

/** Devices that hold what the manifest says, but for those that are gone. */
export function holdersOf({ manifest, chunks }: { manifest: Manifest; chunks: ReadonlyMap<Hash, Bytes> }): {
  readonly disks: Map<string, Map<Hash, Bytes>>;
  readonly fetch: FetchChunk;
} {
  const disks = new Map<string, Map<Hash, Bytes>>();
  for (const { hash, holders } of manifest.stripes.flatMap((stripe) => stripe.chunks)) {
    for (const device of holders) {
      const disk = disks.get(device) ?? new Map<Hash, Bytes>();
      disks.set(device, disk.set(hash, (chunks.get(hash) as Bytes).slice()));
    }
  }
  return { disks, fetch: async (device, hash) => disks.get(device)?.get(hash) };
}

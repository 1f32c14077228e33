/**
 * The bytes of a member's versions: the committed one, the pending one, and the state of step 0, found by content.
 *
 * Versions are immutable: a step makes a new one, so a checkpoint can be written from a version while training goes on.
 */
import { bytesOf, concatBytes, floatsOf, type Bytes } from "../../base/bytes.ts";
import { hashBytes, hashList, type Hash } from "../../base/hash.ts";
import { SHARDS, type Inventory, type StoredGeneration } from "../../network/wire/state-record.ts";
import { shardRange } from "../parallel/shards.ts";

/** Optimizer state of one shard: its float32 state vectors one after another, each as long as the shard. */
export interface OptimizerShard {
  readonly bytes: Bytes;
  readonly hash: Hash;
}

/** A whole set of parameters, and the optimizer shards that this member keeps for them. */
export interface Version {
  readonly step: number;
  /** All parameters, flat, in the order of `namedParameters`. */
  readonly parameters: Float32Array<ArrayBuffer>;
  readonly parameterHashes: readonly Hash[];
  readonly parameterRoot: Hash;
  readonly optimizer: ReadonlyMap<number, OptimizerShard>;
}

/** Hashes every parameter shard. Costs one SHA-256 over all bytes. */
export function makeVersion(
  step: number,
  parameters: Float32Array<ArrayBuffer>,
  optimizer: ReadonlyMap<number, OptimizerShard>,
): Version {
  const parameterHashes = Array.from({ length: SHARDS }, (_, shard) => hashBytes(parameterShard(parameters, shard)));
  return { step, parameters, parameterHashes, parameterRoot: hashList("parameters", parameterHashes), optimizer };
}

/** The bytes of one parameter shard, shared with `parameters`. */
export function parameterShard(parameters: Float32Array<ArrayBuffer>, shard: number): Bytes {
  const [from, to] = shardRange(parameters.length, shard);
  return bytesOf(parameters.subarray(from, to));
}

/** The state before the first step: all optimizer state is zero, `stateFloats` a parameter. */
export function genesisVersion(parameters: Float32Array<ArrayBuffer>, stateFloats: number): Version {
  const zeros = new Map<number, OptimizerShard>();
  const optimizer = new Map<number, OptimizerShard>();
  for (let shard = 0; shard < SHARDS; shard++) {
    const [from, to] = shardRange(parameters.length, shard);
    let state = zeros.get(to - from);
    if (!state) {
      const bytes = new Uint8Array((to - from) * stateFloats * 4);
      state = { bytes, hash: hashBytes(bytes) };
      zeros.set(to - from, state);
    }
    optimizer.set(shard, state);
  }
  return makeVersion(0, parameters, optimizer);
}

/** A state whole: parameters, and the optimizer's vectors one after another, each as long as they. */
export function versionOf(
  step: number,
  parameters: Float32Array<ArrayBuffer>,
  vectors: readonly Float32Array<ArrayBuffer>[],
): Version {
  const optimizer = new Map<number, OptimizerShard>();
  for (let shard = 0; shard < SHARDS; shard++) {
    const [from, to] = shardRange(parameters.length, shard);
    const bytes = concatBytes(vectors.map((vector) => bytesOf(vector.subarray(from, to))));
    optimizer.set(shard, { bytes, hash: hashBytes(bytes) });
  }
  return makeVersion(step, parameters, optimizer);
}

/** Parameters put together from their shards' bytes, in shard order. */
export function joinParameters(shards: readonly Bytes[]): Float32Array<ArrayBuffer> {
  const total = shards.reduce((sum, bytes) => sum + bytes.byteLength, 0);
  const out = new Float32Array(total / 4);
  let at = 0;
  for (const bytes of shards) {
    out.set(floatsOf(bytes), at);
    at += bytes.byteLength / 4;
  }
  return out;
}

/** Old shards kept at most, the newest: several epochs in a row may come to nothing before a step begins. */
const RETIRED_MAX = 4 * SHARDS;

export class Replica {
  readonly genesis: Version;
  #committed: Version | null = null;
  #pending: Version | null = null;
  /**
   * Optimizer shards that this member had before its last syncs and no longer keeps: others may still be fetching them
   * from here, and if the epoch comes to nothing they may be the only copies. Dropped when a step begins, since then
   * everybody is ready.
   */
  readonly #retired = new Map<string, { readonly shard: number; readonly hash: Hash; readonly bytes: Bytes }>();
  /** Fetched for a sync that has not succeeded yet: the next attempt goes on from there. Dropped like the retired ones. */
  readonly #arrived = new Map<Hash, Bytes>();
  /** The version being written to disk: other writers fetch its shards from here. */
  #pinned: Version | null = null;
  /** By hash, made when first asked for and dropped when a version changes. */
  #index: Map<Hash, Bytes> | null = null;

  constructor(genesis: Version) {
    this.genesis = genesis;
  }

  get committed(): Version | null {
    return this.#committed;
  }

  /** Keeps what a step made until its verdict; the committed version stays. */
  setPending(version: Version): void {
    this.#pending = version;
    this.#index = null;
  }

  /** Every member of the epoch has what it needs. */
  settle(): void {
    this.#retired.clear();
    this.#arrived.clear();
    this.#index = null;
  }

  /** The pending version's verdict was COMMIT. */
  promote(): Version | null {
    this.#committed = this.#pending;
    this.#pending = null;
    this.#index = null;
    return this.#committed;
  }

  /** Makes `version` the committed one and drops the pending one; optimizer shards stay to be had until `settle`. */
  replace(version: Version | null): void {
    for (const old of [this.#committed, this.#pending]) {
      for (const [shard, { bytes, hash }] of old?.optimizer ?? []) {
        this.#retired.set(keyOf(shard, hash), { shard, hash, bytes });
      }
    }
    for (const key of [...this.#retired.keys()].slice(0, -RETIRED_MAX)) this.#retired.delete(key);
    this.#committed = version;
    this.#pending = null;
    this.#index = null;
  }

  /** Keeps what was fetched, so that a transfer that breaks off need not begin anew. */
  keepArrived(hash: Hash, bytes: Bytes): void {
    this.#arrived.set(hash, bytes);
  }

  /** Keeps `version` to be had until the next checkpoint. */
  pin(version: Version): void {
    this.#pinned = version;
    this.#index = null;
  }

  /** Bytes with that content, from whichever version has them. */
  find(hash: Hash): Bytes | undefined {
    this.#index ??= this.#makeIndex();
    return this.#index.get(hash) ?? this.#arrived.get(hash);
  }

  inventory(stored: readonly StoredGeneration[]): Inventory {
    const versions = [this.#committed, this.#pending].filter((version) => version !== null);
    const held = new Map<string, readonly [number, Hash]>();
    for (const [shard, { hash }] of versions.flatMap((version) => [...version.optimizer])) {
      held.set(keyOf(shard, hash), [shard, hash]);
    }
    for (const [key, { shard, hash }] of this.#retired) held.set(key, [shard, hash]);
    const optimizer = [...held.values()];
    return { parameterRoots: versions.map((version) => version.parameterRoot), optimizer, stored };
  }

  #makeIndex(): Map<Hash, Bytes> {
    const index = new Map<Hash, Bytes>();
    for (const { hash, bytes } of this.#retired.values()) index.set(hash, bytes);
    for (const version of [this.genesis, this.#pinned, this.#committed, this.#pending]) {
      if (!version) continue;
      version.parameterHashes.forEach((hash, shard) => index.set(hash, parameterShard(version.parameters, shard)));
      for (const { bytes, hash } of version.optimizer.values()) index.set(hash, bytes);
    }
    return index;
  }
}

/** Different shards may hold the same bytes, as the zeros of step 0 do. */
function keyOf(shard: number, hash: Hash): string {
  return `${shard}:${hash}`;
}

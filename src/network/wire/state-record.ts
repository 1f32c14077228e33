/**
 * How a state is named by content: its shards, what holds them in memory and on disk, the parity that protects them, and
 * the layout that tells what the bytes are.
 */
import type { Hash } from "../../base/hash.ts";
import type { PeerId } from "../transport/transport.ts";

/** Fixed number of parts that parameters and optimizer state are cut into: divisible by 2 to 6, 8, 10 and 12, so that owners' shares are equal. */
export const SHARDS = 120;

/** Units of a checkpoint at most: shards, and up to eight rows of parity of stripes of two or more. */
export const UNITS_MAX: number = 5 * SHARDS;

/** A committed state, by content. Equal records mean equal bytes. */
export interface CommitRecord {
  readonly incarnation: number;
  readonly epoch: number;
  readonly step: number;
  /** H(previous chain, epoch, members, optimizer shard hashes): names the history. */
  readonly chain: Hash;
  readonly previous: Hash;
  /** Root over `parameters`. */
  readonly parameterRoot: Hash;
  /** Hash of each parameter shard. Length SHARDS. */
  readonly parameters: readonly Hash[];
  /** Hash of each optimizer shard. Length SHARDS. */
  readonly optimizer: readonly Hash[];
  /** Root over parameters, optimizer, and the run's seed and step (which are the sampler's and random state): names the bytes. */
  readonly stateHash: Hash;
}

/** Bytes that a member holds in memory, by content. */
export interface Inventory {
  /** Roots of complete parameter sets: committed, and pending where there is one. */
  readonly parameterRoots: readonly Hash[];
  /** [shard, hash] of each optimizer shard held. */
  readonly optimizer: readonly (readonly [number, Hash])[];
  /** Steps of checkpoints on this device's disk, with the shards of each that its markers list. */
  readonly stored: readonly StoredGeneration[];
}

export interface StoredGeneration {
  readonly step: number;
  readonly chain: Hash;
  /** Units: shards, and parity by the number that its checkpoint gave it. */
  readonly shards: readonly number[];
}

/** Shards that parity protects together: any `shards.length` of both give the others. Each is on another device. */
export interface Stripe {
  readonly shards: readonly number[];
  /** Units by row of the code. */
  readonly parity: readonly number[];
}

/** Parity of a checkpoint by content, and who has it. */
export interface StripeSources {
  readonly shards: readonly number[];
  readonly parity: readonly {
    readonly row: number;
    readonly parameter: Hash;
    readonly optimizer: Hash;
    readonly sources: readonly PeerId[];
  }[];
}

/** A tensor's place in a flat state. */
export interface TensorLayout {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Of its first element among the parameters. */
  readonly offset: number;
}

/** What the bytes of a state are, so that they can be read without the program that made them. */
export interface StateLayout {
  readonly tensors: readonly TensorLayout[];
  /** The rule and its numbers, and the names of its state vectors, each as long as the parameters. */
  readonly optimizer: {
    readonly name: string;
    readonly options: Readonly<Record<string, number>>;
    readonly vectors: readonly string[];
  };
  readonly lossScale: number | null;
}

/** What to do for a checkpoint of the step just committed. */
export interface CheckpointOrder {
  /** For each unit, shards first and then parity, the ranks that write it. */
  readonly writers: readonly (readonly number[])[];
  readonly stripes: readonly Stripe[];
  /** Hash of each optimizer shard: a writer that is neither owner nor replica fetches it by these. */
  readonly optimizer: readonly Hash[];
  /** Whole generations in the log: every other one of this run may go once the new one is written. */
  readonly keep: readonly { readonly step: number; readonly chain: Hash }[];
  /** Of the newest of them, where it has any: what rotted on a disk is mended from it. */
  readonly parity?: StoredParity;
}

/** A checkpoint's shards by content, and the parity over them. */
export interface StoredParity {
  /** Length SHARDS, as `optimizer`. */
  readonly parameters: readonly Hash[];
  readonly optimizer: readonly Hash[];
  readonly stripes: readonly StripeSources[];
}

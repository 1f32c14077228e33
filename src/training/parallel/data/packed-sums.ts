/**
 * What members packed for this rank's shards, added up on its device: messages are unpacked there bucket by bucket as they
 * have come, and summed with the own part in the order of ranks, in float32.
 *
 * Device memory: for each length that buckets have 4 bytes an element and the messages of one bucket. A bucket costs one
 * dispatch, and the codec's to unpack, for as many members as their parts fit into its length: for all of them at once
 * where shards are dealt evenly. It costs no readback: at the end of a step the sums of all buckets are read in one.
 */
import { present } from "../../../base/assert.ts";
import { concatBytes, floatsOf, type Bytes } from "../../../base/bytes.ts";
import { ProtocolError } from "../../../base/errors.ts";
import type { Node } from "../../../compute/compiler/ir.ts";
import { tableWords, writeTable, type PackedChunk } from "../../../compute/kernels/codecs/chunks.ts";
import { addParts, PARTS_WORDS, writeParts } from "../../../compute/kernels/codecs/sums.ts";
import type { Kernel } from "../../../compute/lang/kernel.ts";
import type { LeafCommand } from "../../../compute/runtime/leaf-work.ts";
import type { Runtime } from "../../../compute/runtime/runtime.ts";
import type { DeviceCodec } from "./gradient-codec.ts";
import type { PackedBucket, PackedMessages } from "./packed-bucket.ts";
import { packedLayout, type Owners } from "./packed-layout.ts";

/** All that has come of one bucket. */
export interface ArrivedBucket {
  /** Its number. */
  readonly at: number;
  /** For whom it was packed. */
  readonly owners: Owners;
  /** Ranks whose contributions count: this one, if the device has it packed, and those that `messages` are of. */
  readonly givers: readonly number[];
  readonly messages: PackedMessages;
  /** Aborted when the step has failed: what comes later must not get into the next one's sums. */
  readonly signal?: AbortSignal | undefined;
}

interface PackedSumsOptions {
  readonly runtime: Runtime;
  readonly buckets: readonly PackedBucket[];
  /** Elements of the whole gradient. */
  readonly total: number;
  readonly codec: DeviceCodec;
}

/** What buckets of one length are unpacked with. */
interface Unpacking {
  readonly add: Kernel;
  readonly leaves: Readonly<Record<"messages" | "table" | "sent" | "parts", Node>>;
  /** Of `messages`, on the host. */
  readonly words: Uint32Array<ArrayBuffer>;
}

export class PackedSums {
  readonly #options: PackedSumsOptions;
  readonly #unpackings = new Map<string, Unpacking>();
  /** Arrays are written where the last work with them has been submitted: one after another. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: PackedSumsOptions) {
    this.#options = options;
  }

  /** @throws ProtocolError for a message of another length */
  add(arrived: ArrivedBucket): Promise<void> {
    return this.#inTurn(() => this.#add(arrived));
  }

  /** The sums of this rank's elements, in their order, of the step whose buckets have all been added. */
  own(owners: Owners): Promise<Float32Array<ArrayBuffer>> {
    const { runtime, buckets } = this.#options;
    const reads = buckets.map((packed) => ({ leaf: packed.scratch, bytes: 4 * this.#part(packed, owners).length }));
    return this.#inTurn(async () => {
      const parts = await runtime.work({ commands: [], reads });
      return floatsOf(concatBytes([...parts].reverse())); // The last bucket is the beginning.
    });
  }

  async #add({ at, owners, givers, messages, signal }: ArrivedBucket): Promise<void> {
    const { runtime, buckets, codec } = this.#options;
    const packed = present(buckets[at], "sums: a bucket");
    const { from, length } = this.#part(packed, owners);
    if (length === 0) return;
    const others = givers.filter((rank) => rank !== owners.rank).sort((a, b) => a - b);
    for (const rank of others) checkLength(rank, present(messages.get(rank), "sums: a message"), codec.bytes(length));
    const ownPlace = givers.includes(owners.rank) ? others.filter((rank) => rank < owners.rank).length : null;
    const { array } = packed;
    const most = Math.min(Math.floor(array.count / length), array.chunksMax);
    for (const { first, end, own } of batchesOf(others.length, most, ownPlace)) {
      const some = others.slice(first, end).map((rank) => present(messages.get(rank), "sums: a message"));
      signal?.throwIfAborted();
      const unpack = this.#unpack(packed, some, length);
      const { add, leaves } = this.#unpackingOf(packed);
      const parts = { length, parts: some.length, own: own === null ? null : { place: own, from }, goesOn: first > 0 };
      runtime.write(leaves.parts, writeParts(parts));
      const sum: LeafCommand = {
        kind: "dispatch",
        kernel: add,
        leaves: [leaves.sent, packed.values, leaves.parts, packed.scratch],
      };
      await runtime.work({ commands: [...unpack, sum], reads: [] });
    }
  }

  /** Writes messages of `length` elements each, and gives what unpacks them, one after another. */
  #unpack(packed: PackedBucket, messages: readonly Bytes[], length: number): LeafCommand[] {
    if (messages.length === 0) return [];
    const { runtime, codec } = this.#options;
    const { leaves, words } = this.#unpackingOf(packed);
    const { blockValues, unpack } = packed.codec;
    const messageWords = Math.ceil(codec.bytes(length) / 4);
    const chunks = messages.map((message, part): PackedChunk => {
      const word = part * messageWords;
      new Uint8Array(words.buffer).set(message, 4 * word);
      return { first: part * length, count: length, chunk: part, word, extent: codec.extent(length) };
    });
    const table = { operation: 0, rank: 0, seed: 0, own: [0, 0] as const, chunks };
    runtime.write(leaves.messages, words);
    runtime.write(leaves.table, writeTable(table, packed.array, blockValues));
    return unpack.map(({ kernel, arrays }) => {
      const named = arrays.map((name) => present(leaves[name as keyof typeof leaves], `sums: the array ${name}`));
      return { kind: "dispatch", kernel, leaves: named };
    });
  }

  /** Elements of this rank, in owner order. */
  #part({ bucket }: PackedBucket, owners: Owners): { readonly from: number; readonly length: number } {
    const { total, codec } = this.#options;
    const [from, to] = packedLayout(bucket, total, owners, codec).own;
    return { from, length: to - from };
  }

  #unpackingOf({ array, codec: { messageWords } }: PackedBucket): Unpacking {
    const { runtime } = this.#options;
    const key = `${array.count} ${array.chunksMax}`;
    const known = this.#unpackings.get(key);
    if (known) return known;
    const words = (length: number): Node => runtime.leaf([length], "uint32");
    const made = {
      add: addParts(array.count),
      leaves: {
        messages: words(messageWords),
        table: words(tableWords(array)),
        sent: runtime.leaf([array.count], "float32"),
        parts: words(PARTS_WORDS),
      },
      words: new Uint32Array(messageWords),
    };
    this.#unpackings.set(key, made);
    return made;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => {});
    return result;
  }
}

/** Others [first, end), and before which of them, or after all, the own part comes. */
interface Batch {
  readonly first: number;
  readonly end: number;
  readonly own: number | null;
}

/** `count` others, at most `most` at once. `ownPlace`: how many of them come before the own part; null for none. */
function batchesOf(count: number, most: number, ownPlace: number | null): Batch[] {
  return Array.from({ length: Math.max(1, Math.ceil(count / most)) }, (_, batch) => {
    const first = batch * most;
    const end = Math.min(count, first + most);
    const isHere = ownPlace !== null && ownPlace >= first && (ownPlace < end || end === count);
    return { first, end, own: isHere ? ownPlace - first : null };
  });
}

function checkLength(rank: number, { byteLength }: Bytes, expected: number): void {
  if (byteLength === expected) return;
  throw new ProtocolError(`gradients of rank ${rank}: expected ${expected} bytes, found ${byteLength}`);
}

/**
 * One bucket of a gradient on the device: its sum over slots, what earlier steps left out of it, and its messages. All
 * float32 arrays are in owner order, so that each rank's part is contiguous. It gives commands; who runs them, says when.
 *
 * Device memory: 16 bytes an element, and the messages, twice if the codec goes on from them. Commands of a step: a copy for
 * each stretch of a parameter that stays together, a dispatch a slot; at the end two more and the codec's, of which all
 * that is read is one readback.
 */
import { present } from "../../../base/assert.ts";
import type { Bytes } from "../../../base/bytes.ts";
import type { Node } from "../../../compute/compiler/ir.ts";
import {
  tableWords,
  writeTable,
  type CodecKernels,
  type KernelCall,
  type PackedArray,
} from "../../../compute/kernels/codecs/chunks.ts";
import { addToSum, beginSum, leaveRest } from "../../../compute/kernels/codecs/sums.ts";
import type { Kernel } from "../../../compute/lang/kernel.ts";
import type { LeafCommand, LeafWork } from "../../../compute/runtime/leaf-work.ts";
import type { Runtime } from "../../../compute/runtime/runtime.ts";
import type { GradientBucket } from "./gradient-buckets.ts";
import type { DeviceCodec } from "./gradient-codec.ts";
import { packedLayout, type Owners, type PackedLayout, type Segment } from "./packed-layout.ts";

/** The kernels of buckets of one length. */
interface BucketKernels {
  readonly begin: Kernel;
  readonly add: Kernel;
  /** Adds what was left out before. */
  readonly correct: Kernel;
  readonly rest: Kernel;
  readonly codec: CodecKernels;
}

/** What a step leaves to the next one, under some layout; null where all of it is zeros. */
interface Carried {
  /** What packing left out, in owner order. */
  readonly rest: Node;
  /** The messages, one array for all steps if the codec does not go on from them. */
  readonly messages: Node;
  layout: PackedLayout | null;
}

/** Of a bucket, by the rank that they go to or come from; there are none for this rank and those without elements. */
export type PackedMessages = ReadonlyMap<number, Bytes>;

/** Which message it is: what stochastic rounding goes by. */
export interface MessagePlace {
  readonly operation: number;
  readonly seed: number;
}

interface BucketOptions {
  readonly runtime: Runtime;
  readonly bucket: GradientBucket;
  /** Elements of the whole gradient. */
  readonly total: number;
  /** What a slot counts. */
  readonly weight: number;
  readonly codec: DeviceCodec;
}

export class PackedBucket {
  readonly bucket: GradientBucket;
  /** What its kernels are made for. */
  readonly array: PackedArray;
  readonly #options: BucketOptions;
  readonly #kernels: BucketKernels;
  readonly #leaves: ReadonlyMap<string, Node>;
  #before: Carried;
  #after: Carried;
  #layout: PackedLayout | null = null;
  /** Whether this step's messages have been packed, and `#after` is what it leaves. */
  #isPacked = false;

  constructor(options: BucketOptions) {
    const { runtime, bucket, weight, codec } = options;
    const count = bucket.to - bucket.from;
    const array = { count, chunksMax: bucket.endShard - bucket.firstShard };
    const kernels = codec.kernels(array);
    this.bucket = bucket;
    this.array = array;
    this.#options = options;
    this.#kernels = {
      begin: beginSum(count, weight),
      add: addToSum(count, weight),
      correct: addToSum(count, 1),
      rest: leaveRest(array),
      codec: kernels,
    };
    const floats = (): Node => runtime.leaf([count], "float32");
    const words = (length: number): Node => runtime.leaf([length], "uint32");
    this.#leaves = new Map([
      ["gradient", floats()],
      ["values", floats()],
      ["table", words(tableWords(array))],
      ...Object.entries(kernels.scratch).map(([name, length]) => [name, words(length)] as const),
    ]);
    const messages = words(kernels.messageWords);
    this.#before = { rest: floats(), messages, layout: null };
    this.#after = { rest: floats(), messages: kernels.goesOn ? words(kernels.messageWords) : messages, layout: null };
  }

  /** Before the first slot of a step, done again or not, under a map of owners. */
  begin(owners: Owners, { operation, seed }: MessagePlace): void {
    const { runtime, bucket, total, codec } = this.#options;
    const layout = packedLayout(bucket, total, owners, codec);
    const { own, chunks } = layout;
    const { layout: old } = this.#before;
    if (old !== null && !sameMessages(old, layout)) this.#forgetMessages();
    const table = { operation, rank: owners.rank, seed, own, chunks };
    runtime.write(this.#leaf("table"), writeTable(table, this.array, this.#kernels.codec.blockValues));
    this.#layout = layout;
    this.#isPacked = false;
  }

  /** The next step has come: what the last packing left out is what the next one adds. */
  turn(): void {
    [this.#before, this.#after] = [this.#after, this.#before];
    if (!this.#isPacked) this.forget();
  }

  /** As if nothing had been left out. */
  forget(): void {
    const { runtime, bucket } = this.#options;
    if (this.#before.layout === null) return;
    runtime.write(this.#before.rest, new Float32Array(bucket.to - bucket.from));
    this.#forgetMessages();
    this.#before.layout = null;
  }

  #forgetMessages(): void {
    const { goesOn, messageWords } = this.#kernels.codec;
    if (goesOn) this.#options.runtime.write(this.#before.messages, new Uint32Array(messageWords));
  }

  /** Puts a slot's gradient for elements [from, to) of the whole, which `source` begins with, into the bucket. */
  place(source: Node, from: number, to: number): LeafCommand[] {
    return this.#known().segments.flatMap((segment) => {
      const first = Math.max(from, segment.from);
      const length = Math.min(to, segment.from + segment.length) - first;
      if (length <= 0) return [];
      const at = segment.at + first - segment.from;
      return [copy(source, first - from, this.#leaf("gradient"), at, length)];
    });
  }

  /** Adds the gradient that has been placed to the sum, or begins it. */
  add(isFirst: boolean): LeafCommand {
    const kernel = isFirst ? this.#kernels.begin : this.#kernels.add;
    return { kind: "dispatch", kernel, leaves: [this.#leaf("gradient"), this.#leaf("values")] };
  }

  /** Takes a sum that the host has, the flat one of the whole gradient. */
  write(sum: Float32Array): void {
    const { runtime, bucket } = this.#options;
    const values = new Float32Array(bucket.to - bucket.from);
    for (const { from, at, length } of this.#known().segments) values.set(sum.subarray(from, from + length), at);
    runtime.write(this.#leaf("values"), values);
  }

  /** Packs the sum with what was left out before; own elements stay in `values`. The readback is the packed bytes. */
  pack(): LeafWork {
    const { segments, chunks, words } = this.#known();
    const [values, after] = [this.#leaf("values"), this.#after.rest];
    const { correct, rest, codec } = this.#kernels;
    const calls = chunks.length > 0 ? [...codec.pack, ...codec.unpack] : [];
    const commands = [
      ...this.#reordered(segments),
      dispatch(correct, [this.#before.rest, values]),
      ...calls.map((call) => this.#call(call)),
      dispatch(rest, [values, this.#leaf("table"), after]),
    ];
    return { commands, reads: [{ leaf: this.#after.messages, bytes: 4 * words }] };
  }

  /** Told what `reads` of `pack` gave, once they have been read. */
  finish([packed]: readonly Bytes[]): PackedMessages {
    const { bytes } = this.#options.codec;
    this.#isPacked = true;
    this.#before.layout = this.#after.layout = this.#known();
    const all = present(packed, "packing: the messages");
    return new Map(
      this.#known().chunks.map(({ chunk, word, count }) => [chunk, all.subarray(4 * word, 4 * word + bytes(count))]),
    );
  }

  get codec(): CodecKernels {
    return this.#kernels.codec;
  }

  /** When it has been packed: the sum, with what was left out before, in owner order. */
  get values(): Node {
    return this.#leaf("values");
  }

  /** Where a sum may be put together from when the bucket has been packed to when the next step begins. */
  get scratch(): Node {
    return this.#leaf("gradient");
  }

  /** Brings what was left out into the order of now, by way of the array that gradients are placed in. */
  #reordered(segments: readonly Segment[]): LeafCommand[] {
    const { rest, layout } = this.#before;
    if (layout === null || sameSegments(layout.segments, segments)) return [];
    const between = this.#leaf("gradient");
    const { from: first } = this.bucket;
    return [
      ...layout.segments.map(({ from, at, length }) => copy(rest, at, between, from - first, length)),
      ...segments.map(({ from, at, length }) => copy(between, from - first, rest, at, length)),
    ];
  }

  #call({ kernel, arrays }: KernelCall): LeafCommand {
    const leaves = arrays.map((name) => {
      if (name === "sent") return this.#after.rest;
      if (name === "messages") return this.#after.messages;
      return name === "before" ? this.#before.messages : this.#leaf(name);
    });
    return dispatch(kernel, leaves);
  }

  #leaf(name: string): Node {
    return present(this.#leaves.get(name), `packing: the array ${name}`);
  }

  #known(): PackedLayout {
    return present(this.#layout, "packing: a step that has begun");
  }
}

function dispatch(kernel: Kernel, leaves: readonly Node[]): LeafCommand {
  return { kind: "dispatch", kernel, leaves };
}

/** In elements. */
function copy(source: Node, from: number, target: Node, to: number, length: number): LeafCommand {
  return { kind: "copy", source, sourceOffset: 4 * from, target, targetOffset: 4 * to, bytes: 4 * length };
}

function sameSegments(a: readonly Segment[], b: readonly Segment[]): boolean {
  return a.length === b.length && a.every(({ from, at }, i) => b[i]?.from === from && b[i].at === at);
}

/** Whether messages are of the same elements, and in the same places. */
function sameMessages(a: PackedLayout, b: PackedLayout): boolean {
  const sameBounds = a.bounds.length === b.bounds.length && a.bounds.every((bound, rank) => bound === b.bounds[rank]);
  return sameBounds && a.own[0] === b.own[0] && a.own[1] === b.own[1] && sameSegments(a.segments, b.segments);
}

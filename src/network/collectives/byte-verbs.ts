/** What members of a group do with bytes: everything that adds nothing up. */
import { concatBytes } from "../../base/bytes.ts";
import type { Bytes } from "../../base/bytes.ts";
import { OptionError } from "../../base/errors.ts";
import { present } from "../../base/assert.ts";
import type { PeerId } from "../transport/transport.ts";
import type { AlgorithmName } from "./algorithms.ts";
import { chunkCodecOf } from "./codecs/codec.ts";
import type { Codec } from "./codecs/codec.ts";
import type { GroupPrograms } from "./group-programs.ts";
import { chunkBytes, cutChunks, evenLayout, sharedLayout } from "./layout.ts";
import type { Layout } from "./layout.ts";
import type { Chunks, OperationOptions, OperationTask } from "./operation.ts";
import { othersAfter } from "./program.ts";
import type { Program } from "./program.ts";
import { edgeChunk, sparseExchange } from "./programs/direct.ts";
import type { Edge } from "./programs/direct.ts";
import { sumFloat32 } from "./reducer.ts";

/** Options of a collective that several programs can do. */
export interface CollectiveOptions extends OperationOptions {
  /** By name, or a program of one's own for as many ranks; the same on all members. */
  readonly algorithm?: AlgorithmName | Program | undefined;
  /** Packs what goes over the wire: the bytes are float32 values then. The same on all members. */
  readonly codec?: Codec | undefined;
}

/** What members of a group do with bytes. Inputs are never changed, results are new buffers. */
export abstract class ByteVerbs {
  /** The own place among the members. */
  abstract readonly rank: number;
  /** How many members there are. */
  abstract readonly size: number;
  /** Ranks are places in this list. */
  abstract readonly members: readonly PeerId[];
  /** @internal */
  protected abstract readonly programs: GroupPrograms;

  /** Resolves when the bytes are handed over. The other rank calls `receive` with the same operation. */
  async send(to: number, bytes: Bytes, options: CollectiveOptions): Promise<void> {
    this.#requireOther("send", to);
    const edge = { from: this.rank, to };
    await this.#edges("send", [edge], new Map([[edgeChunk(edge, this.size), bytes]]), options);
  }

  /** The bytes that another rank sends with `send` of the same operation. */
  async receive(from: number, options: CollectiveOptions): Promise<Bytes> {
    this.#requireOther("receive", from);
    const edge = { from, to: this.rank };
    const chunks = await this.#edges("receive", [edge], new Map(), options);
    return present(chunks(edgeChunk(edge, this.size)), "received bytes");
  }

  /** Sends to some ranks, receives from some: what each of them calls must fit. */
  async exchange(
    outgoing: ReadonlyMap<number, Bytes>,
    incoming: readonly number[],
    options: CollectiveOptions,
  ): Promise<Map<number, Bytes>> {
    const out = [...outgoing.keys()].map((to) => ({ from: this.rank, to }));
    const into = incoming.map((from) => ({ from, to: this.rank }));
    for (const rank of [...outgoing.keys(), ...incoming]) this.#requireOther("exchange", rank);
    if (new Set(incoming).size < incoming.length) {
      throw new OptionError(`exchange: expected each rank once, found incoming ${incoming.join(", ")}`);
    }
    const sent = new Map([...outgoing].map(([to, bytes]) => [edgeChunk({ from: this.rank, to }, this.size), bytes]));
    const chunks = await this.#edges("exchange", [...out, ...into], sent, options);
    return new Map(into.map((edge) => [edge.from, present(chunks(edgeChunk(edge, this.size)), "received bytes")]));
  }

  /**
   * Everybody's bytes, one after another. Sends the own ones to each of the others.
   * @param byteBounds size + 1 byte offsets: rank r gives [byteBounds[r], byteBounds[r + 1])
   */
  async allGather(own: Bytes, byteBounds: readonly number[], options: CollectiveOptions): Promise<Bytes> {
    const { size, rank } = this;
    this.requireBounds("allGather", byteBounds);
    const ownBytes = (byteBounds[rank + 1] ?? 0) - (byteBounds[rank] ?? 0);
    if (own.byteLength !== ownBytes) {
      throw new OptionError(`allGather: expected ${ownBytes} bytes, found ${own.byteLength}`);
    }
    const bytes = byteBounds[size] ?? 0;
    const program = this.programs.program("all-gather", { algorithm: options.algorithm, bytes });
    const slices = program.chunks / size;
    const width = options.codec ? 4 : 1; // Codecs want whole numbers.
    const layout = sharedLayout(
      byteBounds.map((at) => at / width),
      slices,
      width,
    );
    const values = cutChunks(own, layout, rank * slices, slices);
    return this.joined(
      await this.perform({ program, values, ...agreed(layout), reduce: sumFloat32 }, options),
      program,
    );
  }

  /** The root's bytes, on every rank. The others pass null. ceil(log2 n) hops by default. */
  async broadcast(root: number, bytes: Bytes | null, options: CollectiveOptions): Promise<Bytes> {
    this.requireRoot("broadcast", root, bytes, "bytes");
    const program = this.programs.program("broadcast", { algorithm: options.algorithm, root });
    const values = bytes === null ? new Map<number, Bytes>() : cutChunks(bytes, wordLayout(bytes, program.chunks));
    return this.joined(await this.perform({ program, values, reduce: sumFloat32 }, options), program);
  }

  /** Each rank's part of what the root has; the others pass null. */
  async scatter(root: number, parts: readonly Bytes[] | null, options: CollectiveOptions): Promise<Bytes> {
    this.requireRoot("scatter", root, parts, "parts");
    if (parts !== null) this.#requireParts("scatter", parts);
    const program = this.programs.program("scatter", { algorithm: options.algorithm, root });
    const values = new Map((parts ?? []).entries());
    const chunks = await this.perform({ program, values, reduce: sumFloat32 }, options);
    return present(chunks(this.rank), "own part").slice();
  }

  /** On the root everybody's bytes, by rank; null on the others. */
  async gather(root: number, own: Bytes, options: CollectiveOptions): Promise<Bytes[] | null> {
    this.requireRank("gather", root);
    const program = this.programs.program("gather", { algorithm: options.algorithm, root });
    const values = new Map([[this.rank, own]]);
    const chunks = await this.perform({ program, values, reduce: sumFloat32 }, options);
    if (this.rank !== root) return null;
    return this.members.map((_, rank) => present(chunks(rank), `part of rank ${rank}`).slice());
  }

  /** `parts[r]` goes to rank r; what comes back is from rank r at place r. Parts may have any sizes. */
  async allToAll(parts: readonly Bytes[], options: CollectiveOptions): Promise<Bytes[]> {
    const { size, rank } = this;
    this.#requireParts("allToAll", parts);
    const program = this.programs.program("all-to-all", { algorithm: options.algorithm });
    const values = new Map(parts.map((part, to) => [edgeChunk({ from: rank, to }, size), part]));
    const chunks = await this.perform({ program, values, reduce: sumFloat32 }, options);
    return parts.map((_, from) => present(chunks(edgeChunk({ from, to: rank }, size)), `part of ${from}`).slice());
  }

  /** Resolves when every rank has called it. ceil(log2 n) hops. */
  async barrier(options: OperationOptions): Promise<void> {
    const values = new Map([[0, new Uint8Array(0)]]);
    await this.perform({ program: this.programs.barrier(), values, bytesOf: () => 0, reduce: sumFloat32 }, options);
  }

  /** @internal */
  protected abstract run(task: OperationTask, options: OperationOptions): Promise<Chunks>;

  /** @internal */
  protected perform(task: OperationTask, options: CollectiveOptions): Promise<Chunks> {
    const { codec, operation } = options;
    return this.run(codec ? { ...task, codec: chunkCodecOf(codec, operation, this.rank) } : task, options);
  }

  /** All chunks of a program, in a new buffer. @internal */
  protected joined(chunks: Chunks, { chunks: count }: Program): Bytes {
    return concatBytes(Array.from({ length: count }, (_, chunk) => present(chunks(chunk), `chunk ${chunk}`)));
  }

  /** @internal */
  protected requireRank(verb: string, rank: number): void {
    if (!(rank in this.members)) throw new OptionError(`${verb}: expected a rank below ${this.size}, found ${rank}`);
  }

  /** @internal */
  protected requireRoot(verb: string, root: number, given: unknown, what: string): void {
    if (root in this.members && (this.rank === root) === (given !== null)) return;
    const found = `found ${given === null ? "none" : "some"} on ${this.rank}`;
    throw new OptionError(`${verb}: expected ${what} on rank ${root} alone, ${found}`);
  }

  /** @internal */
  protected requireBounds(verb: string, bounds: readonly number[]): void {
    const isRising = bounds.every(
      (bound, at) => Number.isInteger(bound) && bound >= (at === 0 ? 0 : (bounds[at - 1] ?? 0)),
    );
    if (bounds.length === this.size + 1 && bounds[0] === 0 && isRising) return;
    throw new OptionError(`${verb}: expected ${this.size + 1} rising bounds from 0, found ${bounds.join(", ")}`);
  }

  #edges(
    name: string,
    edges: readonly Edge[],
    values: ReadonlyMap<number, Bytes>,
    options: CollectiveOptions,
  ): Promise<Chunks> {
    return this.perform({ program: sparseExchange(name, this.size, edges), values, reduce: sumFloat32 }, options);
  }

  #requireParts(verb: string, parts: readonly Bytes[]): void {
    if (parts.length === this.size) return;
    throw new OptionError(`${verb}: expected ${this.size} parts, found ${parts.length}`);
  }

  #requireOther(verb: string, rank: number): void {
    if (othersAfter(this.rank, this.size).includes(rank)) return;
    throw new OptionError(`${verb}: expected another rank below ${this.size}, found ${rank} on rank ${this.rank}`);
  }
}

/** What a task says of a layout on which all agree. */
export function agreed(layout: Layout): { bytesOf: (chunk: number) => number } {
  return { bytesOf: (chunk) => chunkBytes(layout, chunk) };
}

/** Chunks of whole words but for the last one, which may be ragged. */
function wordLayout({ byteLength }: Bytes, chunks: number): Layout {
  const { bounds } = evenLayout(Math.floor(byteLength / 4), chunks, 4);
  return { bounds: [...bounds.slice(0, -1), byteLength] };
}

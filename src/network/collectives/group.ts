/**
 * The members of one epoch, and what they can do together. Every verb has a deadline and may be aborted, is matched
 * by its operation number, and may run beside others. Inputs are never changed, results are new buffers.
 *
 * A group ends with its epoch: when a member's link is lost, everything under way and everything later is rejected,
 * and the next epoch's group takes over.
 */
import { bytesOf, concatBytes, floatsOf } from "../../base/bytes.ts";
import type { Bytes } from "../../base/bytes.ts";
import type { Clock } from "../../base/clock.ts";
import { AbortedError, OptionError, PeerLostError } from "../../base/errors.ts";
import type { HearthError } from "../../base/errors.ts";
import { present } from "../../base/assert.ts";
import type { FenceRoute } from "../fence-router.ts";
import type { Mux } from "../mux.ts";
import type { Fence } from "../wire/frame.ts";
import type { PeerId } from "../transport/transport.ts";
import { directAllGather, directAllReduce, directReduceScatter, edgeChunk, sparseExchange } from "./direct.ts";
import type { Edge } from "./direct.ts";
import { Operation } from "./operation.ts";
import type { OperationContext, OperationOptions, OperationTask } from "./operation.ts";
import { sumFloat32 } from "./reducer.ts";
import type { Reducer } from "./reducer.ts";
import { ringAllGather, ringAllReduce } from "./ring.ts";
import { binomialBroadcast, disseminationBarrier } from "./tree.ts";

type Floats = Float32Array<ArrayBuffer>;

/** What a `Group` works with. */
export interface GroupOptions {
  readonly mux: Mux;
  /** Ranks are places in this list; the mux's own peer is among them. All are linked already. */
  readonly members: readonly PeerId[];
  readonly fence: Fence;
  readonly clock: Clock;
  /** How all-reduce and all-gather go: `direct` (the default) in two hops over all links, `ring` over two links a rank. */
  readonly algorithm?: "direct" | "ring";
  readonly reduce?: Reducer;
  readonly framePayloadBytes?: number;
}

/** The members of an epoch, and sums and exchanges between them. */
export class Group {
  readonly rank: number;
  readonly size: number;
  readonly members: readonly PeerId[];
  readonly fence: Fence;
  readonly #algorithm: "direct" | "ring";
  readonly #context: OperationContext;
  readonly #route: FenceRoute;
  readonly #running = new Set<Operation>();
  #end: HearthError | null = null;

  /** @throws OptionError when the own peer is no member, or the fence has a group already */
  constructor(options: GroupOptions) {
    const { mux, members, fence, clock } = options;
    this.members = members;
    this.fence = fence;
    this.size = members.length;
    this.rank = members.indexOf(mux.self);
    this.#algorithm = options.algorithm ?? "direct";
    if (this.rank < 0)
      throw new OptionError(`group: expected ${mux.self} among its members, found ${members.join(", ")}`);
    this.#route = mux.openFence({ fence, members, onLost: (peer, reason) => this.#onLost(peer, reason) });
    this.#context = {
      mux,
      route: this.#route,
      fence,
      members,
      rank: this.rank,
      clock,
      reduce: options.reduce ?? sumFloat32,
      framePayloadBytes: options.framePayloadBytes ?? 64 * 1024,
    };
  }

  /** Resolves when the bytes are handed over. The other rank calls `receive` with the same operation. */
  async send(to: number, bytes: Bytes, options: OperationOptions): Promise<void> {
    this.#requireOther("send", to);
    const edge = { from: this.rank, to };
    await this.#exchange("send", [edge], new Map([[edgeChunk(edge, this.size), bytes]]), options);
  }

  /** The bytes that another rank sends with `send` of the same operation. */
  async receive(from: number, options: OperationOptions): Promise<Bytes> {
    this.#requireOther("receive", from);
    const edge = { from, to: this.rank };
    const values = await this.#exchange("receive", [edge], new Map(), options);
    return present(values.get(edgeChunk(edge, this.size)), "received bytes");
  }

  /** The sum over all ranks, element by element, with the same bits on all. Sends 2(n-1)/n of the buffer. */
  async allReduce(values: Floats, options: OperationOptions): Promise<Floats> {
    const { size } = this;
    const bounds = Array.from({ length: size + 1 }, (_, rank) => Math.floor((rank * values.length) / size));
    const program = this.#algorithm === "ring" ? ringAllReduce(size) : directAllReduce(size);
    const task = { program, values: cut(bytesOf(values), bounds, 4), bytesOf: sizeIn(bounds, 4) };
    return floatsOf(this.#joined(await this.#run(task, options)));
  }

  /**
   * Own share [bounds[rank], bounds[rank + 1]) of the sum over `contributors`, added up in rank order.
   *
   * Only contributors send; what others pass as `values` is ignored and may be empty. With equal shares a contributor
   * sends (n-1)/n of the buffer.
   * @param bounds size + 1 element offsets, from 0 to the buffer's length
   */
  async reduceScatter(
    values: Floats,
    bounds: readonly number[],
    contributors: readonly number[],
    options: OperationOptions,
  ): Promise<Floats> {
    const { size, rank } = this;
    this.#requireBounds("reduceScatter", bounds);
    const ordered = [...new Set(contributors)].sort((a, b) => a - b);
    if (ordered.some((one) => !(one in this.members))) {
      throw new OptionError(
        `reduceScatter: expected ranks below ${size}, found contributors ${contributors.join(", ")}`,
      );
    }
    const gives = ordered.includes(rank);
    if (gives && values.length !== bounds[size]) {
      throw new OptionError(`reduceScatter: expected ${bounds[size]} values, found ${values.length}`);
    }
    const task = {
      program: directReduceScatter(size, ordered),
      values: gives ? cut(bytesOf(values), bounds, 4) : new Map<number, Bytes>(),
      bytesOf: sizeIn(bounds, 4),
    };
    return floatsOf(present((await this.#run(task, options)).get(rank), "own share"));
  }

  /**
   * Everybody's bytes, one after another. Sends the own ones to each of the others.
   * @param byteBounds size + 1 byte offsets: rank r gives [byteBounds[r], byteBounds[r + 1])
   */
  async allGather(own: Bytes, byteBounds: readonly number[], options: OperationOptions): Promise<Bytes> {
    const { size, rank } = this;
    this.#requireBounds("allGather", byteBounds);
    const bytes = sizeIn(byteBounds, 1);
    if (own.byteLength !== bytes(rank)) {
      throw new OptionError(`allGather: expected ${bytes(rank)} bytes, found ${own.byteLength}`);
    }
    const program = this.#algorithm === "ring" ? ringAllGather(size) : directAllGather(size);
    return this.#joined(await this.#run({ program, values: new Map([[rank, own]]), bytesOf: bytes }, options));
  }

  /** Sends to some ranks, receives from some: what each of them calls must fit. */
  async exchange(
    outgoing: ReadonlyMap<number, Bytes>,
    incoming: readonly number[],
    options: OperationOptions,
  ): Promise<Map<number, Bytes>> {
    const out = [...outgoing.keys()].map((to) => ({ from: this.rank, to }));
    const into = incoming.map((from) => ({ from, to: this.rank }));
    for (const rank of [...outgoing.keys(), ...incoming]) this.#requireOther("exchange", rank);
    if (new Set(incoming).size < incoming.length) {
      throw new OptionError(`exchange: expected each rank once, found incoming ${incoming.join(", ")}`);
    }
    const sent = new Map([...outgoing].map(([to, bytes]) => [edgeChunk({ from: this.rank, to }, this.size), bytes]));
    const values = await this.#exchange("exchange", [...out, ...into], sent, options);
    return new Map(into.map((edge) => [edge.from, present(values.get(edgeChunk(edge, this.size)), "received bytes")]));
  }

  /** The root's bytes, on every rank. The others pass null. ceil(log2 n) hops. */
  async broadcast(root: number, bytes: Bytes | null, options: OperationOptions): Promise<Bytes> {
    if (!(root in this.members) || (this.rank === root) !== (bytes !== null)) {
      throw new OptionError(
        `broadcast: expected bytes on rank ${root} alone, found ${bytes ? "some" : "none"} on ${this.rank}`,
      );
    }
    const values = new Map(bytes === null ? [] : [[0, bytes]]);
    const result = await this.#run({ program: binomialBroadcast(this.size, root), values }, options);
    const whole = present(result.get(0), "broadcast bytes");
    return bytes === null ? whole : whole.slice();
  }

  /** Resolves when every rank has called it. ceil(log2 n) hops. */
  async barrier(options: OperationOptions): Promise<void> {
    const values = new Map([[0, new Uint8Array(0)]]);
    await this.#run({ program: disseminationBarrier(this.size), values, bytesOf: () => 0 }, options);
  }

  /** Aborts everything under way; nothing of this fence is delivered any more. */
  close(reason: string): void {
    this.#endWith(new AbortedError(`group of epoch ${this.fence.epoch}: closed: ${reason}`));
    this.#route.close();
  }

  #onLost(peer: PeerId, reason: string): void {
    const rank = this.members.indexOf(peer);
    this.#endWith(
      new PeerLostError(peer, `group of epoch ${this.fence.epoch}: lost rank ${rank} (peer ${peer}): ${reason}`),
    );
  }

  #endWith(error: HearthError): void {
    this.#end ??= error;
    for (const operation of [...this.#running]) operation.fail(error);
  }

  #exchange(
    name: string,
    edges: readonly Edge[],
    values: ReadonlyMap<number, Bytes>,
    options: OperationOptions,
  ): Promise<ReadonlyMap<number, Bytes>> {
    return this.#run({ program: sparseExchange(name, this.size, edges), values }, options);
  }

  async #run(task: OperationTask, options: OperationOptions): Promise<ReadonlyMap<number, Bytes>> {
    if (this.#end !== null) throw this.#end;
    const operation = new Operation(this.#context, task, options);
    this.#running.add(operation);
    try {
      return await operation.run();
    } finally {
      this.#running.delete(operation);
    }
  }

  #joined(values: ReadonlyMap<number, Bytes>): Bytes {
    return concatBytes(this.members.map((_, rank) => present(values.get(rank), "chunk")));
  }

  #requireOther(verb: string, rank: number): void {
    if (rank in this.members && rank !== this.rank) return;
    throw new OptionError(`${verb}: expected another rank below ${this.size}, found ${rank} on rank ${this.rank}`);
  }

  #requireBounds(verb: string, bounds: readonly number[]): void {
    const isRising = bounds.every(
      (bound, at) => Number.isInteger(bound) && bound >= (at === 0 ? 0 : (bounds[at - 1] ?? 0)),
    );
    if (bounds.length === this.size + 1 && bounds[0] === 0 && isRising) return;
    throw new OptionError(`${verb}: expected ${this.size + 1} rising bounds from 0, found ${bounds.join(", ")}`);
  }
}

/** Views of `bytes` between bounds that count elements. */
function cut(bytes: Bytes, bounds: readonly number[], elementBytes: number): Map<number, Bytes> {
  const sizes = sizeIn(bounds, elementBytes);
  return new Map(
    bounds.slice(0, -1).map((bound, chunk) => {
      return [chunk, bytes.subarray(bound * elementBytes, bound * elementBytes + sizes(chunk))];
    }),
  );
}

function sizeIn(bounds: readonly number[], elementBytes: number): (chunk: number) => number {
  return (chunk) => ((bounds[chunk + 1] ?? 0) - (bounds[chunk] ?? 0)) * elementBytes;
}

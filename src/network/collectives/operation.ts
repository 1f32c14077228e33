/**
 * One run of a program on one rank: sends and adds what the interpreter says, and ends on time.
 *
 * A sender pushes only a first window to a rank on its own; the rest waits for a grant, which the receiver gives once
 * it takes part itself. So what a fast rank can pile up at one that still computes is bounded, and messages of up to a
 * window (1 MiB), which is most of them, cost no grant at all.
 */
import { assert, present } from "../../base/assert.ts";
import type { Bytes } from "../../base/bytes.ts";
import type { Clock } from "../../base/clock.ts";
import { AbortedError, CorruptDataError, DeadlineError, PeerLostError, ProtocolError } from "../../base/errors.ts";
import type { HearthError } from "../../base/errors.ts";
import type { WaitOptions } from "../../base/wait.ts";
import { throwIfAborted } from "../../base/wait.ts";
import { deferred } from "../deferred.ts";
import type { FenceRoute } from "../fence-router.ts";
import type { Mux } from "../mux.ts";
import type { Fence, Frame } from "../wire/frame.ts";
import type { ByteCategory } from "../wire/run-line.ts";
import type { PeerId } from "../transport/transport.ts";
import type { ChunkCodec } from "./chunk-codec.ts";
import { ChunkStore } from "./chunk-store.ts";
import { Counterpart } from "./counterpart.ts";
import { begin, missingRanks, step } from "./interpreter.ts";
import type { Effect, Event, State } from "./interpreter.ts";
import { cutMessage } from "./message.ts";
import type { Program } from "./program.ts";
import { compileRank } from "./rank-program.ts";
import type { Instruction, RankProgram } from "./rank-program.ts";
import type { Reducer } from "./reducer.ts";
import type { Span, Trace } from "./trace.ts";

/** Options of a collective operation. */
export interface OperationOptions extends WaitOptions {
  /** The same number on all ranks, used once in an epoch. */
  readonly operation: number;
  /** What its bytes are counted as. */
  readonly category: ByteCategory;
  /** Among operations that run side by side, frames of the lowest go first; 0 if left out, then by number. */
  readonly priority?: number;
}

/** What all operations of a group share. */
export interface OperationContext {
  readonly mux: Mux;
  readonly route: FenceRoute;
  readonly fence: Fence;
  readonly members: readonly PeerId[];
  readonly rank: number;
  readonly clock: Clock;
  /** How messages to and from a member are cut. */
  readonly framePayloadBytes: (peer: PeerId) => number;
  readonly trace: Trace | null;
}

export interface OperationTask {
  readonly program: Program;
  /** Own values by chunk. Never changed; results are new buffers. */
  readonly values: ReadonlyMap<number, Bytes>;
  /** The size of a chunk where it is agreed; else whatever its sender says, up to 256 MiB. */
  readonly bytesOf?: (chunk: number) => number;
  readonly reduce: Reducer;
  readonly codec?: ChunkCodec | null;
}

/** A chunk as it is at the end; undefined where this rank has none. */
export type Chunks = (chunk: number) => Bytes | undefined;

const MESSAGE_BYTES_MAX = 256 * 1024 * 1024;
const PIECE_BYTES_MIN = 256;
const EMPTY: Bytes = new Uint8Array(0);

export class Operation {
  readonly #context: OperationContext;
  readonly #task: OperationTask;
  readonly #options: OperationOptions;
  readonly #name: string;
  readonly #what: string;
  readonly #program: RankProgram;
  readonly #store: ChunkStore;
  readonly #ranks: readonly Counterpart[];
  readonly #result = deferred<Chunks>();
  readonly #startMs: number;
  #state: State;
  #isSettled = false;
  #cleanups: (() => void)[] = [];

  constructor(context: OperationContext, task: OperationTask, options: OperationOptions) {
    const { program } = task;
    this.#context = context;
    this.#task = task;
    this.#options = options;
    this.#name = `${program.name} ${options.operation}`;
    this.#what = `${this.#name} of epoch ${context.fence.epoch}`;
    this.#store = new ChunkStore(task);
    this.#program = compileRank(program, context.rank);
    this.#state = begin(this.#program);
    this.#startMs = context.clock.nowMs();
    this.#ranks = context.members.map((peer, rank) => {
      const chunks = present(this.#program.chunkOf[rank], "rank");
      const framePayloadBytes = context.framePayloadBytes(peer);
      return new Counterpart(peer, chunks.length, framePayloadBytes, (message) => ({
        bytesMax: this.#agreedBytes(chunks[message]) ?? MESSAGE_BYTES_MAX,
        pieceBytesMin: Math.min(PIECE_BYTES_MIN, framePayloadBytes),
      }));
    });
  }

  /** The chunks as this rank has them at the end. @throws DeadlineError, PeerLostError, AbortedError, ProtocolError */
  async run(): Promise<Chunks> {
    const { clock, route } = this.#context;
    const { deadlineMs, signal, operation } = this.#options;
    throwIfAborted(this.#what, signal);
    this.#requireLinks();
    const onAbort = (): void => this.fail(new AbortedError(`${this.#what}: aborted`, { cause: signal?.reason }));
    signal?.addEventListener("abort", onAbort);
    this.#cleanups.push(() => signal?.removeEventListener("abort", onAbort));
    this.#cleanups.push(clock.after(deadlineMs, () => this.fail(this.#late(deadlineMs))));
    const endRoute = route.open(operation, (from, frame) => this.#onFrame(from, frame));
    if (this.#isSettled) {
      endRoute(); // What came early was a violation.
    } else {
      this.#cleanups.push(endRoute);
      this.#feed({ kind: "start" });
    }
    return this.#result.promise;
  }

  /** Ends the operation here. Others learn it from their deadlines, or from the next epoch. */
  fail(error: HearthError): void {
    if (this.#isSettled) return;
    this.#end();
    this.#result.reject(error);
  }

  #end(): void {
    this.#isSettled = true;
    for (const cleanup of this.#cleanups) cleanup();
    for (const counterpart of this.#ranks) counterpart.allow(); // Lets waiting senders see the end.
  }

  /** A rank that only receives would not notice a link that was never there. */
  #requireLinks(): void {
    const { mux } = this.#context;
    const needed = new Set(this.#program.instructions.flatMap(otherRanks));
    for (const [rank, { peer }] of this.#ranks.entries()) {
      if (rank === this.#context.rank || !needed.has(rank) || mux.isLinked(peer)) continue;
      const expected = `expected an open link to rank ${rank} (peer ${peer}), found none`;
      throw new PeerLostError(peer, `${this.#what}: ${expected}`);
    }
  }

  #feed(event: Event): void {
    const { state, effects } = step(this.#state, event);
    this.#state = state;
    for (const effect of effects) {
      if (this.#isSettled) return;
      this.#carryOut(effect);
    }
  }

  #carryOut(effect: Effect): void {
    switch (effect.kind) {
      case "send": {
        const message = this.#timed("encode", effect.chunk, () => this.#store.message(effect.chunk));
        return this.#send(effect, message);
      }
      case "write":
        return this.#write(effect);
      case "done":
        this.#tell({ kind: "operation", bytes: 0, startMs: this.#startMs });
        this.#end();
        return this.#result.resolve((chunk) => this.#store.result(chunk));
      default:
        effect satisfies never;
        assert(false, "operation: unknown effect");
    }
  }

  #write({ chunk, terms }: Extract<Instruction, { kind: "write" }>): void {
    const messages = terms.map(({ from, message }) => {
      if (message === null) return null;
      const { messages: arrived } = present(this.#ranks[from], "rank");
      const found = present(arrived.get(message), `${this.#what}: message ${message} of rank ${from}`);
      arrived.delete(message);
      return found;
    });
    const kind = messages.length > 1 ? "reduce" : "decode";
    try {
      this.#timed(kind, chunk, () => this.#store.write(chunk, messages));
    } catch (error) {
      if (!(error instanceof CorruptDataError)) throw error;
      this.#violation(terms.find(({ message }) => message !== null)?.from ?? 0, error.message);
    }
  }

  /** In order for one rank, side by side for different ones. */
  #send({ to, chunk, message }: Extract<Instruction, { kind: "send" }>, bytes: Bytes): void {
    const counterpart = present(this.#ranks[to], "rank");
    const { byteLength } = bytes;
    counterpart.unsent += 1;
    counterpart.lastSent = counterpart.lastSent.then(async () => {
      const startMs = this.#context.clock.nowMs();
      try {
        await this.#sendFrames(counterpart, message, bytes);
        counterpart.unsent -= 1;
        if (this.#isSettled) return;
        this.#tell({ kind: "send", peer: counterpart.peer, chunk, bytes: byteLength, startMs });
        this.#feed({ kind: "sent" });
      } catch (error) {
        this.fail(error as HearthError);
      }
    });
  }

  async #sendFrames(counterpart: Counterpart, message: number, bytes: Bytes): Promise<void> {
    const { mux, fence } = this.#context;
    const { operation, category, priority } = this.#options;
    const pieces = cutMessage(bytes, counterpart.framePayloadBytes);
    const frame = { type: "data", ...fence, operation, message, chunks: pieces.length } as const;
    for (const [chunk, payload] of pieces.entries()) {
      await counterpart.permission();
      if (this.#isSettled) return;
      await mux.send(counterpart.peer, { ...frame, chunk, payload }, category, priority);
    }
  }

  #onFrame(from: PeerId, frame: Frame): void {
    if (this.#isSettled) return;
    const rank = this.#context.members.indexOf(from);
    const counterpart = present(this.#ranks[rank], "rank");
    if (frame.type === "grant") return counterpart.allow();
    const placed = counterpart.take(frame);
    if (placed.kind === "fault") return this.#violation(rank, placed.message);
    if (placed.kind === "duplicate") return this.#context.mux.drop(from, "duplicate");
    if (counterpart.needsGrant(frame)) this.#grant(counterpart);
    if (placed.kind === "part") return;
    const message = frame.message ?? 0;
    const chunk = present(this.#program.chunkOf[rank]?.[message], "chunk");
    const { byteLength: bytes } = placed.message;
    const agreed = this.#agreedBytes(chunk) ?? bytes;
    if (bytes !== agreed) return this.#violation(rank, `expected ${agreed} bytes for chunk ${chunk}, found ${bytes}`);
    this.#tell({ kind: "wait", peer: from, chunk, bytes, startMs: this.#startMs });
    this.#feed({ kind: "received", from: rank, message });
  }

  #grant(counterpart: Counterpart): void {
    counterpart.isGranted = true;
    const { mux, fence } = this.#context;
    const { operation } = this.#options;
    const frame: Frame = { type: "grant", ...fence, operation, chunk: 0, chunks: 1, payload: EMPTY };
    mux.send(counterpart.peer, frame, "control").catch((error: unknown) => this.fail(error as HearthError));
  }

  /** Undefined where nothing is agreed: how long a packed chunk is, its codec finds out. */
  #agreedBytes(chunk: number | undefined): number | undefined {
    return chunk === undefined || this.#task.codec ? undefined : this.#task.bytesOf?.(chunk);
  }

  #timed<T>(kind: Span["kind"], chunk: number, work: () => T): T {
    if (this.#context.trace === null) return work();
    const startMs = this.#context.clock.nowMs();
    const result = work();
    this.#tell({ kind, chunk, bytes: this.#task.bytesOf?.(chunk) ?? 0, startMs });
    return result;
  }

  #tell(span: Omit<Span, "operation" | "rank" | "endMs">): void {
    const { trace, rank, clock } = this.#context;
    trace?.({ ...span, operation: this.#name, rank, endMs: clock.nowMs() });
  }

  #violation(rank: number, found: string): void {
    const { peer } = present(this.#ranks[rank], "rank");
    this.#context.mux.drop(peer, "malformed");
    this.fail(new ProtocolError(`${this.#what}: from rank ${rank} (peer ${peer}), ${found}`));
  }

  #late(deadlineMs: number): DeadlineError {
    const name = (rank: number): string => `rank ${rank} (peer ${this.#ranks[rank]?.peer})`;
    const missing = missingRanks(this.#state).map(name);
    const stuck = this.#ranks.flatMap(({ unsent }, rank) => (unsent > 0 ? [name(rank)] : []));
    const found = [
      ...(missing.length > 0 ? [`nothing yet from ${missing.join(", ")}`] : []),
      ...(stuck.length > 0 ? [`data that waits to be taken by ${stuck.join(", ")}`] : []),
    ];
    return new DeadlineError(`${this.#what}: expected an end within ${deadlineMs} ms, found ${found.join(" and ")}`);
  }
}

/** The ranks that an instruction sends to or hears from. */
function otherRanks(instruction: Instruction): number[] {
  return instruction.kind === "send" ? [instruction.to] : instruction.terms.map(({ from }) => from);
}

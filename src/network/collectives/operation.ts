/**
 * One run of a program on one rank: holds the chunks, sends and adds what the interpreter says, and ends on time.
 *
 * A sender pushes only the first window of a message on its own; the rest waits for a grant, which the receiver gives
 * once it takes part itself. So what a fast rank can pile up at one that still computes is bounded, and messages of up
 * to a window (1 MiB), which is most of them, cost no grant at all.
 */
import { assert, present } from "../../base/assert.ts";
import type { Bytes } from "../../base/bytes.ts";
import type { Clock } from "../../base/clock.ts";
import { AbortedError, DeadlineError, PeerLostError, ProtocolError } from "../../base/errors.ts";
import type { HearthError } from "../../base/errors.ts";
import type { WaitOptions } from "../../base/wait.ts";
import { throwIfAborted } from "../../base/wait.ts";
import { deferred } from "../deferred.ts";
import type { Deferred } from "../deferred.ts";
import type { FenceRoute } from "../fence-router.ts";
import type { Mux } from "../mux.ts";
import type { Fence, Frame } from "../wire/frame.ts";
import type { ByteCategory } from "../wire/messages.ts";
import type { PeerId } from "../transport/transport.ts";
import { begin, expectedMessages, missingRanks, step } from "./interpreter.ts";
import type { Effect, Event, State } from "./interpreter.ts";
import { cutMessage, MessageAssembler } from "./message.ts";
import type { Program } from "./program.ts";
import type { Reducer } from "./reducer.ts";

/** Options of a collective operation. */
export interface OperationOptions extends WaitOptions {
  /** The same number on all ranks, used once in an epoch. */
  readonly operation: number;
  /** What its bytes are counted as. */
  readonly category: ByteCategory;
}

/** What all operations of a group share. */
export interface OperationContext {
  readonly mux: Mux;
  readonly route: FenceRoute;
  readonly fence: Fence;
  readonly members: readonly PeerId[];
  readonly rank: number;
  readonly clock: Clock;
  readonly reduce: Reducer;
  readonly framePayloadBytes: number;
}

export interface OperationTask {
  readonly program: Program;
  /** Own values by chunk. Never changed; results are new buffers. */
  readonly values: ReadonlyMap<number, Bytes>;
  /** The size of a chunk where it is agreed; else whatever its sender says, up to 256 MiB. */
  readonly bytesOf?: (chunk: number) => number;
}

/** Frames of a message that need no grant. Part of the protocol: both sides count the same. */
const WINDOW_FRAMES = 16;
const MESSAGE_BYTES_MAX = 256 * 1024 * 1024;
const EMPTY: Bytes = new Uint8Array(0);

/** What is known of one other rank. */
interface Counterpart {
  readonly peer: PeerId;
  readonly assembler: MessageAssembler;
  /** Messages that may still begin to arrive. */
  messagesLeft: number;
  /** Whole messages that no write has used, oldest first. */
  readonly messages: Bytes[];
  /** Resolved when it wants more than the window. */
  readonly grant: Deferred<void>;
  granted: boolean;
  /** Messages to it that are not handed over, and the end of the last of them. */
  unsent: number;
  lastSent: Promise<void>;
}

export class Operation {
  readonly #context: OperationContext;
  readonly #task: OperationTask;
  readonly #options: OperationOptions;
  readonly #what: string;
  readonly #values: Map<number, Bytes>;
  readonly #ranks: readonly Counterpart[];
  readonly #result = deferred<ReadonlyMap<number, Bytes>>();
  #state: State;
  #isSettled = false;
  #cleanups: (() => void)[] = [];

  constructor(context: OperationContext, task: OperationTask, options: OperationOptions) {
    const { program, bytesOf } = task;
    this.#context = context;
    this.#task = task;
    this.#options = options;
    this.#what = `${program.name} ${options.operation} of epoch ${context.fence.epoch}`;
    this.#values = new Map(task.values);
    this.#state = begin(program, context.rank);
    const expected = expectedMessages(program, context.rank);
    const sizes =
      bytesOf === undefined ? [MESSAGE_BYTES_MAX] : Array.from({ length: program.chunks }, (_, c) => bytesOf(c));
    const bytesMax = Math.max(...sizes);
    this.#ranks = context.members.map((peer, rank) => ({
      peer,
      assembler: new MessageAssembler(bytesMax),
      messagesLeft: present(expected[rank], "rank"),
      messages: [],
      grant: deferred<void>(),
      granted: false,
      unsent: 0,
      lastSent: Promise.resolve(),
    }));
  }

  /** The chunks as this rank has them at the end. @throws DeadlineError, PeerLostError, AbortedError, ProtocolError */
  async run(): Promise<ReadonlyMap<number, Bytes>> {
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
    for (const counterpart of this.#ranks) counterpart.grant.resolve(); // Lets waiting senders see the end.
  }

  /** A rank that only receives would not notice a link that was never there. */
  #requireLinks(): void {
    const { mux, rank: self } = this.#context;
    const { hops } = this.#task.program;
    const targets = new Set(hops.flatMap((hop) => hop(self).sends.map((send) => send.to)));
    for (const [rank, { peer, messagesLeft }] of this.#ranks.entries()) {
      if ((messagesLeft > 0 || targets.has(rank)) && !mux.isLinked(peer)) {
        throw new PeerLostError(
          peer,
          `${this.#what}: expected an open link to rank ${rank} (peer ${peer}), found none`,
        );
      }
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
      case "send":
        return this.#send(effect.to, present(this.#values.get(effect.chunk), `${this.#what}: chunk ${effect.chunk}`));
      case "write":
        return this.#write(effect.chunk, effect.from);
      case "done":
        this.#end();
        return this.#result.resolve(this.#values);
      default:
        effect satisfies never;
        assert(false, "operation: unknown effect");
    }
  }

  #write(chunk: number, from: readonly number[]): void {
    const bytes = this.#task.bytesOf?.(chunk);
    const operands: Bytes[] = [];
    for (const rank of from) {
      const isOwn = rank === this.#context.rank;
      const counterpart = present(this.#ranks[rank], "rank");
      const operand = present(isOwn ? this.#values.get(chunk) : counterpart.messages.shift(), `${this.#what}: operand`);
      if (bytes !== undefined && operand.byteLength !== bytes) {
        return this.#violation(rank, `expected ${bytes} bytes for chunk ${chunk}, found ${operand.byteLength}`);
      }
      operands.push(isOwn && from.length === 1 ? operand.slice() : operand);
    }
    const [only] = operands;
    if (only === undefined) this.#values.set(chunk, new Uint8Array(bytes ?? 0));
    else this.#values.set(chunk, operands.length === 1 ? only : this.#context.reduce(operands));
  }

  /** In order for one rank, side by side for different ones. */
  #send(to: number, message: Bytes): void {
    const counterpart = present(this.#ranks[to], "rank");
    counterpart.unsent += 1;
    counterpart.lastSent = counterpart.lastSent.then(async () => {
      try {
        await this.#sendFrames(counterpart, message);
        counterpart.unsent -= 1;
        if (!this.#isSettled) this.#feed({ kind: "sent" });
      } catch (error) {
        this.fail(error as HearthError);
      }
    });
  }

  async #sendFrames({ peer, grant }: Counterpart, message: Bytes): Promise<void> {
    const { mux, fence, framePayloadBytes } = this.#context;
    const { operation, category } = this.#options;
    const pieces = cutMessage(message, framePayloadBytes);
    for (const [chunk, payload] of pieces.entries()) {
      if (chunk === WINDOW_FRAMES) await grant.promise;
      if (this.#isSettled) return;
      await mux.send(peer, { type: "data", ...fence, operation, chunk, chunks: pieces.length, payload }, category);
    }
  }

  #onFrame(from: PeerId, frame: Frame): void {
    if (this.#isSettled) return;
    const rank = this.#context.members.indexOf(from);
    const counterpart = present(this.#ranks[rank], "rank");
    if (frame.type === "grant") return counterpart.grant.resolve();
    if (counterpart.messagesLeft === 0) return this.#violation(rank, "expected no more messages, found one");
    if (frame.chunks > WINDOW_FRAMES) this.#grant(counterpart);
    const assembled = counterpart.assembler.push(frame);
    if (assembled.kind === "fault") return this.#violation(rank, assembled.message);
    if (assembled.kind === "part") return;
    counterpart.messagesLeft -= 1;
    counterpart.messages.push(assembled.message);
    this.#feed({ kind: "received", from: rank });
  }

  #grant(counterpart: Counterpart): void {
    if (counterpart.granted) return;
    counterpart.granted = true;
    const { mux, fence } = this.#context;
    const { operation } = this.#options;
    const frame: Frame = { type: "grant", ...fence, operation, chunk: 0, chunks: 1, payload: EMPTY };
    mux.send(counterpart.peer, frame, "control").catch((error: unknown) => this.fail(error as HearthError));
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

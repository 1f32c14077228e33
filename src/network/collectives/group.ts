/**
 * The members of one epoch, and what they can do together. Every verb has a deadline and may be aborted, is matched
 * by its operation number, and may run beside others. Inputs are never changed, results are new buffers.
 *
 * A group ends with its epoch: when a member's link is lost, everything under way and everything later is rejected,
 * and the next epoch's group takes over.
 */
import type { Clock } from "../../base/clock.ts";
import { AbortedError, OptionError, PeerLostError } from "../../base/errors.ts";
import type { HearthError } from "../../base/errors.ts";
import type { FenceRoute } from "../fence-router.ts";
import type { Mux } from "../mux.ts";
import type { Fence } from "../wire/frame.ts";
import type { PeerId } from "../transport/transport.ts";
import { GroupPrograms } from "./group-programs.ts";
import type { ProgramOptions } from "./group-programs.ts";
import { GroupVerbs } from "./group-verbs.ts";
import { Operation } from "./operation.ts";
import type { Chunks, OperationContext, OperationOptions, OperationTask } from "./operation.ts";
import { sumFloat32 } from "./reducer.ts";
import type { Reducer } from "./reducer.ts";
import type { Trace } from "./trace.ts";

/** What a `Group` works with. */
export interface GroupOptions extends ProgramOptions {
  readonly mux: Mux;
  /** Ranks are places in this list; the mux's own peer is among them. All are linked already. */
  readonly members: readonly PeerId[];
  readonly fence: Fence;
  readonly clock: Clock;
  /** Sums float32 values; in JavaScript if left out. */
  readonly reduce?: Reducer;
  /** Parts of a buffer that members reduce in an all-reduce, adding up to 1 (see `linkShares`); equal if left out. */
  readonly shares?: readonly number[];
  readonly framePayloadBytes?: number;
  /** Told what operations do, for `TraceRecorder`. */
  readonly trace?: Trace;
}

/** The members of an epoch, and sums and exchanges between them. */
export class Group extends GroupVerbs {
  readonly rank: number;
  readonly size: number;
  readonly members: readonly PeerId[];
  /** What the group's frames are known by. */
  readonly fence: Fence;
  /** @internal */
  protected readonly programs: GroupPrograms;
  /** @internal */
  protected readonly sum: Reducer;
  /** @internal */
  protected readonly shares: readonly number[] | null;
  readonly #context: OperationContext;
  readonly #route: FenceRoute;
  readonly #running = new Set<Operation>();
  #end: HearthError | null = null;

  /** @throws OptionError when the own peer is no member, or the fence has a group already */
  constructor(options: GroupOptions) {
    super();
    const { mux, members, fence, clock } = options;
    this.members = members;
    this.fence = fence;
    this.size = members.length;
    this.rank = members.indexOf(mux.self);
    if (this.rank < 0)
      throw new OptionError(`group: expected ${mux.self} among its members, found ${members.join(", ")}`);
    this.programs = new GroupPrograms(this.size, options);
    this.sum = options.reduce ?? sumFloat32;
    this.shares = options.shares ? runningSums(options.shares) : null;
    this.#route = mux.openFence({ fence, members, onLost: (peer, reason) => this.#onLost(peer, reason) });
    this.#context = {
      mux,
      route: this.#route,
      fence,
      members,
      rank: this.rank,
      clock,
      framePayloadBytes: options.framePayloadBytes ?? 64 * 1024,
      trace: options.trace ?? null,
    };
  }

  /** Aborts everything under way; nothing of this fence is delivered any more. */
  close(reason: string): void {
    this.#endWith(new AbortedError(`group of epoch ${this.fence.epoch}: closed: ${reason}`));
    this.#route.close();
  }

  /** @internal */
  protected async run(task: OperationTask, options: OperationOptions): Promise<Chunks> {
    if (this.#end !== null) throw this.#end;
    const operation = new Operation(this.#context, task, options);
    this.#running.add(operation);
    try {
      return await operation.run();
    } finally {
      this.#running.delete(operation);
    }
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
}

function runningSums(parts: readonly number[]): number[] {
  let sum = 0;
  return [0, ...parts.slice(0, -1).map((part) => (sum += part)), 1];
}

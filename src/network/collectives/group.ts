/**
 * The members of one epoch, and what they can do together. Every verb has a deadline and may be aborted, is matched
 * by its operation number, and may run beside others. Inputs are never changed, results are new buffers.
 *
 * A group ends with its epoch: when a member is lost, everything under way and everything later is rejected, and the
 * next epoch's group takes over. Without `verdict` a lost link ends the group of those that lost it, and somebody else
 * says who is in the next one. With it the members agree on who is gone, and `shrink` is the group of the others.
 */
import type { Clock } from "../../base/clock.ts";
import { AbortedError, DeadlineError, OptionError, PeerLostError } from "../../base/errors.ts";
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
import { decodeWishes, encodeWish, nextEpoch, optionsFor, ranksOfColor, WISH_BYTES } from "./subgroup.ts";
import type { Trace } from "./trace.ts";
import { Judge } from "./verdict/judge.ts";
import type { Verdict } from "./verdict/judge.ts";
import type { VerdictLimits } from "./verdict/verdict-state.ts";

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
  /** How messages are cut; the same on all members. By the path of each pair if left out. */
  readonly framePayloadBytes?: number;
  /** Members find out together who is gone. A member that is silent for 6 s is; they agree within 3 s more. */
  readonly verdict?: Partial<VerdictLimits>;
  /** Told what operations do, for `TraceRecorder`. */
  readonly trace?: Trace;
}

const VERDICT_LIMITS: VerdictLimits = { silenceMsMax: 6_000, agreementMsMax: 3_000 };

/** The members of an epoch, and sums and exchanges between them. */
export class Group extends GroupVerbs {
  readonly rank: number;
  readonly size: number;
  readonly members: readonly PeerId[];
  /** What the group's frames are known by. */
  readonly fence: Fence;
  /** @internal */
  protected programs: GroupPrograms;
  /** @internal */
  protected readonly sum: Reducer;
  /** @internal */
  protected shares: readonly number[] | null;
  #options: GroupOptions;
  readonly #context: OperationContext;
  readonly #route: FenceRoute;
  readonly #judge: Judge | null;
  readonly #running = new Set<Operation>();
  #end: HearthError | null = null;
  #verdict: Verdict | null = null;

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
    this.#options = options;
    mux.groupNumbers.use(fence, fence.group ?? 0);
    this.#route = mux.openFence({
      fence,
      members,
      onLost: (peer, reason) => this.#onLost(peer, reason),
      onHeard: (peer) => this.#judge?.hear(peer),
      onVerdict: (from, frame) => this.#judge?.onFrame(from, frame),
    });
    this.#context = {
      mux,
      route: this.#route,
      fence,
      members,
      rank: this.rank,
      clock,
      framePayloadBytes: (peer) => options.framePayloadBytes ?? mux.framePayloadBytes(peer),
      trace: options.trace ?? null,
    };
    this.#judge = options.verdict ? this.#openJudge({ ...VERDICT_LIMITS, ...options.verdict }) : null;
  }

  /** Who is gone, by agreement of those who are left; null while nobody is. */
  get verdict(): Verdict | null {
    return this.#verdict;
  }

  /**
   * A group of the members of the own colour, ranked by key, then by rank; null for the colour null. Collective: all
   * members call it. This group goes on beside it.
   */
  async split(color: number | null, key: number, options: OperationOptions): Promise<Group | null> {
    const { mux } = this.#options;
    const own = encodeWish({ color, key, free: mux.groupNumbers.next(this.fence) });
    const bounds = Array.from({ length: this.size + 1 }, (_, rank) => rank * WISH_BYTES);
    const wishes = decodeWishes(await this.allGather(own, bounds, options));
    const group = Math.max(...wishes.map(({ free }) => free));
    mux.groupNumbers.use(this.fence, group);
    if (color === null) return null;
    const members = ranksOfColor(wishes, color).map((rank) => this.members[rank] ?? "");
    return new Group({ ...optionsFor(this.#options, members), fence: { ...this.fence, group } });
  }

  /**
   * The group of those who are left, in the next epoch; this one ends. Without `verdict` in its options a group has to
   * be told who is lost. Operations that failed can be done again there: their inputs are as they were.
   * @throws OptionError when nobody is gone, or the own peer is
   */
  shrink(lost: readonly PeerId[] = this.#verdict?.lost ?? []): Group {
    const members = this.members.filter((peer) => !lost.includes(peer));
    const { mux } = this.#options;
    if (members.length === this.size || !members.includes(mux.self)) {
      throw new OptionError(
        `shrink: expected others to be lost, found ${lost.length > 0 ? lost.join(", ") : "nobody"}`,
      );
    }
    return this.#successor(members, `shrunken without ${lost.join(", ")}`);
  }

  /**
   * The group with more members, in the next epoch; this one ends. All members call it alike, and joiners make their
   * own `Group` with its `members` and `fence`. All are linked already.
   */
  grow(joiners: readonly PeerId[]): Group {
    return this.#successor([...this.members, ...joiners], `grown by ${joiners.join(", ")}`);
  }

  /** What operations that begin from now on are chosen by. All members call it alike, between the same two operations. */
  usePrograms(options: ProgramOptions & Pick<GroupOptions, "shares">): void {
    this.#options = { ...this.#options, ...options };
    this.programs = new GroupPrograms(this.size, this.#options);
    this.shares = options.shares ? runningSums(options.shares) : this.shares;
  }

  /** Aborts everything under way; nothing of this fence is delivered any more. */
  close(reason: string): void {
    this.#endWith(new AbortedError(`group of epoch ${this.fence.epoch}: closed: ${reason}`));
    const close = (): void => {
      this.#judge?.close();
      this.#route.close();
    };
    // Others may still have to hear of the verdict.
    if (this.#verdict?.isAgreed !== true) return close();
    this.#options.clock.after(2 * (this.#options.verdict?.agreementMsMax ?? VERDICT_LIMITS.agreementMsMax), close);
  }

  /** @internal */
  protected async run(task: OperationTask, options: OperationOptions): Promise<Chunks> {
    if (this.#end !== null) throw this.#end;
    const operation = new Operation(this.#context, task, options);
    this.#running.add(operation);
    try {
      return await operation.run().finally(() => this.#running.delete(operation));
    } catch (error) {
      throw await this.#verdictOr(error as HearthError);
    }
  }

  /** Where members agree on who is gone, they do so before an operation says that somebody is. */
  async #verdictOr(error: HearthError): Promise<HearthError> {
    if (this.#judge === null || this.#end !== null) return error;
    if (error instanceof PeerLostError) this.#judge.lose(error.peer);
    else if (!(error instanceof DeadlineError) || !this.#judge.isJudging) return error;
    await this.#judge.verdict;
    return this.#end ?? error;
  }

  #openJudge(limits: VerdictLimits): Judge {
    const { mux, members, fence, clock } = this.#options;
    const judge = new Judge({ mux, members, rank: this.rank, fence, clock, limits });
    void judge.verdict.then((verdict) => {
      this.#verdict = verdict;
      const [first = ""] = verdict.lost;
      const lost = verdict.lost.join(", ");
      this.#endWith(new PeerLostError(first, `group of epoch ${fence.epoch}: lost ${lost}`));
    });
    return judge;
  }

  #successor(members: readonly PeerId[], why: string): Group {
    this.close(why);
    return new Group({ ...optionsFor(this.#options, members), fence: nextEpoch(this.fence) });
  }

  #onLost(peer: PeerId, reason: string): void {
    if (this.#judge !== null) return this.#judge.lose(peer);
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

/**
 * Hands fenced frames to the operation they belong to. A frame of an earlier fence, of a stranger or of an ended
 * operation goes no further; one that is merely early is kept for a while.
 */
import { OptionError } from "../base/errors.ts";
import { EarlyFrames } from "./early-frames.ts";
import { compareFences, isSameFence } from "./wire/frame.ts";
import type { Fence, Frame } from "./wire/frame.ts";
import type { PeerId } from "./transport/transport.ts";

/** Gets the frames of one operation, or of one type. */
export type FrameHandler = (from: PeerId, frame: Frame) => void;

export interface FenceOptions {
  readonly fence: Fence;
  readonly members: readonly PeerId[];
  /** A member's link closed, or a new one took its place: what was under way is torn. */
  readonly onLost: (peer: PeerId, reason: string) => void;
  /** Told of every frame of a member, whatever fence it is of: it lives. */
  readonly onHeard?: (peer: PeerId) => void;
  /** Gets what members say of who is gone. */
  readonly onVerdict?: FrameHandler;
}

/** One fence's way in. */
export interface FenceRoute {
  /** Gets the operation's frames, those that came early first. The result ends it: later ones are stale. */
  open(operation: number, handler: FrameHandler): () => void;
  /** Nothing of this fence is delivered any more. */
  close(): void;
}

type Refusal = "stale" | "stranger" | "overflow";

interface Route extends FenceOptions {
  readonly operations: Map<number, FrameHandler>;
  /** The newest operations that ended, oldest first: what is left of them must not pass for early frames. */
  readonly ended: Set<number>;
}

const ENDED_MAX = 1_024;

export class FenceRouter {
  readonly #routes: Route[] = [];
  readonly #early: EarlyFrames;
  readonly #refused: (reason: Refusal, frames: number) => void;
  /** Fences that were closed, oldest first. */
  readonly #closed = new Set<string>();
  /** The newest fence that was ever opened: fences only grow. */
  #newest: Fence = { incarnation: -1, epoch: -1 };

  /** `refused` is told of every frame that is not delivered. */
  constructor(earlyBytesMax: number, refused: (reason: Refusal, frames: number) => void) {
    this.#early = new EarlyFrames(earlyBytesMax);
    this.#refused = refused;
  }

  /** Begins to take in a fence's frames; what came early for older ones is stale now. */
  open(options: FenceOptions): FenceRoute {
    const { fence } = options;
    if (this.#routeOf(fence) !== undefined) {
      throw new OptionError(`opening a fence: expected one group for each, found a second for ${nameOf(fence)}`);
    }
    const route: Route = { ...options, operations: new Map(), ended: new Set() };
    this.#routes.push(route);
    if (compareFences(fence, this.#newest) > 0) this.#newest = fence;
    const open = this.#routes.map((one) => one.fence);
    this.#refused("stale", this.#early.takeBefore(this.#newest, open).length);
    return {
      open: (operation, handler) => this.#openOperation(route, operation, handler),
      close: () => {
        const at = this.#routes.indexOf(route);
        if (at >= 0) this.#routes.splice(at, 1);
        this.#closed.add(keyOf(fence));
        if (this.#closed.size > ENDED_MAX) this.#closed.delete(this.#closed.values().next().value as string);
        this.#refused("stale", this.#early.takeOf(fence).length);
      },
    };
  }

  deliver(from: PeerId, frame: Frame): void {
    for (const one of this.#routes) if (one.members.includes(from)) one.onHeard?.(from);
    const route = this.#routeOf(frame);
    if (route === undefined) {
      if (this.#isPast(frame)) this.#refused("stale", 1);
      else this.#keep(from, frame);
    } else if (!route.members.includes(from)) {
      this.#refused("stranger", 1);
    } else if (frame.type === "verdict") {
      route.onVerdict?.(from, frame);
    } else if (route.ended.has(frame.operation)) {
      this.#refused("stale", 1);
    } else {
      const handler = route.operations.get(frame.operation);
      if (handler === undefined) this.#keep(from, frame);
      else handler(from, frame);
    }
  }

  /** A link is gone: what it brought early is the beginning of streams that will never end. */
  lose(peer: PeerId, reason: string): void {
    this.#refused("stale", this.#early.takeFrom(peer).length);
    for (const route of [...this.#routes]) if (route.members.includes(peer)) route.onLost(peer, reason);
  }

  #routeOf(fence: Fence): Route | undefined {
    return this.#routes.find((route) => isSameFence(route.fence, fence));
  }

  /** Whether a fence without a route will never have one again. Another group of the newest epoch may still open. */
  #isPast(fence: Fence): boolean {
    const order = compareFences(fence, this.#newest);
    return order < 0 || (order === 0 && ((fence.group ?? 0) === 0 || this.#closed.has(keyOf(fence))));
  }

  #keep(from: PeerId, frame: Frame): void {
    if (!this.#early.add(from, frame)) this.#refused("overflow", 1);
  }

  #openOperation(route: Route, operation: number, handler: FrameHandler): () => void {
    if (route.operations.has(operation) || route.ended.has(operation)) {
      throw new OptionError(
        `operation ${operation} of ${nameOf(route.fence)}: expected a new number, found a used one`,
      );
    }
    route.operations.set(operation, handler);
    for (const { from, frame } of this.#early.take(route.fence, operation)) {
      if (route.members.includes(from)) handler(from, frame);
      else this.#refused("stranger", 1);
    }
    return () => {
      route.operations.delete(operation);
      route.ended.add(operation);
      if (route.ended.size > ENDED_MAX) route.ended.delete(route.ended.values().next().value as number);
    };
  }
}

/** For messages: "epoch 4 of incarnation 2". */
function nameOf({ incarnation, epoch, group = 0 }: Fence): string {
  return `${group > 0 ? `group ${group} of ` : ""}epoch ${epoch} of incarnation ${incarnation}`;
}

function keyOf({ incarnation, epoch, group = 0 }: Fence): string {
  return `${incarnation}/${epoch}/${group}`;
}

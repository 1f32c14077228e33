/** What transports share: the one open link of each peer, who waits for it, and who is told of it. */
import { withDeadline } from "../../base/wait.ts";
import type { WaitOptions } from "../../base/wait.ts";
import type { Clock } from "../../base/clock.ts";
import type { HearthError } from "../../base/errors.ts";
import { deferred } from "../deferred.ts";
import type { Deferred } from "../deferred.ts";
import type { Link, PeerId } from "./transport.ts";

export class LinkTable {
  readonly #clock: Clock;
  readonly #links = new Map<PeerId, Link>();
  readonly #waiters = new Map<PeerId, Set<Deferred<Link>>>();
  #accept: ((link: Link) => void) | null = null;
  #untold: Link[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The open link to `peer`, if any. */
  open(peer: PeerId): Link | undefined {
    const link = this.#links.get(peer);
    return link?.isOpen ? link : undefined;
  }

  /** Takes a new link in: whoever waits gets it, and an older one to the same peer is closed. */
  adopt(link: Link): void {
    const { peer } = link;
    const old = this.#links.get(peer);
    this.#links.set(peer, link);
    link.onClose(() => {
      if (this.#links.get(peer) === link) this.#links.delete(peer);
    });
    if (this.#accept === null) this.#untold.push(link);
    else this.#accept(link);
    old?.close("replaced by a new link");
    for (const waiter of this.#take(peer)) waiter.resolve(link);
  }

  /** The next link to `peer`. @throws DeadlineError, AbortedError, and what `fail` says */
  async wait(peer: PeerId, options: WaitOptions): Promise<Link> {
    const waiter = deferred<Link>();
    const waiters = this.#waiters.get(peer) ?? new Set();
    this.#waiters.set(peer, waiters.add(waiter));
    try {
      return await withDeadline(`connecting to peer ${peer}`, waiter.promise, this.#clock, options);
    } finally {
      waiters.delete(waiter);
    }
  }

  /** True while somebody waits for a link to `peer`. */
  isWanted(peer: PeerId): boolean {
    return (this.#waiters.get(peer)?.size ?? 0) > 0;
  }

  /** Tells all who wait for `peer` that no link will come. */
  fail(peer: PeerId, error: HearthError): void {
    for (const waiter of this.#take(peer)) waiter.reject(error);
  }

  onLink(accept: (link: Link) => void): void {
    this.#accept = accept;
    const untold = this.#untold;
    this.#untold = [];
    for (const link of untold) accept(link);
  }

  disconnect(peer: PeerId, reason: string): void {
    this.#links.get(peer)?.close(reason);
  }

  close(error: HearthError): void {
    for (const peer of [...this.#waiters.keys()]) this.fail(peer, error);
    for (const link of [...this.#links.values()]) link.close(error.message);
  }

  #take(peer: PeerId): Deferred<Link>[] {
    const waiters = [...(this.#waiters.get(peer) ?? [])];
    this.#waiters.delete(peer);
    return waiters;
  }
}

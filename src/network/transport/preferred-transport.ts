/**
 * Several transports as one: a peer is reached by the first of them that can. Whatever way a link came about, the
 * newest one to a peer is the one that counts, as within one transport.
 */
import { assert } from "../../base/assert.ts";
import { DeadlineError, PeerLostError, UnsupportedError } from "../../base/errors.ts";
import type { Clock } from "../../base/clock.ts";
import { withDeadline } from "../../base/wait.ts";
import type { WaitOptions } from "../../base/wait.ts";
import { deferred } from "../deferred.ts";
import type { Link, PeerId, Transport } from "./transport.ts";

/** What a transport gets of a deadline unless told, if it is not the last: enough to dial a port twice. */
const PATIENCE_MS = 800;

/** A way that may fail, and what it gets of a deadline: half of what is left at most. */
export interface Attempt {
  readonly transport: Transport;
  readonly patienceMs: number;
}

/** The best transport first: ports before WebRTC, WebRTC before a relay. */
export class PreferredTransport implements Transport {
  readonly self: PeerId;
  readonly #transports: readonly Transport[];
  readonly #patience: ReadonlyMap<Transport, number>;
  readonly #clock: Clock;
  readonly #links = new Map<PeerId, { readonly link: Link; readonly transport: Transport }>();
  /** Those who try one transport, and would take a link by another one. */
  readonly #waiters = new Map<PeerId, Set<(link: Link, transport: Transport) => void>>();
  #accept: (link: Link) => void = () => {};

  constructor(attempts: readonly (Transport | Attempt)[], clock: Clock) {
    const all = attempts.map((each) => ("transport" in each ? each : { transport: each, patienceMs: PATIENCE_MS }));
    const [first] = all;
    assert(first !== undefined, "PreferredTransport: expected transports, found none");
    this.self = first.transport.self;
    this.#transports = all.map(({ transport }) => transport);
    this.#patience = new Map(all.map(({ transport, patienceMs }) => [transport, patienceMs]));
    this.#clock = clock;
  }

  async connect(peer: PeerId, options: WaitOptions): Promise<Link> {
    const endMs = this.#clock.nowMs() + options.deadlineMs;
    for (const [at, transport] of this.#ordered(peer).entries()) {
      const isLast = at === this.#transports.length - 1;
      const patience = (): WaitOptions => {
        const leftMs = Math.max(0, endMs - this.#clock.nowMs());
        const patienceMs = this.#patience.get(transport) ?? PATIENCE_MS;
        return { ...options, deadlineMs: isLast ? leftMs : Math.min(leftMs / 2, patienceMs) };
      };
      try {
        if (!isLast && !(await this.#reaches(transport, peer, patience()))) continue;
        return await this.#try(transport, peer, patience());
      } catch (error) {
        if (isLast || !isWorthAnother(error)) throw error;
      }
    }
    throw new PeerLostError(peer, `connecting to peer ${peer}: expected a way, found none`);
  }

  onLink(accept: (link: Link) => void): void {
    this.#accept = accept;
    for (const transport of this.#transports) transport.onLink((link) => this.#adopt(link, transport));
  }

  disconnect(peer: PeerId, reason: string): void {
    for (const transport of this.#transports) transport.disconnect(peer, reason);
  }

  close(): void {
    for (const transport of this.#transports) transport.close();
  }

  /** @throws DeadlineError where nobody answers, AbortedError */
  async #reaches(transport: Transport, peer: PeerId, wait: WaitOptions): Promise<boolean> {
    const answer = transport.reaches?.(peer) ?? Promise.resolve(true);
    return withDeadline(`looking for peer ${peer}`, answer, this.#clock, wait);
  }

  /** A link by this transport, or by another one that the peer was quicker with: then this one's dial is taken back. */
  async #try(transport: Transport, peer: PeerId, options: WaitOptions): Promise<Link> {
    const other = deferred<Link>();
    const waiters = this.#waiters.get(peer) ?? new Set();
    const waiter = (link: Link, by: Transport): void => {
      if (by === transport) return;
      transport.disconnect(peer, "reached by another way");
      other.resolve(link);
    };
    this.#waiters.set(peer, waiters.add(waiter));
    const own = transport.connect(peer, options);
    own.catch(() => {}); // It may end after the other one.
    try {
      return await Promise.race([own, other.promise]);
    } finally {
      waiters.delete(waiter);
      if (waiters.size === 0) this.#waiters.delete(peer);
    }
  }

  /** The transport that has the open link first, so that it is tried for a sign of life and kept. */
  #ordered(peer: PeerId): readonly Transport[] {
    const present = this.#links.get(peer)?.transport;
    return present === undefined ? this.#transports : [present, ...this.#transports.filter((one) => one !== present)];
  }

  #adopt(link: Link, transport: Transport): void {
    const old = this.#links.get(link.peer);
    this.#links.set(link.peer, { link, transport });
    link.onClose(() => {
      if (this.#links.get(link.peer)?.link === link) this.#links.delete(link.peer);
    });
    this.#accept(link);
    old?.link.close("replaced by a new link");
    for (const waiter of [...(this.#waiters.get(link.peer) ?? [])]) waiter(link, transport);
  }
}

function isWorthAnother(error: unknown): boolean {
  return error instanceof PeerLostError || error instanceof DeadlineError || error instanceof UnsupportedError;
}

/**
 * Several transports as one: a peer is reached by the first of them that can. Whatever way a link came about, the
 * newest one to a peer is the one that counts, as within one transport.
 */
import { assert } from "../../base/assert.ts";
import { DeadlineError, PeerLostError, UnsupportedError } from "../../base/errors.ts";
import type { Clock } from "../../base/clock.ts";
import type { WaitOptions } from "../../base/wait.ts";
import type { Link, PeerId, Transport } from "./transport.ts";

/** What all but the last transport get of a deadline: enough to dial twice. */
const PATIENCE_MS = 800;

/** The best transport first: ports before WebRTC, WebRTC before a relay. */
export class PreferredTransport implements Transport {
  readonly self: PeerId;
  readonly #transports: readonly Transport[];
  readonly #clock: Clock;
  readonly #links = new Map<PeerId, { readonly link: Link; readonly transport: Transport }>();
  #accept: (link: Link) => void = () => {};

  constructor(transports: readonly Transport[], clock: Clock) {
    const [first] = transports;
    assert(first !== undefined, "PreferredTransport: expected transports, found none");
    this.self = first.self;
    this.#transports = transports;
    this.#clock = clock;
  }

  async connect(peer: PeerId, options: WaitOptions): Promise<Link> {
    const endMs = this.#clock.nowMs() + options.deadlineMs;
    for (const [at, transport] of this.#ordered(peer).entries()) {
      const leftMs = Math.max(0, endMs - this.#clock.nowMs());
      const isLast = at === this.#transports.length - 1;
      try {
        const deadlineMs = isLast ? leftMs : Math.min(leftMs, PATIENCE_MS);
        return await transport.connect(peer, { ...options, deadlineMs });
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
  }
}

function isWorthAnother(error: unknown): boolean {
  return error instanceof PeerLostError || error instanceof DeadlineError || error instanceof UnsupportedError;
}

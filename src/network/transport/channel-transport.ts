/**
 * A Transport out of channels: who dials, who waits, and which link stays when both dialled. What dialling means is
 * injected: PeerJS through the page, or a MessagePort handed over.
 */
import type { Clock } from "../../base/clock.ts";
import {
  AbortedError,
  DeadlineError,
  describeError,
  OptionError,
  PeerLostError,
  ProtocolError,
} from "../../base/errors.ts";
import type { HearthError } from "../../base/errors.ts";
import type { WaitOptions } from "../../base/wait.ts";
import type { Channel } from "./channel.ts";
import { openChannelLink } from "./channel-link.ts";
import { LinkTable } from "./link-table.ts";
import type { Link, PathKind, PeerId, Transport } from "./transport.ts";

/** A fresh channel to a peer, and how to free what it stands on (a peer connection). */
export interface Connection {
  readonly channel: Channel;
  readonly path: PathKind;
  /** When the link is closed or never came to be. May be called more than once. */
  release(): void;
}

export interface Dial {
  /** The channel, perhaps still opening. Never comes when the dial failed. */
  readonly connection: Promise<Connection>;
  /** Takes the dial back, before or after it succeeded. */
  abandon(): void;
}

/**
 * Dials, and says when that failed, even after the channel was there but not yet open: an error when no other dial would
 * do better (there is no such peer), a sentence when it may be tried again.
 */
export type Dialler = (peer: PeerId, failed: (why: HearthError | string) => void) => Dial;

/** The peer whose id sorts first dials at once; the other one expects that call, and dials itself after this time. */
const PATIENCE_MS = 600;
/** A dial that began longer ago than this does not count as simultaneous: it may be lost. */
const GLARE_MS = 3_000;
const PROBE_MS = 2_000;
const GREETING_MS = 10_000;
const RETRY_MS = 500;

/** What is under way to a peer that has no link yet. */
interface Attempt {
  cancel: () => void;
  /** Null for a dial that is not ours, or not due yet. */
  readonly dialledAtMs: number | null;
}

export class ChannelTransport implements Transport {
  readonly self: PeerId;
  readonly #clock: Clock;
  readonly #dialler: Dialler;
  readonly #table: LinkTable;
  readonly #attempts = new Map<PeerId, Attempt>();
  /** Why the last dial to a peer failed. */
  readonly #failures = new Map<PeerId, string>();
  #isClosed = false;

  constructor(self: PeerId, clock: Clock, dialler: Dialler) {
    this.self = self;
    this.#clock = clock;
    this.#dialler = dialler;
    this.#table = new LinkTable(clock);
  }

  async connect(peer: PeerId, options: WaitOptions): Promise<Link> {
    if (peer === this.self) throw new OptionError(`connecting to peer ${peer}: expected another peer, found itself`);
    const endMs = this.#clock.nowMs() + options.deadlineMs;
    const open = this.#table.open(peer);
    if (open !== undefined) {
      if (await this.#isAlive(open, options)) return open;
      this.disconnect(peer, "no sign of life");
    }
    if (this.#isClosed)
      throw new AbortedError(`connecting to peer ${peer}: expected an open transport, found it closed`);
    if (!this.#attempts.has(peer)) {
      if (this.self < peer) this.#dial(peer);
      else this.#dialAfter(peer, PATIENCE_MS);
    }
    return this.#wait(peer, { ...options, deadlineMs: Math.max(0, endMs - this.#clock.nowMs()) });
  }

  /** A dial alone can tell. */
  reaches(_peer: PeerId): Promise<boolean> {
    return Promise.resolve(true);
  }

  onLink(accept: (link: Link) => void): void {
    this.#table.onLink(accept);
  }

  /** A channel that `peer` dialled. When we dialled as well, the dial of the id that sorts first wins, on both sides. */
  accept(peer: PeerId, connection: Connection): void {
    const dialledAtMs = this.#attempts.get(peer)?.dialledAtMs ?? null;
    const isGlare = dialledAtMs !== null && this.#clock.nowMs() - dialledAtMs < GLARE_MS;
    if (this.#isClosed || (isGlare && this.self < peer)) {
      drop(connection);
      return;
    }
    this.#stop(peer);
    const attempt: Attempt = { cancel: () => {}, dialledAtMs: null };
    this.#attempts.set(peer, attempt);
    void this.#greet(peer, connection, attempt);
  }

  disconnect(peer: PeerId, reason: string): void {
    this.#stop(peer);
    this.#table.disconnect(peer, reason);
  }

  /** Ends all links, and takes no new ones. */
  close(): void {
    this.#isClosed = true;
    for (const peer of [...this.#attempts.keys()]) this.#stop(peer);
    this.#table.close(new AbortedError("transport: closed"));
  }

  async #isAlive(link: Link, options: WaitOptions): Promise<boolean> {
    try {
      await link.probe({ ...options, deadlineMs: Math.min(PROBE_MS, options.deadlineMs) });
      return true;
    } catch (error) {
      if (error instanceof DeadlineError || error instanceof PeerLostError) return false;
      throw error;
    }
  }

  async #wait(peer: PeerId, options: WaitOptions): Promise<Link> {
    try {
      return await this.#table.wait(peer, options);
    } catch (error) {
      const why = this.#failures.get(peer);
      if (!(error instanceof DeadlineError) || why === undefined) throw error;
      throw new DeadlineError(`${error.message}; the last dial failed: ${why}`, { cause: error });
    }
  }

  #dialAfter(peer: PeerId, delayMs: number): void {
    const cancel = this.#clock.after(delayMs, () => {
      this.#attempts.delete(peer);
      if (this.#table.isWanted(peer)) this.#dial(peer);
    });
    this.#attempts.set(peer, { cancel, dialledAtMs: null });
  }

  #dial(peer: PeerId): void {
    const attempt: Attempt = { cancel: () => {}, dialledAtMs: this.#clock.nowMs() };
    this.#attempts.set(peer, attempt);
    const dial = this.#dialler(peer, (why) => this.#failed(peer, attempt, why));
    attempt.cancel = () => dial.abandon();
    void dial.connection.then((connection) => {
      if (this.#attempts.get(peer) === attempt) void this.#greet(peer, connection, attempt);
      else drop(connection);
    });
  }

  async #greet(peer: PeerId, connection: Connection, attempt: Attempt): Promise<void> {
    attempt.cancel = () => drop(connection);
    const { channel, path } = connection;
    try {
      const link = await openChannelLink(channel, { peer, path, clock: this.#clock }, { deadlineMs: GREETING_MS });
      link.onClose(() => connection.release());
      if (this.#attempts.get(peer) !== attempt) return link.close("another dial won");
      this.#attempts.delete(peer);
      this.#failures.delete(peer);
      this.#table.adopt(link);
    } catch (error) {
      connection.release();
      // A channel that closes while it is greeted lost against another dial, or will do better the next time.
      this.#failed(peer, attempt, error instanceof ProtocolError ? error : describeError(error));
    }
  }

  #failed(peer: PeerId, attempt: Attempt, why: HearthError | string): void {
    if (this.#attempts.get(peer) !== attempt) return;
    this.#stop(peer);
    if (typeof why !== "string") return this.#table.fail(peer, why);
    this.#failures.set(peer, why);
    if (this.#table.isWanted(peer)) this.#dialAfter(peer, RETRY_MS);
  }

  #stop(peer: PeerId): void {
    this.#attempts.get(peer)?.cancel();
    this.#attempts.delete(peer);
  }
}

function drop(connection: Connection): void {
  connection.channel.close();
  connection.release();
}

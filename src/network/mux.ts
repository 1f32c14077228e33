/**
 * Everything that goes over the links of one peer: frames out, counted by what they are for; frames in, checked and
 * handed to whom they are for. Knows fences and operations as numbers, and nothing of collectives or blobs.
 *
 * What arrives is hostile until it proves otherwise: it is dropped and counted, never thrown, and whoever sends too
 * much of it is cut off.
 */
import { assert } from "../base/assert.ts";
import type { Bytes } from "../base/bytes.ts";
import { PeerLostError } from "../base/errors.ts";
import type { WaitOptions } from "../base/wait.ts";
import { ByteLedger } from "./byte-ledger.ts";
import { GroupNumbers } from "./collectives/group-numbers.ts";
import { FenceRouter } from "./fence-router.ts";
import type { FenceOptions, FenceRoute, FrameHandler } from "./fence-router.ts";
import { Outbox } from "./outbox.ts";
import type { FrameRank } from "./outbox.ts";
import { decodeFrame, encodeFrame } from "./wire/frame.ts";
import type { Frame, FrameFault } from "./wire/frame.ts";
import type { ByteCategory, ByteCounts } from "./wire/run-line.ts";
import { frameRulesOf } from "./transport/frame-rules.ts";
import type { Link, LinkStats, PathKind, PeerId, Transport } from "./transport/transport.ts";

/**
 * Why frames were dropped. `stranger`: not a member of the fence; `unasked`: nobody here waits for it; `duplicate`: it
 * came before.
 */
export type DropReason =
  "malformed" | "version" | "checksum" | "stale" | "stranger" | "unasked" | "overflow" | "duplicate";

/** What came and went. */
export interface MuxStats {
  readonly dropped: Readonly<Record<DropReason, number>>;
  /** Of the links that are open now. */
  readonly links: Readonly<Record<PeerId, LinkStats>>;
}

/** Options of `Mux`. */
export interface MuxOptions {
  readonly transport: Transport;
  /** A peer that sends this many malformed frames over one link is cut off. */
  readonly malformedFramesMax?: number;
  /** Kept for each peer of what cannot be used yet. */
  readonly earlyBytesMax?: number;
}

type BlobFrame = "blobRequest" | "blobAnswer";

const MALFORMED_FRAMES_MAX = 100;
const EARLY_BYTES_MAX = 16 * 1024 * 1024;

/** All links of a peer: frames are checked, counted, and handed to whom they are for. */
export class Mux {
  readonly self: PeerId;
  /** Which numbers the groups of this peer have. @internal */
  readonly groupNumbers: GroupNumbers = new GroupNumbers();
  readonly #transport: Transport;
  readonly #malformedFramesMax: number;
  readonly #links = new Map<PeerId, Link>();
  readonly #outboxes = new WeakMap<Link, Outbox>();
  readonly #malformed = new Map<Link, number>();
  readonly #router: FenceRouter;
  readonly #blobHandlers = new Map<BlobFrame, FrameHandler>();
  readonly #frameListeners = new Set<(peer: PeerId, frame: Frame, bytes: number) => void>();
  readonly #lostListeners = new Set<(peer: PeerId, reason: string) => void>();
  readonly #ledger = new ByteLedger();
  readonly #dropped: Record<DropReason, number> = {
    malformed: 0,
    version: 0,
    checksum: 0,
    stale: 0,
    stranger: 0,
    unasked: 0,
    overflow: 0,
    duplicate: 0,
  };

  constructor({ transport, malformedFramesMax, earlyBytesMax }: MuxOptions) {
    this.self = transport.self;
    this.#transport = transport;
    this.#malformedFramesMax = malformedFramesMax ?? MALFORMED_FRAMES_MAX;
    this.#router = new FenceRouter(earlyBytesMax ?? EARLY_BYTES_MAX, (reason, frames) => {
      this.#dropped[reason] += frames;
    });
    transport.onLink((link) => this.#adopt(link));
  }

  /** Makes sure of a link that works, see `Transport.connect`. @throws DeadlineError, PeerLostError, AbortedError */
  async connect(peer: PeerId, options: WaitOptions): Promise<void> {
    await this.#transport.connect(peer, options);
  }

  /** True while there is an open link; whether the peer still lives behind it only `connect` can tell. */
  isLinked(peer: PeerId): boolean {
    return this.#links.get(peer)?.isOpen === true;
  }

  /** How each linked peer is reached. */
  paths(): Record<PeerId, PathKind> {
    return Object.fromEntries([...this.#links].map(([peer, link]) => [peer, link.path]));
  }

  /** How messages to and from a peer are cut into frames where nothing else is asked for. */
  framePayloadBytes(peer: PeerId): number {
    return frameRulesOf(this.#links.get(peer)?.path ?? "webrtc").payloadBytes;
  }

  /** Waits for a sign of life, and brings `LinkStats.roundTripMs` up to date. @throws DeadlineError, PeerLostError, AbortedError */
  async probe(peer: PeerId, options: WaitOptions): Promise<void> {
    const link = this.#links.get(peer);
    if (link === undefined) throw new PeerLostError(peer, `probe: expected a link to peer ${peer}, found none`);
    await link.probe(options);
  }

  /** Drops the link to a peer. */
  disconnect(peer: PeerId, reason: string): void {
    this.#transport.disconnect(peer, reason);
  }

  /**
   * Resolves when the frame is handed over; holds back while the link is full, and then lets frames of a lower
   * `priority` go first, and those that others wait for before all. @throws PeerLostError
   */
  async send(peer: PeerId, frame: Frame, category: ByteCategory, priority: number = 0): Promise<void> {
    const link = this.#links.get(peer);
    const outbox = link && this.#outboxes.get(link);
    if (link === undefined || outbox === undefined) {
      throw new PeerLostError(peer, `send: expected an open link to peer ${peer}, found none`);
    }
    const bytes = encodeFrame(frame, frameRulesOf(link.path).hasChecksum);
    const { byteLength } = bytes; // Read first: the link may transfer the buffer away.
    await outbox.push(bytes, rankOf(frame, priority));
    this.#ledger.add(category, byteLength);
  }

  /** Begins to take in a fence's frames. @throws OptionError when the fence is open already */
  openFence(options: FenceOptions): FenceRoute {
    return this.#router.open(options);
  }

  /** The one receiver of frames of blob exchange. */
  onBlobFrame(type: BlobFrame, handler: FrameHandler): void {
    this.#blobHandlers.set(type, handler);
  }

  /** Told when a peer's link closes or is replaced. The result stops it. */
  onLost(listener: (peer: PeerId, reason: string) => void): () => void {
    this.#lostListeners.add(listener);
    return () => void this.#lostListeners.delete(listener);
  }

  /** Told of every sound frame and its bytes before it is handed on: for measuring. The result stops it. */
  onFrame(listener: (peer: PeerId, frame: Frame, bytes: number) => void): () => void {
    this.#frameListeners.add(listener);
    return () => void this.#frameListeners.delete(listener);
  }

  /** Counts a frame that a handler could make no sense of. */
  drop(from: PeerId, reason: DropReason): void {
    this.#dropped[reason] += 1;
    const link = this.#links.get(from);
    if (reason === "malformed" && link !== undefined) this.#blame(link);
  }

  /** Since the beginning, payload and headers. */
  bytesSent(): ByteCounts {
    return this.#ledger.counts();
  }

  /** Bytes sent so far, over all links. */
  totalBytesSent(): number {
    return Object.values(this.bytesSent()).reduce((sum, bytes) => sum + bytes, 0);
  }

  /** What came and went so far. */
  stats(): MuxStats {
    const links = Object.fromEntries([...this.#links].map(([peer, link]) => [peer, { ...link.stats }]));
    return { dropped: { ...this.#dropped }, links };
  }

  /** Ends all links. */
  close(): void {
    this.#transport.close();
  }

  #adopt(link: Link): void {
    const { peer } = link;
    const isNew = !this.#links.has(peer);
    this.#links.set(peer, link);
    this.#outboxes.set(link, new Outbox((frame) => link.send(frame)));
    if (!isNew) this.#lose(peer, "a new link took the place of the old one");
    link.onMessage((message) => this.#receive(link, message));
    link.onClose((reason) => {
      this.#malformed.delete(link);
      if (this.#links.get(peer) !== link) return;
      this.#links.delete(peer);
      this.#lose(peer, reason);
    });
  }

  #lose(peer: PeerId, reason: string): void {
    this.#router.lose(peer, reason);
    for (const listener of [...this.#lostListeners]) listener(peer, reason);
  }

  #receive(link: Link, message: Bytes): void {
    if (this.#links.get(link.peer) !== link) {
      this.#dropped.stale += 1; // Of a link that was replaced.
      return;
    }
    const { ok: frame, error } = decodeFrame(message, frameRulesOf(link.path).hasChecksum);
    if (frame === undefined) return this.#refuse(link, error);
    for (const listener of this.#frameListeners) listener(link.peer, frame, message.byteLength);
    switch (frame.type) {
      case "blobRequest":
      case "blobAnswer": {
        const handler = this.#blobHandlers.get(frame.type);
        if (handler === undefined) this.#dropped.unasked += 1;
        else handler(link.peer, frame);
        return;
      }
      case "data":
      case "grant":
      case "verdict":
        return this.#router.deliver(link.peer, frame);
      case "probe":
        return; // Whoever measures has seen it.
      default:
        frame.type satisfies never;
        assert(false, "receive: unknown frame type");
    }
  }

  #refuse(link: Link, fault: FrameFault): void {
    if (fault.kind === "version") {
      this.#dropped.version += 1;
      return link.close(`peer ${link.peer} sent a frame of another version: ${fault.message}`);
    }
    this.#dropped[fault.kind === "checksum" ? "checksum" : "malformed"] += 1;
    this.#blame(link);
  }

  #blame(link: Link): void {
    const count = (this.#malformed.get(link) ?? 0) + 1;
    this.#malformed.set(link, count);
    if (count >= this.#malformedFramesMax) {
      link.close(`peer ${link.peer} sent ${count} malformed frames`);
    }
  }
}

/** Grants, requests and verdicts are few and small, and others wait for them. Blobs have one frame at a time in line. */
function rankOf({ type, operation }: Frame, priority: number): FrameRank {
  if (type === "data") return { priority, operation };
  return { priority: type === "blobAnswer" || type === "probe" ? priority : -Infinity, operation: 0 };
}

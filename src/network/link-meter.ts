/**
 * What the links to this peer cost: a latency from pings in quiet moments, a bandwidth from messages of several frames,
 * timed from the first frame to the last. Where messages are too small for that, a short one is sent to be timed, once
 * to each peer. Each end measures what comes to it, so both directions are known, each by its receiver. Figures outlive
 * a link: the path between two peers changes seldom.
 */
import type { Clock } from "../base/clock.ts";
import type { Mux } from "./mux.ts";
import type { PeerId } from "./transport/transport.ts";
import type { Frame } from "./wire/frame.ts";
import { levelOf, type LinkFigure, type LinkLevel } from "./wire/link-levels.ts";

/** What a meter works with. */
export interface LinkMeterOptions {
  readonly clock: Clock;
  readonly mux: Pick<Mux, "onFrame" | "probe" | "send" | "stats">;
}

interface Figure {
  latencyMs: number | null;
  bytesPerMs: number | null;
  lookedAtMs: number;
  /** An answer to the last ping was not taken in yet. */
  isAsked: boolean;
  /** A message was sent to be timed. */
  isProbed: boolean;
  /** A message on its way: since when, and what came after its first frame. */
  open: { readonly message: string; readonly sinceMs: number; bytes: number } | null;
}

/** A ping costs next to nothing so seldom. */
const LOOK_MS = 10_000;
const ANSWER_MS_MAX = 1_000;
/** News go out this seldom. */
const TOLD_MS = 10_000;
/** Weight of the newest figure; a shorter round trip counts at once, since only queues make it longer. */
const SMOOTHING = 0.25;
/** Of a message: fewer bytes are over too soon to be timed, more may wait for this peer's grant. */
const BURST_BYTES_MIN = 32 * 1024;
const BURST_BYTES_MAX = 512 * 1024;
/** Clocks of pages are no finer. */
const BURST_MS_MIN = 1;
/** A message to be timed: 72 KiB. */
const PROBE_FRAMES = 3;
const PROBE_FRAME_BYTES = 24 * 1024;
/** Behind all that others wait for. */
const PROBE_PRIORITY = 1_000;
/** A message whose rest never came. */
const BURST_MS_MAX = 20_000;
/** Peers that were met and left are forgotten beyond so many. */
const PEERS_MAX = 256;

/** Measures from its making until `close`. */
export class LinkMeter {
  readonly #options: LinkMeterOptions;
  readonly #figures = new Map<PeerId, Figure>();
  readonly #stop: () => void;
  #told: ReadonlyMap<PeerId, LinkLevel> = new Map();
  #toldAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: LinkMeterOptions) {
    this.#options = options;
    this.#stop = options.mux.onFrame((peer, frame, bytes) => this.#received(peer, frame, bytes));
  }

  /** Measures no more. */
  close(): void {
    this.#stop();
  }

  /**
   * Pings those of `peers` that were not pinged for 10 s. To be called when the network is quiet: a ping waits behind
   * what is queued. Resolves when all have answered, or after a second; a peer that does not answer is others' to find.
   */
  async look(peers: readonly PeerId[]): Promise<void> {
    const { clock, mux } = this.#options;
    const nowMs = clock.nowMs();
    const due = peers.filter((peer) => nowMs - (this.#figures.get(peer)?.lookedAtMs ?? -Infinity) >= LOOK_MS);
    for (const peer of due) Object.assign(this.#figureOf(peer), { lookedAtMs: nowMs, isAsked: true });
    await Promise.allSettled(due.map((peer) => mux.probe(peer, { deadlineMs: ANSWER_MS_MAX })));
  }

  /**
   * Sends something to be timed to those of `peers` that sent nothing this peer could time: then the other way is hardly
   * known either. 72 KiB, once to each.
   */
  burst(peers: readonly PeerId[]): void {
    for (const peer of peers) {
      const figure = this.#figureOf(peer);
      if (figure.bytesPerMs !== null || figure.isProbed) continue;
      figure.isProbed = true;
      for (let chunk = 0; chunk < PROBE_FRAMES; chunk++)
        this.#options.mux.send(peer, probeFrame(chunk), "control", PROBE_PRIORITY).catch(() => {}); // Lost: others find out.
    }
  }

  /** What is known of the links from `peers`; those of whom nothing is are left out. */
  row(peers: readonly PeerId[]): LinkFigure[] {
    const { links } = this.#options.mux.stats();
    const figures = peers.flatMap((peer): LinkFigure[] => {
      const figure = this.#figures.get(peer);
      if (!figure) return [];
      if (figure.isAsked) takeRoundTrip(figure, links[peer]?.roundTripMs);
      const { latencyMs, bytesPerMs } = figure;
      return latencyMs === null && bytesPerMs === null ? [] : [[peer, rounded(latencyMs), rounded(bytesPerMs)]];
    });
    this.#told = this.#levels(figures);
    this.#toldAtMs = this.#options.clock.nowMs();
    return figures;
  }

  /** The row, where a level changed since it was last asked for and that is 10 s ago; else null. */
  news(peers: readonly PeerId[]): LinkFigure[] | null {
    if (this.#options.clock.nowMs() - this.#toldAtMs < TOLD_MS) return null;
    const before = this.#told;
    const row = this.row(peers);
    const isNew = row.some(([peer]) => {
      const [now, old] = [this.#told.get(peer), before.get(peer)];
      return now?.latency !== old?.latency || now?.bandwidth !== old?.bandwidth;
    });
    return isNew ? row : null;
  }

  #levels(row: readonly LinkFigure[]): Map<PeerId, LinkLevel> {
    return new Map(row.map((figure) => [figure[0], levelOf(figure, this.#told.get(figure[0]))]));
  }

  #figureOf(peer: PeerId): Figure {
    const known = this.#figures.get(peer);
    if (known) return known;
    const [oldest] = this.#figures.keys();
    if (this.#figures.size >= PEERS_MAX && oldest !== undefined) this.#figures.delete(oldest);
    const made: Figure = {
      latencyMs: null,
      bytesPerMs: null,
      lookedAtMs: -Infinity,
      isAsked: false,
      isProbed: false,
      open: null,
    };
    this.#figures.set(peer, made);
    return made;
  }

  #received(peer: PeerId, frame: Frame, bytes: number): void {
    if (frame.chunks < 2) {
      const open = this.#figures.get(peer)?.open;
      if (open) open.bytes += bytes; // It came in between, and took its time.
      return;
    }
    const figure = this.#figureOf(peer);
    const { type, epoch, group, operation, message, chunk, chunks } = frame;
    const name = `${type} ${epoch} ${group ?? 0} ${operation} ${message}`;
    const nowMs = this.#options.clock.nowMs();
    const { open } = figure;
    if (!open || nowMs - open.sinceMs > BURST_MS_MAX) {
      figure.open = chunk === 0 ? { message: name, sinceMs: nowMs, bytes: 0 } : null;
      return;
    }
    open.bytes += bytes;
    const isOver = open.message === name && chunk === chunks - 1;
    if (!isOver && open.bytes < BURST_BYTES_MAX) return;
    figure.open = null;
    if (open.bytes < BURST_BYTES_MIN) return;
    figure.bytesPerMs = mixed(figure.bytesPerMs, open.bytes / Math.max(BURST_MS_MIN, nowMs - open.sinceMs));
  }
}

function probeFrame(chunk: number): Frame {
  const fence = { incarnation: 0, epoch: 0, group: 0 };
  const payload = new Uint8Array(PROBE_FRAME_BYTES);
  return { type: "probe", ...fence, operation: 0, message: 0, chunk, chunks: PROBE_FRAMES, payload };
}

function takeRoundTrip(figure: Figure, roundTripMs: number | undefined): void {
  if (roundTripMs === undefined) return;
  const latencyMs = roundTripMs / 2;
  figure.isAsked = false;
  figure.latencyMs = latencyMs < (figure.latencyMs ?? Infinity) ? latencyMs : mixed(figure.latencyMs, latencyMs);
}

/** In ratios: a figure ten times too high weighs as much as one ten times too low. */
function mixed(old: number | null, newest: number): number {
  return old === null || old === 0 ? newest : old * (newest / old) ** SMOOTHING;
}

/** Two digits are more than is known. */
function rounded(value: number | null): number | null {
  return value === null ? null : Number(value.toPrecision(2));
}

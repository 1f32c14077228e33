/**
 * Measures the links of a group: every pair in turn, so that no measurement stands in another's way. Latency is half
 * of a small round trip, the least of several; bandwidth what a burst and its answer took beyond that.
 */
import type { Clock } from "../../../base/clock.ts";
import type { WaitOptions } from "../../../base/wait.ts";
import type { Group } from "../group.ts";
import { ranksOf } from "../program.ts";
import { decodeRows, encodeRow } from "./link-matrix.ts";
import type { LinkCost, LinkMatrix } from "./link-matrix.ts";

/** How to measure. */
export interface MeasureOptions extends WaitOptions {
  /** The first of `operationsOfMeasuring(size)` numbers that nothing else uses. */
  readonly operation: number;
  /** 256 KiB if left out. */
  readonly burstBytes?: number;
}

/** Who sends: the lower rank or the other. A burst is followed by its answer. */
const TURNS: readonly { readonly fromFirst: boolean; readonly isBurst: boolean }[] = [
  ...[true, false, true, false, true, false, true].map((fromFirst) => ({ fromFirst, isBurst: false })),
  { fromFirst: false, isBurst: true },
  { fromFirst: true, isBurst: false },
  { fromFirst: true, isBurst: true },
  { fromFirst: false, isBurst: false },
];
const BURST_BYTES = 256 * 1024;
const ITSELF: LinkCost = { latencyMs: 0, bytesPerMs: Infinity };

/** How many operations `measureLinks` takes. */
export function operationsOfMeasuring(size: number): number {
  return rounds(size).length * TURNS.length + 1;
}

/** The same matrix on all members. Collective: all of them call it. */
export async function measureLinks(group: Group, clock: Clock, options: MeasureOptions): Promise<LinkMatrix> {
  const { size, rank } = group;
  const row = new Array<LinkCost>(size).fill(ITSELF);
  let { operation } = options;
  for (const pairs of rounds(size)) {
    const partner = pairs[rank];
    if (partner !== undefined) row[partner] = await measureLink(group, clock, partner, { ...options, operation });
    operation += TURNS.length;
  }
  const bounds = ranksOf(size + 1).map((at) => at * 8 * size);
  const rows = await group.allGather(encodeRow(row), bounds, { ...options, operation, category: "control" });
  return decodeRows(rows, size);
}

/**
 * Both ends send in turn, and each times from its own message to the answer: a round trip with small messages, a
 * burst and an answer with large ones.
 */
async function measureLink(group: Group, clock: Clock, partner: number, options: MeasureOptions): Promise<LinkCost> {
  const isFirst = group.rank < partner;
  const { burstBytes = BURST_BYTES } = options;
  const times = { roundTripMs: Infinity, burstMs: Infinity };
  let sent: { readonly atMs: number; readonly kind: keyof typeof times } | null = null;
  for (const [at, { fromFirst, isBurst }] of TURNS.entries()) {
    const turn = { ...options, operation: options.operation + at, category: "control" } as const;
    if (fromFirst === isFirst) {
      sent = { atMs: clock.nowMs(), kind: isBurst ? "burstMs" : "roundTripMs" };
      await group.send(partner, new Uint8Array(isBurst ? burstBytes : 1), turn);
    } else {
      await group.receive(partner, turn);
      if (sent !== null) times[sent.kind] = Math.min(times[sent.kind], clock.nowMs() - sent.atMs);
      sent = null;
    }
  }
  const { roundTripMs, burstMs } = times;
  return { latencyMs: roundTripMs / 2, bytesPerMs: burstBytes / Math.max(burstMs - roundTripMs, 1e-3) };
}

/** Pairings in which everybody meets everybody once: `rounds[k][rank]` is the partner (the circle method). */
function rounds(size: number): (number | undefined)[][] {
  const places = size + (size % 2);
  return ranksOf(Math.max(0, places - 1)).map((round) =>
    ranksOf(size).map((rank) => {
      const last = places - 1;
      const fixed = (round * (places / 2)) % last;
      const partner = rank === last ? fixed : (round - rank + last * 2) % last;
      const other = rank !== last && partner === rank ? last : partner;
      return other < size ? other : undefined;
    }),
  );
}

/**
 * What links cost, as members tell it and as they are told: a member's *row* has what it measured, in milliseconds and
 * bytes a millisecond; the *levels* that the coordinator makes of all rows are powers of two, so that noise does not
 * change them and every member reads the same numbers.
 *
 * As text a link is two letters: "a" is a latency of 1/8 ms, each further letter twice that; and "a" is a byte a
 * millisecond, each further letter twice that. Links come by rank of the sender, then of the receiver.
 */
import type { PeerId } from "../transport/transport.ts";

/** What one member found of the way from `peer` to itself; null for what it could not measure yet. */
export type LinkFigure = readonly [peer: PeerId, latencyMs: number | null, bytesPerMs: number | null];

/** A link's levels: 2^(latency - 3) ms, 2^bandwidth bytes a millisecond. */
export interface LinkLevel {
  readonly latency: number | null;
  readonly bandwidth: number | null;
}

/** Larger rooms go without: choosing there takes a member a second, and an order of 24 is as good as any. */
export const LINKED_MEMBERS_MAX = 24;
/** Bounds on what a member may say. */
export const LATENCY_MS_MAX = 60_000;
export const BYTES_PER_MS_MAX = 1e9;

const LATENCY_SHIFT = 3;
const LATENCY_LEVELS = 16;
const BANDWIDTH_LEVELS = 26;
/** A figure has to be so many levels away from the last one's level to change it: half would let it flicker. */
const STICKINESS = 0.8;
const LETTERS = "abcdefghijklmnopqrstuvwxyz";

export const UNMEASURED: LinkLevel = { latency: null, bandwidth: null };

/** The levels of a figure, as before where it changed little. */
export function levelOf([, latencyMs, bytesPerMs]: LinkFigure, before: LinkLevel = UNMEASURED): LinkLevel {
  return {
    latency:
      latencyMs === null ? null : levelNear(latencyMs * powerOfTwo(LATENCY_SHIFT), before.latency, LATENCY_LEVELS),
    bandwidth: bytesPerMs === null ? null : levelNear(bytesPerMs, before.bandwidth, BANDWIDTH_LEVELS),
  };
}

/** Milliseconds of a latency level. */
export function latencyMsOf(level: number): number {
  return powerOfTwo(level) / powerOfTwo(LATENCY_SHIFT);
}

/** Bytes a millisecond of a bandwidth level. */
export function bytesPerMsOf(level: number): number {
  return powerOfTwo(level);
}

/** By products: exact in every engine, as members' choices have to be. */
function powerOfTwo(exponent: number): number {
  return exponent === 0 ? 1 : 2 * powerOfTwo(exponent - 1);
}

/** `links[from][to]` as text. */
export function encodeLevels(
  links: readonly (readonly { readonly latency: number; readonly bandwidth: number }[])[],
): string {
  const others = links.flatMap((row, from) => row.filter((_, to) => to !== from));
  return others.map(({ latency, bandwidth }) => `${LETTERS[latency]}${LETTERS[bandwidth]}`).join("");
}

/** The levels of `size` members, `links[from][to]`; null where the text is not that of so many. */
export function decodeLevels(text: string, size: number): { latency: number; bandwidth: number }[][] | null {
  if (size > LINKED_MEMBERS_MAX || text.length !== 2 * size * (size - 1) || !/^(?:[a-p][a-z])*$/.test(text))
    return null;
  let at = 0;
  const next = (): number => LETTERS.indexOf(text[at++] ?? "");
  return Array.from({ length: size }, (_, from) =>
    Array.from({ length: size }, (__, to) =>
      from === to ? { latency: 0, bandwidth: 0 } : { latency: next(), bandwidth: next() },
    ),
  );
}

function levelNear(value: number, before: number | null, levels: number): number {
  const exact = Math.min(levels - 1, Math.max(0, Math.log2(value)));
  if (before !== null && Math.abs(exact - before) <= STICKINESS) return before;
  return Math.round(exact);
}

/**
 * Markers: what one writer has of one generation on this device's disk. Written last and `strict`, so that a marker
 * that can be read vouches for every pack it names, and tells which chunks are in it.
 *
 * A sealed record is its own SHA-256 in hexadecimal, a newline, and JSON in UTF-8: a torn or altered one never parses.
 */
import * as v from "valibot";
import { concatBytes } from "../../base/bytes.ts";
import type { Bytes } from "../../base/bytes.ts";
import { hashBytes, hashText } from "../../base/hash.ts";
import type { Hash } from "../../base/hash.ts";
import type { Pack } from "./pack.ts";

/** Grows when markers change their meaning. Those of another version are left alone, and nothing they may name is deleted. */
const MARKER_VERSION = 2;
const HASH_LENGTH = 64;

export interface Marker {
  /** The room that the run belongs to. */
  readonly run: string;
  readonly step: number;
  /** Names the history that led to the step: two generations of one step may differ. */
  readonly chain: Hash;
  readonly writer: string;
  readonly shards: readonly StoredShard[];
  /** With all chunks of the shards. */
  readonly packs: readonly Pack[];
}

/** One shard on disk: both of its chunks. */
export interface StoredShard {
  readonly shard: number;
  readonly parameter: Hash;
  readonly optimizer: Hash;
}

const hash = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const versioned = v.object({ version: v.number() });
const marker = v.object({
  version: v.literal(MARKER_VERSION),
  run: v.string(),
  step: count,
  chain: v.string(),
  writer: v.string(),
  shards: v.array(v.object({ shard: count, parameter: hash, optimizer: hash })),
  packs: v.array(v.object({ name: hash, chunks: v.array(v.object({ hash, bytes: count })) })),
});

/** Prefix of all markers' keys, of all runs. */
export const MARKERS = "marker/";

/** Prefix of a run's markers. Hashed, since a room's name may hold anything. */
export function runPrefix(run: string): string {
  return `${MARKERS}${hashText(run).slice(0, 32)}/`;
}

/** Prefix of a generation's markers, in the order of steps; of all of a step's without a chain. */
export function generationPrefix({ run, step, chain }: Pick<Marker, "run" | "step"> & { chain?: Hash }): string {
  const prefix = `${runPrefix(run)}${String(step).padStart(10, "0")}/`;
  return chain === undefined ? prefix : `${prefix}${hashText(chain).slice(0, 32)}/`;
}

/** One key for each run, generation and writer. */
export function markerKey(marker: Pick<Marker, "run" | "step" | "chain" | "writer">): string {
  return `${generationPrefix(marker)}${hashText(marker.writer).slice(0, 16)}`;
}

export function encodeMarker(value: Marker): Bytes {
  return seal({ version: MARKER_VERSION, ...value });
}

/** The marker in `bytes`; or why it is none: damaged, or written by another version of hearth. */
export function decodeMarker(bytes: Bytes): Marker | "corrupt" | "other-version" {
  const found = unseal(bytes);
  if (!v.is(versioned, found)) return "corrupt";
  if (found.version !== MARKER_VERSION) return "other-version";
  const parsed = v.safeParse(marker, found);
  return parsed.success ? parsed.output : "corrupt";
}

/** `value` as JSON behind its checksum. */
export function seal(value: unknown): Bytes {
  const encoder = new TextEncoder();
  const json = encoder.encode(JSON.stringify(value));
  return concatBytes([encoder.encode(`${hashBytes(json)}\n`), json]);
}

/** What was sealed, or undefined when it is not what it was. */
export function unseal(bytes: Bytes): unknown {
  const json = bytes.subarray(HASH_LENGTH + 1);
  if (new TextDecoder().decode(bytes.subarray(0, HASH_LENGTH)) !== hashBytes(json)) return undefined;
  return JSON.parse(new TextDecoder().decode(json));
}

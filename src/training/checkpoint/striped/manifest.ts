/**
 * What a striped checkpoint consists of: tensors laid end to end, that space cut into stripes, each stripe into k chunks
 * of data and n - k of parity, and every chunk's hash and holders. With it alone a run can be restored, by whoever has
 * k good chunks of each stripe, onto any number of members.
 */
import * as v from "valibot";
import type { Bytes } from "../../../base/bytes.ts";
import { CorruptDataError } from "../../../base/errors.ts";
import type { Hash } from "../../../base/hash.ts";
import { seal, unseal } from "../marker.ts";

/** Grows when manifests change their meaning. */
const MANIFEST_VERSION = 1;

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const hash = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));
const chunk = v.object({ hash, holders: v.array(v.string()) });
const stripe = v.object({
  offset: count,
  bytes: count,
  dataChunks: v.pipe(count, v.minValue(1)),
  chunkBytes: count,
  chunks: v.array(chunk),
});
const tensor = v.object({ name: v.string(), dtype: v.string(), shape: v.array(count), offset: count, bytes: count });
const manifest = v.object({
  version: v.literal(MANIFEST_VERSION),
  run: v.string(),
  generation: count,
  step: count,
  chain: v.string(),
  tensors: v.array(tensor),
  stripes: v.array(stripe),
  digest: hash,
  sampler: v.object({ seed: v.number(), position: count }),
  random: v.array(v.number()),
  optimizer: v.object({ name: v.string(), options: v.record(v.string(), v.number()) }),
  lossScale: v.nullable(v.number()),
});

/** A chunk and the devices that hold it. */
export interface StoredChunk {
  readonly hash: Hash;
  readonly holders: readonly string[];
}

/** Bytes [offset, offset + bytes) as `dataChunks` chunks of `chunkBytes`, the last ones padded with zeros, then parity. */
export interface Stripe {
  readonly offset: number;
  readonly bytes: number;
  readonly dataChunks: number;
  readonly chunkBytes: number;
  readonly chunks: readonly StoredChunk[];
}

/** A tensor's place in the checkpoint's space. */
export interface StoredTensor {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly offset: number;
  readonly bytes: number;
}

/** Everything that a restore needs to know. */
export interface Manifest {
  readonly version: 1;
  readonly run: string;
  readonly generation: number;
  readonly step: number;
  readonly chain: Hash;
  /** Each [offset, offset + bytes) of the checkpoint's space: parameters, then optimizer state. */
  readonly tensors: readonly StoredTensor[];
  readonly stripes: readonly Stripe[];
  /** Root over the data chunks' hashes. */
  readonly digest: Hash;
  /** Where the sampler goes on; its order is a function of the run's seed. */
  readonly sampler: { readonly seed: number; readonly position: number };
  readonly random: readonly number[];
  readonly optimizer: { readonly name: string; readonly options: Readonly<Record<string, number>> };
  readonly lossScale: number | null;
}

export function encodeManifest(value: Manifest): Bytes {
  return seal(value);
}

/** @throws CorruptDataError that names what is wrong: torn bytes, another version or run, ranges that overlap or leave gaps */
export function decodeManifest(bytes: Bytes, run: string): Manifest {
  const found = unseal(bytes);
  if (found === undefined) throw new CorruptDataError("manifest: expected bytes that fit their checksum");
  const { version } = v.is(v.object({ version: v.number() }), found) ? found : { version: undefined };
  if (version !== MANIFEST_VERSION) {
    throw new CorruptDataError(`manifest: expected version ${MANIFEST_VERSION}, found ${version}`);
  }
  const parsed = v.safeParse(manifest, found);
  if (!parsed.success) throw new CorruptDataError(`manifest: ${parsed.issues[0].message}`);
  checkManifest(parsed.output, run);
  return parsed.output;
}

function checkManifest({ run, generation, tensors, stripes }: Manifest, expected: string): void {
  const what = `manifest of generation ${generation}`;
  if (run !== expected)
    throw new CorruptDataError(`${what}: expected a chunk list of run "${expected}", found "${run}"`);
  const total = checkRanges(what, "tensor", tensors);
  const covered = checkRanges(what, "stripe", stripes);
  if (total !== covered) throw new CorruptDataError(`${what}: expected stripes over ${total} bytes, found ${covered}`);
  for (const [at, { bytes, dataChunks, chunkBytes, chunks }] of stripes.entries()) {
    if (chunks.length < dataChunks) {
      throw new CorruptDataError(`${what}: expected ${dataChunks} chunks in stripe ${at}, found ${chunks.length}`);
    }
    if (dataChunks * chunkBytes < bytes) {
      throw new CorruptDataError(`${what}: stripe ${at} of ${bytes} bytes does not fit ${dataChunks} x ${chunkBytes}`);
    }
  }
}

/** The end of ranges that follow one another without gap or overlap. */
function checkRanges(what: string, kind: string, ranges: readonly { offset: number; bytes: number }[]): number {
  let end = 0;
  for (const [at, { offset, bytes }] of ranges.entries()) {
    if (offset < end) throw new CorruptDataError(`${what}: ${kind} ${at} overlaps the one before, at byte ${offset}`);
    if (offset > end) throw new CorruptDataError(`${what}: bytes ${end} to ${offset} are in no ${kind}`);
    end = offset + bytes;
  }
  return end;
}

/** All hashes that a manifest names. */
export function hashesOf({ stripes }: Manifest): Set<Hash> {
  return new Set(stripes.flatMap(({ chunks }) => chunks.map((stored) => stored.hash)));
}

/**
 * Scrubbing: what rotted on this disk is found before it is needed, and mended from the cheapest source that has it: this
 * tab's memory, other members, and for the checkpoint before the present one its parity.
 */
import type { Bytes } from "../../base/bytes.ts";
import type { Hash } from "../../base/hash.ts";
import type { PeerId } from "../../network/transport/transport.ts";
import type { StoredParity } from "../../network/wire/state-record.ts";
import { gatherAvailable, stripesOf, type GatherInput } from "../recovery/gather.ts";
import type { Chunks } from "./chunks.ts";

export interface ScrubInput extends Pick<GatherInput, "self" | "blobs" | "find" | "clock" | "options"> {
  readonly room: string;
  readonly chunks: Chunks;
  /** Members that may be asked; `self` among them or not. */
  readonly peers: readonly PeerId[];
  /** Of the newest checkpoint in the log, where it has any. */
  readonly parity: StoredParity | undefined;
  /** Bytes of a shard's parameters, and of its optimizer state. */
  readonly bytesOf: (shard: number) => readonly [parameter: number, optimizer: number];
}

export interface Scrubbed {
  readonly missing: number;
  /** Of them; the rest is the next checkpoint's to replace. */
  readonly mended: number;
}

/** Reads every chunk that this disk should have of the room. @throws QuotaError when mending needs room that is not there */
export async function scrub(input: ScrubInput): Promise<Scrubbed> {
  const { room, chunks, peers, self, parity, bytesOf } = input;
  const { missing } = await chunks.scrub(room);
  if (missing.size === 0) return { missing: 0, mended: 0 };
  const others = peers.filter((peer) => peer !== self);
  const everybody = [...others, self];
  const stripes = stripesOf(parity?.stripes ?? [], {
    parameter: (shard) => ({
      hash: parity?.parameters[shard] ?? "",
      sources: everybody,
      bytes: bytesOf(shard)[0],
    }),
    optimizer: (shard) => ({ hash: parity?.optimizer[shard] ?? "", sources: everybody, bytes: bytesOf(shard)[1] }),
  });
  const wanted = new Map([...missing].map((hash) => [hash, others] as const));
  const readChunk = (hash: Hash): Promise<Bytes | undefined> => chunks.readChunk(hash);
  const { found } = await gatherAvailable({ ...input, wanted, stripes, readChunk, keep: () => {} });
  const mended = new Map([...found].filter(([hash]) => missing.has(hash)));
  await chunks.repair(mended);
  return { missing: missing.size, mended: mended.size };
}

/**
 * Getting the bytes of a record, the cheapest redundancy first: this tab's own memory, its disk, other members (their memory
 * and disks), and last what parity gives back. All by content: whoever lies is found out, and another one is asked.
 */
import type { Bytes } from "../../base/bytes.ts";
import type { Clock } from "../../base/clock.ts";
import { MissingDataError } from "../../base/errors.ts";
import { hashBytes, type Hash } from "../../base/hash.ts";
import type { WaitOptions } from "../../base/wait.ts";
import type { WantedBlob } from "../../network/blob-fetch.ts";
import type { BlobExchange } from "../../network/blob-exchange.ts";
import type { PeerId } from "../../network/transport/transport.ts";
import type { Recovery, RecoverySource } from "../../network/wire/run-line.ts";
import type { StripeSources } from "../../network/wire/state-record.ts";
import { rebuildParts } from "../checkpoint/parity.ts";

/** A stripe's parts by content, for one of the two kinds of bytes. */
export interface WantedStripe {
  readonly parts: readonly { readonly hash: Hash; readonly sources: readonly PeerId[]; readonly bytes: number }[];
  readonly parity: readonly { readonly hash: Hash; readonly sources: readonly PeerId[]; readonly row: number }[];
}

export interface GatherInput {
  readonly self: PeerId;
  readonly wanted: ReadonlyMap<Hash, readonly PeerId[]>;
  readonly stripes: readonly WantedStripe[];
  readonly blobs: BlobExchange;
  readonly find: (hash: Hash) => Bytes | undefined;
  readonly readChunk: (hash: Hash) => Promise<Bytes | undefined>;
  /** Told of what arrived, so that the next attempt finds it even if this one fails. */
  readonly keep: (hash: Hash, bytes: Bytes) => void;
  readonly clock: Clock;
  readonly options: WaitOptions;
}

export interface Gathered {
  readonly found: ReadonlyMap<Hash, Bytes>;
  readonly recovered: readonly Recovery[];
}

/** All that is wanted. @throws MissingDataError with the hashes that no source and no parity could give; DeadlineError */
export async function gather(input: GatherInput): Promise<Gathered> {
  const gathering = await gatherAvailable(input);
  const missing = gathering.missing().map(({ hash }) => hash);
  if (missing.length > 0) {
    throw new MissingDataError(
      [...new Set([...missing, ...gathering.useless])],
      `gather: expected ${input.wanted.size} shards from members and parity, found ${missing.length} nowhere to be had`,
    );
  }
  return { found: gathering.found, recovered: gathering.recovered };
}

/** As much of what is wanted as there is; parts of stripes that were needed for it besides. @throws DeadlineError */
export async function gatherAvailable(input: GatherInput): Promise<Gathering> {
  const gathering = new Gathering(input);
  await gathering.rung("memory", () => gathering.takeOwn((hash) => input.find(hash)));
  // The disk is asked only for what the coordinator was told is there.
  await gathering.rung("disk", () =>
    gathering.takeOwn((hash, sources) => (sources.includes(input.self) ? input.readChunk(hash) : undefined)),
  );
  await gathering.rung("peers", () => gathering.fetch(gathering.missing()));
  await gathering.rung("parity", () => gathering.rebuild());
  return gathering;
}

class Gathering {
  readonly found: Map<Hash, Bytes> = new Map();
  readonly recovered: Recovery[] = [];
  /** Parts of stripes that were promised and did not come, or did not fit: of interest where something is missing. */
  readonly useless: Set<Hash> = new Set();
  readonly #input: GatherInput;

  constructor(input: GatherInput) {
    this.#input = input;
  }

  missing(): WantedBlob[] {
    const { wanted } = this.#input;
    return [...wanted].filter(([hash]) => !this.found.has(hash)).map(([hash, sources]) => ({ hash, sources }));
  }

  /** Notes what of what is wanted `work` brought, and how long it took. */
  async rung(source: RecoverySource, work: () => Promise<void>): Promise<void> {
    const { clock } = this.#input;
    const before = this.missing();
    if (before.length === 0) return;
    const startMs = clock.nowMs();
    await work();
    const brought = before.flatMap(({ hash }) => this.found.get(hash) ?? []);
    if (brought.length === 0) return;
    const bytes = brought.reduce((sum, { byteLength }) => sum + byteLength, 0);
    this.recovered.push({ source, shards: brought.length, bytes, ms: clock.nowMs() - startMs });
  }

  async takeOwn(
    read: (hash: Hash, sources: readonly PeerId[]) => Bytes | undefined | Promise<Bytes | undefined>,
  ): Promise<void> {
    for (const { hash, sources } of this.missing()) {
      const bytes = await read(hash, sources);
      if (bytes) this.found.set(hash, bytes);
    }
  }

  /** What of `blobs` others give; whatever is missing after that, no source had. */
  async fetch(blobs: readonly WantedBlob[]): Promise<void> {
    const { self, options, keep } = this.#input;
    const remote = blobs
      .map(({ hash, sources }) => ({ hash, sources: sources.filter((peer) => peer !== self) }))
      .filter(({ sources }) => sources.length > 0);
    if (remote.length === 0) return;
    const onBlob = (hash: Hash, bytes: Bytes): void => {
      this.found.set(hash, bytes);
      keep(hash, bytes);
    };
    try {
      await this.#input.blobs.fetchAll(remote, { ...options, category: "join", onBlob });
    } catch (error) {
      if (!(error instanceof MissingDataError)) throw error;
    }
  }

  /** Computes what no one has: the rest of each stripe that lacks something wanted is fetched, data before parity. */
  async rebuild(): Promise<void> {
    const lacking = new Set(this.missing().map(({ hash }) => hash));
    let open = this.#input.stripes.filter(({ parts }) => parts.some(({ hash }) => lacking.has(hash)));
    const tried = new Set<Hash>();
    for (;;) {
      open = open.filter((stripe) => !this.#isSolved(stripe));
      const next = open.flatMap((stripe) => this.#nextOf(stripe, tried));
      if (next.length === 0) return;
      await this.#get(next);
      for (const { hash } of next) {
        tried.add(hash);
        if (!this.found.has(hash)) this.useless.add(hash);
      }
    }
  }

  #had({ parts, parity }: WantedStripe): number {
    return [...parts, ...parity].filter(({ hash }) => this.found.has(hash) && !this.useless.has(hash)).length;
  }

  /** As many further parts as a stripe still needs. */
  #nextOf(stripe: WantedStripe, tried: ReadonlySet<Hash>): WantedBlob[] {
    const { parts, parity } = stripe;
    const left = [...parts, ...parity].filter(
      ({ hash, sources }) => sources.length > 0 && !this.found.has(hash) && !tried.has(hash),
    );
    return left.slice(0, parts.length - this.#had(stripe));
  }

  async #get(blobs: readonly WantedBlob[]): Promise<void> {
    const { self, find, readChunk } = this.#input;
    const remote: WantedBlob[] = [];
    for (const blob of blobs) {
      const own = find(blob.hash) ?? (blob.sources.includes(self) ? await readChunk(blob.hash) : undefined);
      if (own) this.found.set(blob.hash, own);
      else remote.push(blob);
    }
    await this.fetch(remote);
  }

  /** False while a stripe needs more parts. Parity of other bytes gives other bytes: it is believed no more than anybody is. */
  #isSolved(stripe: WantedStripe): boolean {
    const { parts, parity } = stripe;
    if (this.#had(stripe) < parts.length) return false;
    const longest = Math.max(...parts.map(({ bytes }) => bytes));
    const rows = new Map<number, Bytes>();
    for (const { hash, row } of parity) {
      const bytes = this.found.get(hash);
      if (bytes && !this.useless.has(hash)) {
        if (bytes.byteLength === longest) rows.set(row, bytes);
        else this.useless.add(hash);
      }
    }
    if (this.#had(stripe) < parts.length) return false;
    const whole = rebuildParts(
      parts.map(({ hash }) => this.found.get(hash) ?? null),
      rows,
      parts.map(({ bytes }) => bytes),
    );
    for (const [at, { hash }] of parts.entries()) {
      const bytes = whole[at];
      if (bytes && hashBytes(bytes) === hash) this.found.set(hash, bytes);
      else for (const wrong of parity) if (rows.has(wrong.row)) this.useless.add(wrong.hash);
    }
    return parts.every(({ hash }) => this.found.has(hash));
  }
}

type PartOf = (shard: number) => WantedStripe["parts"][number];

/** The two stripes, over parameters and over optimizer state, that each of `stripes` stands for. */
export function stripesOf(
  stripes: readonly StripeSources[],
  partOf: { readonly parameter: PartOf; readonly optimizer: PartOf },
): WantedStripe[] {
  return stripes.flatMap(({ shards, parity }) =>
    (["parameter", "optimizer"] as const).map((kind) => ({
      parts: shards.map(partOf[kind]),
      parity: parity.map((entry) => ({ hash: entry[kind], sources: entry.sources, row: entry.row })),
    })),
  );
}

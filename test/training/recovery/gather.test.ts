/** Getting the bytes of a state from donors that break off, lack things or lie. */
import { expect, test } from "vitest";
import type { Bytes } from "../../../src/base/bytes.ts";
import { MissingDataError } from "../../../src/base/errors.ts";
import { hashBytes, type Hash } from "../../../src/base/hash.ts";
import { BlobExchange } from "../../../src/network/blob-exchange.ts";
import { parityOf } from "../../../src/training/checkpoint/parity.ts";
import { gather, type GatherInput, type WantedStripe } from "../../../src/training/recovery/gather.ts";
import { swarm, type Swarm } from "../../network/support/swarm.ts";

const SHARDS = Array.from({ length: 40 }, (_, shard) => new Uint8Array(300 - shard).fill(shard + 1));
const STOCK: ReadonlyMap<Hash, Bytes> = new Map(SHARDS.map((bytes) => [hashBytes(bytes), bytes]));

type Donor = (hash: Hash) => Bytes | undefined;

interface Setting {
  readonly all: Swarm;
  readonly kept: Map<Hash, Bytes>;
  readonly asked: Hash[];
  run(input: Partial<GatherInput>): ReturnType<typeof gather>;
}

/** Peer 0 gathers; peer n + 1 answers by donor n. */
async function setting(donors: readonly Donor[]): Promise<Setting> {
  const all = await swarm(donors.length + 1, 5);
  const asked: Hash[] = [];
  donors.forEach((donor, at) => {
    const mux = all.mux(at + 1);
    new BlobExchange({ mux, clock: all.network.clockOf(mux.self) }).serve(async (hash) => {
      asked.push(hash);
      return donor(hash);
    });
  });
  const clock = all.network.clockOf("peer-0");
  const blobs = new BlobExchange({ mux: all.mux(0), clock });
  const kept = new Map<Hash, Bytes>();
  const sources = donors.map((_, at) => `peer-${at + 1}`);
  const run = (input: Partial<GatherInput>): ReturnType<typeof gather> =>
    all.run(
      gather({
        self: "peer-0",
        wanted: new Map([...STOCK.keys()].map((hash) => [hash, sources])),
        stripes: [],
        blobs,
        find: (hash) => kept.get(hash),
        readChunk: async () => undefined,
        keep: (hash, bytes) => void kept.set(hash, bytes),
        clock,
        options: { deadlineMs: 30_000 },
        ...input,
      }),
    );
  return { all, kept, asked, run };
}

test("a transfer that breaks off goes on where it was: what arrived is not asked for again", async () => {
  let left = 25;
  const { asked, run } = await setting([(hash) => (left-- > 0 ? STOCK.get(hash) : undefined)]);
  const failure = await run({}).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(MissingDataError);
  expect((failure as MissingDataError).hashes).toHaveLength(15);
  left = Number.POSITIVE_INFINITY;
  const before = asked.length;
  const { found, recovered } = await run({});
  expect(asked.length - before).toBe(15);
  expect(found.size).toBe(SHARDS.length);
  expect(recovered.map(({ source, shards }) => [source, shards])).toEqual([
    ["memory", 25],
    ["peers", 15],
  ]);
});

test("a donor that lies is found out, and the good copies of another are used", async () => {
  const liar: Donor = (hash) => STOCK.get(hash)?.map((byte) => byte ^ 1);
  const { run } = await setting([liar, (hash) => STOCK.get(hash)]);
  const { found } = await run({});
  for (const [hash, bytes] of found) expect(hashBytes(bytes)).toBe(hash);
  expect(found.size).toBe(SHARDS.length);
});

test("a member whose state is stale fetches only what differs", async () => {
  const { asked, kept, run } = await setting([(hash) => STOCK.get(hash)]);
  const fresh = [...STOCK].slice(0, 37);
  for (const [hash, bytes] of fresh) kept.set(hash, bytes);
  const { recovered } = await run({});
  expect(asked.sort()).toEqual([...STOCK.keys()].slice(37).sort());
  expect(recovered.at(-1)).toMatchObject({ source: "peers", shards: 3 });
});

/** The first four shards as a stripe with two rows of parity; donor n has what `has` says. */
function striped(isTrue: readonly boolean[]): { stripe: WantedStripe; parity: Map<Hash, Bytes> } {
  const parts = SHARDS.slice(0, 4);
  const rows = isTrue.map((isRight, row) => (isRight ? parityOf(parts, row) : new Uint8Array(300).fill(9 + row)));
  const stripe = {
    parts: parts.map((bytes) => ({ hash: hashBytes(bytes), sources: ["peer-1"], bytes: bytes.byteLength })),
    parity: rows.map((bytes, row) => ({ hash: hashBytes(bytes), sources: ["peer-1"], row })),
  };
  return { stripe, parity: new Map(rows.map((bytes) => [hashBytes(bytes), bytes])) };
}

test("two shards that nobody has are computed from parity", async () => {
  const { stripe, parity } = striped([true, true]);
  const lost = new Set(stripe.parts.slice(1, 3).map(({ hash }) => hash));
  const { run } = await setting([(hash) => (lost.has(hash) ? undefined : (STOCK.get(hash) ?? parity.get(hash)))]);
  const { found, recovered } = await run({ stripes: [stripe] });
  for (const [hash, bytes] of STOCK) expect(found.get(hash)).toEqual(bytes);
  expect(recovered.map(({ source, shards }) => [source, shards])).toEqual([
    ["peers", 38],
    ["parity", 2],
  ]);
});

test("parity of other bytes is not believed: the other row is used, and without one its hash is named as missing", async () => {
  for (const isSecondRight of [true, false]) {
    const { stripe, parity } = striped([false, isSecondRight]);
    const lost = stripe.parts[2]?.hash ?? "";
    const { run } = await setting([(hash) => (hash === lost ? undefined : (STOCK.get(hash) ?? parity.get(hash)))]);
    const result = await run({ stripes: [stripe] }).catch((error: unknown) => error);
    if (isSecondRight) expect((result as Awaited<ReturnType<typeof gather>>).found.get(lost)).toEqual(SHARDS[2]);
    else expect((result as MissingDataError).hashes).toEqual([lost, ...parity.keys()]);
  }
});

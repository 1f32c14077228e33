import { expect, test } from "vitest";
import type { Bytes } from "../../src/base/bytes.ts";
import { AbortedError, CorruptDataError, DeadlineError, MissingDataError } from "../../src/base/errors.ts";
import { hashBytes } from "../../src/base/hash.ts";
import { Random } from "../../src/base/random.ts";
import type { BlobFault } from "../../src/network/blob-fetch.ts";
import { BlobExchange } from "../../src/network/blob-exchange.ts";
import type { FetchOptions } from "../../src/network/blob-exchange.ts";
import { decodeBlobRequest, encodeBlobRequest } from "../../src/network/wire/blob-request.ts";
import { swarm } from "./support/swarm.ts";
import type { Swarm } from "./support/swarm.ts";

const SEED = 20_260_108;

function options(more: Partial<FetchOptions> = {}): FetchOptions {
  return { deadlineMs: 60_000, category: "join", ...more };
}

function blobs(seed: number, count: number, bytes: number): Map<string, Bytes> {
  const random = new Random(seed, "blobs");
  const all = Array.from({ length: count }, (_, index) => {
    const blob = new Uint8Array(bytes + index);
    for (let at = 0; at < blob.length; at += 97) blob[at] = random.below(256);
    new DataView(blob.buffer).setUint32(0, index);
    return blob;
  });
  return new Map(all.map((blob) => [hashBytes(blob), blob]));
}

/** Faster than `toEqual`, which compares every entry with every other. */
function expectSame(got: ReadonlyMap<string, Bytes>, stock: ReadonlyMap<string, Bytes>): void {
  expect([...got.keys()].sort()).toEqual([...stock.keys()].sort());
  for (const [hash, blob] of stock) expect(Buffer.compare(got.get(hash) as Bytes, blob), hash).toBe(0);
}

/** Exchanges on a swarm; `served[rank]` counts what each was asked for. */
async function exchanges(size: number, stock: ReadonlyMap<string, Bytes>, more: Parameters<typeof swarm>[2] = {}) {
  const all: Swarm = await swarm(size, SEED, more);
  const served = all.muxes.map(() => 0);
  const made = all.muxes.map((mux, rank) => {
    const exchange = new BlobExchange({ mux, clock: all.network.clockOf(mux.self) });
    if (rank > 0) {
      exchange.serve(async (hash) => {
        served[rank] = (served[rank] as number) + 1;
        return stock.get(hash);
      });
    }
    return exchange;
  });
  return { ...all, exchange: (rank: number) => made[rank] as BlobExchange, served };
}

test("a blob is fetched by its hash, and its bytes are counted by the side that sends them", async () => {
  const stock = blobs(1, 1, 5_000);
  const [hash, blob] = [...stock][0] as [string, Bytes];
  const { exchange, run, mux } = await exchanges(2, stock);
  expect(await run(exchange(0).fetch(hash, ["peer-1"], options()))).toEqual(blob);
  expect(mux(1).bytesSent().join).toBe(5_036);
  expect(mux(0).bytesSent()).toMatchObject({ join: 0, control: 36 + 33 });
});

test("120 blobs are spread evenly over three sources, with several hashes in a request", async () => {
  const stock = blobs(2, 120, 6_000);
  const { exchange, run, served, mux } = await exchanges(4, stock);
  const wanted = [...stock.keys()].map((hash) => ({ hash, sources: ["peer-1", "peer-2", "peer-3"] }));
  const got = await run(exchange(0).fetchAll(wanted, options()));
  expectSame(got, stock);
  expect(served.reduce((sum, count) => sum + count, 0)).toBe(120); // Each asked for once.
  for (const count of served.slice(1)) expect(count).toBeGreaterThan(25);
  // 120 hashes of 32 bytes, and a header a request: fewer than 30 requests.
  expect(mux(0).bytesSent().control).toBeLessThan(120 * 32 + 30 * 37);
});

test("blobs that only some sources have come from those", async () => {
  const stock = blobs(3, 30, 100);
  const { exchange, run, served } = await exchanges(4, stock);
  const wanted = [...stock.keys()].map((hash, at) => ({ hash, sources: at < 5 ? ["peer-1"] : ["peer-2", "peer-0"] }));
  expectSame(await run(exchange(0).fetchAll(wanted, options())), stock);
  expect(served).toEqual([0, 5, 25, 0]);
});

test("a large blob comes in frames, and an empty one comes too", async () => {
  const large = blobs(4, 1, 9_000_001);
  const stock = new Map([...large, [hashBytes(new Uint8Array(0)), new Uint8Array(0)]]);
  const { exchange, run } = await exchanges(3, stock);
  const wanted = [...stock.keys()].map((hash) => ({ hash, sources: ["peer-1", "peer-2"] }));
  const got = await run(exchange(0).fetchAll(wanted, options()));
  expectSame(got, stock);
});

test("a source that lacks a blob is passed over for one that has it", async () => {
  const stock = blobs(5, 4, 100);
  const { exchange, run } = await exchanges(3, stock);
  exchange(1).serve(async () => undefined);
  const faults: BlobFault[] = [];
  const wanted = [...stock.keys()].map((hash) => ({ hash, sources: ["peer-1", "peer-2"] }));
  expectSame(await run(exchange(0).fetchAll(wanted, options({ onFault: (fault) => faults.push(fault) }))), stock);
  expect(faults.length).toBeGreaterThan(0);
  for (const { source, error } of faults) expect([source, error.code]).toEqual(["peer-1", "missing-data"]);
});

test("wrong bytes are a fault of their source with its name, and the good copy is used", async () => {
  const stock = blobs(6, 3, 70_000);
  const { exchange, run } = await exchanges(3, stock);
  exchange(1).serve(async (hash) => stock.get(hash)?.map((byte, at) => (at === 69_000 ? byte ^ 1 : byte)));
  const faults: BlobFault[] = [];
  const wanted = [...stock.keys()].map((hash) => ({ hash, sources: ["peer-1", "peer-2"] }));
  const got = await run(exchange(0).fetchAll(wanted, options({ onFault: (fault) => faults.push(fault) })));
  expectSame(got, stock);
  expect(faults.length).toBeGreaterThan(0);
  for (const { source, hash, error } of faults) {
    expect(source).toBe("peer-1");
    expect(error).toBeInstanceOf(CorruptDataError);
    expect(error.message).toBe(`blob ${hash}: expected bytes with that hash from peer peer-1, found others`);
  }
});

test("a source whose lookup throws counts as lacking the blob", async () => {
  const stock = blobs(7, 1, 100);
  const { exchange, run } = await exchanges(3, stock);
  exchange(1).serve(() => Promise.reject(new AbortedError("the disk is gone")));
  const [hash, blob] = [...stock][0] as [string, Bytes];
  expect(await run(exchange(0).fetch(hash, ["peer-1", "peer-2"], options()))).toEqual(blob);
});

test("a source that falls silent is left after 5 s; one that dies in the middle, at once", async () => {
  const stock = blobs(8, 40, 50_000);
  for (const harm of ["freeze", "breakLinks"] as const) {
    const { exchange, run, network, clock } = await exchanges(3, stock);
    const wanted = [...stock.keys()].map((hash) => ({ hash, sources: ["peer-1", "peer-2"] }));
    const startMs = clock.nowMs();
    const fetched = exchange(0).fetchAll(wanted, options());
    await clock.advance(25);
    if (harm === "freeze") network.freeze("peer-1");
    else network.breakLinks("peer-0", "peer-1");
    expectSame(await run(fetched), stock);
    const tookMs = clock.nowMs() - startMs;
    if (harm === "freeze") expect(tookMs).toBeGreaterThan(5_000);
    else expect(tookMs).toBeLessThan(2_000);
    expect(tookMs).toBeLessThan(7_000);
  }
});

test("a slow source is not a silent one", async () => {
  const stock = blobs(9, 1, 2_000_000);
  const [hash, blob] = [...stock][0] as [string, Bytes];
  const { exchange, run, clock } = await exchanges(2, stock, { network: { bytesPerMs: 100 } }); // 20 s in all.
  const startMs = clock.nowMs();
  expect(Buffer.compare(await run(exchange(0).fetch(hash, ["peer-1"], options())), blob)).toBe(0);
  expect(clock.nowMs() - startMs).toBeGreaterThan(15_000);
});

test("a source without a link is dialled; one that cannot be reached is passed over", async () => {
  const stock = blobs(10, 2, 100);
  const { exchange, run, mux, clock } = await exchanges(3, stock);
  mux(0).disconnect("peer-2", "test");
  await clock.advance(50);
  const wanted = [...stock.keys()].map((hash) => ({ hash, sources: ["nobody", "peer-2"] }));
  expectSame(await run(exchange(0).fetchAll(wanted, options())), stock);
  expect(mux(0).isLinked("peer-2")).toBe(true);
});

test("hashes that no source could give are named, after all others were had", async () => {
  const stock = blobs(11, 10, 100);
  const { exchange, run, served } = await exchanges(3, stock);
  const lacking = ["a", "b"].map((letter) => letter.repeat(64));
  const wanted = [...lacking, ...stock.keys()].map((hash) => ({ hash, sources: ["peer-1", "peer-2"] }));
  const failure = await run(
    exchange(0)
      .fetchAll(wanted, options())
      .catch((error: unknown) => error),
  );
  expect(failure).toBeInstanceOf(MissingDataError);
  expect((failure as MissingDataError).hashes).toEqual(lacking);
  for (const hash of lacking) expect((failure as Error).message).toContain(hash);
  expect(((failure as Error).cause as AggregateError).errors.length).toBe(4); // Each of two sources, each of two hashes.
  expect(served.reduce((sum, count) => sum + count, 0)).toBe(14);
});

test("a hash without sources, or with itself as the only one, is missing at once", async () => {
  const { exchange, run, clock } = await exchanges(2, new Map());
  const startMs = clock.nowMs();
  for (const sources of [[], ["peer-0"]]) {
    const failure = await run(
      exchange(0)
        .fetch("c".repeat(64), sources, options())
        .catch((error: unknown) => error),
    );
    expect((failure as MissingDataError).hashes).toEqual(["c".repeat(64)]);
  }
  expect(clock.nowMs()).toBe(startMs);
  expect(await run(exchange(0).fetchAll([], options()))).toEqual(new Map());
});

test("a deadline names what is missing, a signal aborts, and sources stop sending", async () => {
  const stock = blobs(12, 2, 20_000_000);
  const { exchange, run, clock, mux } = await exchanges(2, stock, { network: { bytesPerMs: 1_000 } });
  const wanted = [...stock.keys()].map((hash) => ({ hash, sources: ["peer-1"] }));
  const late = await run(
    exchange(0)
      .fetchAll(wanted, options({ deadlineMs: 3_000 }))
      .catch((error: unknown) => error),
  );
  expect(late).toBeInstanceOf(DeadlineError);
  expect((late as Error).message).toMatch(/expected all within 3000 ms, found 2 missing: [0-9a-f]{64}, [0-9a-f]{64}$/);
  const controller = new AbortController();
  const aborted = exchange(0).fetchAll(wanted, options({ signal: controller.signal }));
  await clock.advance(500);
  controller.abort();
  await expect(run(aborted)).rejects.toThrow(AbortedError);
  await clock.advance(5_000);
  const sent = mux(1).bytesSent().join;
  expect(sent).toBeLessThan(8_000_000); // Of 80,000,000 that were asked for.
  await clock.advance(5_000);
  expect(mux(1).bytesSent().join).toBe(sent);
});

test("a peer that asks wrongly is counted, and one that answers unasked is not heard", async () => {
  const { run, mux, clock } = await exchanges(2, new Map());
  const frame = { incarnation: 0, epoch: 0, operation: 9, chunk: 0, chunks: 1, payload: new Uint8Array(32) };
  await run(mux(0).send("peer-1", { ...frame, type: "blobRequest" }, "control"));
  await run(mux(0).send("peer-1", { ...frame, type: "blobAnswer" }, "control"));
  await clock.advance(100);
  expect(mux(1).stats().dropped).toMatchObject({ malformed: 1, unasked: 1 });
});

test("a blob request survives the wire, and other bytes are none", () => {
  const request = { category: "checkpoint", hashes: ["ab".repeat(32), "01".repeat(32)] } as const;
  expect(decodeBlobRequest(encodeBlobRequest(request))).toEqual(request);
  for (const bytes of [[], [0], [99, ...new Array<number>(32).fill(0)], new Array<number>(34).fill(0)]) {
    expect(decodeBlobRequest(Uint8Array.from(bytes))).toBeNull();
  }
  expect(decodeBlobRequest(new Uint8Array(1 + 65 * 32))).toBeNull();
});

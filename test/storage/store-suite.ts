/** What every Store does, run against each: in Node by vitest, in Chromium by mocha (see `test/browser/vitest.ts`). */
import { describe, expect, test } from "vitest";
import type { Bytes } from "../../src/base/bytes.ts";
import { AbortedError, OptionError, QuotaError } from "../../src/base/errors.ts";
import { Random } from "../../src/base/random.ts";
import type { Entry, Store } from "../../src/storage/store.ts";

export interface StoreHarness {
  /** An empty store. */
  open(): Promise<Store>;
  /** Another store on what `store` left behind, or why there is none. */
  reopen: ((store: Store) => Promise<Store>) | { skip: string };
  /** An empty store with room for 64 KiB and not for 16 MiB. `end` lifts the limit. */
  openSmall: () => Promise<{ store: Store; end: () => Promise<void> }>;
}

const MIB = 1024 * 1024;

function bytes(...values: number[]): Bytes {
  return Uint8Array.from(values);
}

/** Cheap bytes that compress badly and differ by seed. */
function noise(length: number, seed: number): Bytes {
  const out = new Uint8Array(length);
  let state = seed >>> 0 || 1;
  for (let i = 0; i < length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    out[i] = state;
  }
  return out;
}

async function all(store: Store): Promise<Record<string, number[]>> {
  const out: Record<string, number[]> = {};
  for (const key of await store.keys("")) out[key] = [...((await store.get(key)) ?? [])];
  return out;
}

const relaxed = { durability: "relaxed" } as const;
const strict = { durability: "strict" } as const;

export function storeSuite(name: string, harness: StoreHarness): void {
  describe(name, () => {
    valueCases(harness);
    keyCases(harness);
    transactionCases(harness);
    lifeCases(harness);
  });
}

function valueCases({ open }: StoreHarness): void {
  test("a key that was never put has no value", async () => {
    const store = await open();
    expect(await store.get("chunk/none")).toBeUndefined();
    expect(await store.keys("")).toEqual([]);
  });

  test("a value comes back as it was put, relaxed or strict, empty or not", async () => {
    const store = await open();
    await store.put([{ key: "a", value: bytes(1, 2, 3) }], relaxed);
    await store.put([{ key: "b", value: bytes() }], strict);
    expect(await store.get("a")).toEqual(bytes(1, 2, 3));
    expect(await store.get("b")).toEqual(bytes());
  });

  test("the last value put under a key counts, also within one put", async () => {
    const store = await open();
    await store.put([{ key: "a", value: bytes(1) }], relaxed);
    await store.put(
      [
        { key: "a", value: bytes(2, 2) },
        { key: "a", value: bytes(3) },
      ],
      relaxed,
    );
    expect(await all(store)).toEqual({ a: [3] });
  });

  test("a view stores its own bytes and not the buffer behind it", async () => {
    const store = await open();
    const buffer = bytes(0, 1, 2, 3, 4, 5);
    await store.put([{ key: "view", value: buffer.subarray(2, 4) }], relaxed);
    const got = await store.get("view");
    expect(got).toEqual(bytes(2, 3));
    expect(got?.buffer.byteLength).toBe(2);
  });

  test("changing an array after put, or one that get returned, changes nothing in the store", async () => {
    const store = await open();
    const mine = bytes(1, 2);
    await store.put([{ key: "a", value: mine }], relaxed);
    mine[0] = 9;
    const theirs = await store.get("a");
    theirs?.fill(8);
    expect(await store.get("a")).toEqual(bytes(1, 2));
  });

  test("8 MiB in one put come back bit for bit", async () => {
    const store = await open();
    const entries = [0, 1, 2, 3].map((i) => ({ key: `chunk/${i}`, value: noise(2 * MIB, i + 1) }));
    await store.put(entries, strict);
    for (const { key, value } of entries) {
      const got = await store.get(key);
      expect(got?.byteLength).toBe(value.byteLength);
      expect(got?.every((byte, at) => byte === value[at])).toBe(true);
    }
  });
}

function keyCases({ open }: StoreHarness): void {
  test("keys lists what begins with the prefix, in order of their characters", async () => {
    const store = await open();
    const names = ["chunk/b", "chunk/a", "chunk-x", "chunk", "chunk/a/1", "chunk/B", "marker/r:1_2.3", "chunl"];
    await store.put(
      names.map((key) => ({ key, value: bytes(1) })),
      relaxed,
    );
    expect(await store.keys("chunk/")).toEqual(["chunk/B", "chunk/a", "chunk/a/1", "chunk/b"]);
    expect(await store.keys("")).toEqual([...names].sort());
    expect(await store.keys("none")).toEqual([]);
  });

  test("keys that differ only in case are different keys", async () => {
    const store = await open();
    await store.put(
      [
        { key: "room/aB", value: bytes(1) },
        { key: "room/Ab", value: bytes(2) },
        { key: "room/AB", value: bytes(3) },
      ],
      relaxed,
    );
    expect(await all(store)).toEqual({ "room/aB": [1], "room/Ab": [2], "room/AB": [3] });
  });

  test("the longest key is taken, and what no store could hold is refused before anything is written", async () => {
    const store = await open();
    const longest = "K".repeat(120);
    await store.put([{ key: longest, value: bytes(1) }], relaxed);
    for (const key of ["", `${longest}K`, "a b", "a\\b", "ä", "a\u0000"]) {
      const entries = [
        { key: "good", value: bytes(1) },
        { key, value: bytes(1) },
      ];
      await expect(store.put(entries, relaxed)).rejects.toThrow(OptionError);
      await expect(store.get(key)).rejects.toThrow(OptionError);
      await expect(store.delete([key])).rejects.toThrow(OptionError);
    }
    expect(await store.keys("")).toEqual([longest]);
  });

  test("delete removes what it names and does not mind what is missing", async () => {
    const store = await open();
    await store.put(
      ["a", "a/b", "c"].map((key) => ({ key, value: bytes(1) })),
      relaxed,
    );
    await store.delete(["a", "none", "c"]);
    expect(await store.keys("")).toEqual(["a/b"]);
    await store.delete([]);
    expect(await store.get("a")).toBeUndefined();
  });
}

function transactionCases({ open, openSmall }: StoreHarness): void {
  test("a put that does not fit is a QuotaError that names the bytes, and leaves all as it was", async () => {
    const { store, end } = await openSmall();
    try {
      await store.put([{ key: "old", value: bytes(1) }], strict);
      const entries = Array.from({ length: 16 }, (_, i) => ({ key: `big/${i}`, value: noise(MIB, i + 1) }));
      const failure = await store.put([{ key: "old", value: bytes(2) }, ...entries], relaxed).catch((e: unknown) => e);
      expect(failure).toBeInstanceOf(QuotaError);
      expect((failure as QuotaError).message).toContain(String(16 * MIB + 1));
      expect(await all(store)).toEqual({ old: [1] });
      await store.put([{ key: "small", value: bytes(3) }], strict);
      expect(await all(store)).toEqual({ old: [1], small: [3] });
    } finally {
      await end();
    }
  });

  test("many operations at once end as if they had been done one after another", async () => {
    const store = await open();
    const random = new Random(11, "store-suite");
    const model = new Map<string, number[]>();
    const pending: Promise<void>[] = [];
    for (let i = 0; i < 60; i++) {
      const keys = random.shuffle(["a", "b", "c/d", "c/e"]).slice(0, 1 + random.below(3));
      if (random.below(4) === 0) {
        for (const key of keys) model.delete(key);
        pending.push(store.delete(keys));
        continue;
      }
      const entries: Entry[] = keys.map((key) => ({ key, value: bytes(i, random.below(256)) }));
      for (const { key, value } of entries) model.set(key, [...value]);
      pending.push(store.put(entries, i % 5 === 0 ? strict : relaxed));
    }
    await Promise.all(pending);
    expect(await all(store)).toEqual(Object.fromEntries(model));
  });

  test("a reader sees both entries of a put or neither", async () => {
    const store = await open();
    const writes = Array.from({ length: 12 }, (_, i) =>
      store.put(
        [
          { key: `pair/${i}/left`, value: bytes(i) },
          { key: `pair/${i}/right`, value: bytes(i) },
        ],
        relaxed,
      ),
    );
    const looks = Array.from({ length: 12 }, () => store.keys("pair/"));
    for (const keys of await Promise.all(looks)) {
      const left = keys.filter((key) => key.endsWith("left")).map((key) => key.slice(0, -5));
      const right = keys.filter((key) => key.endsWith("right")).map((key) => key.slice(0, -6));
      expect(left).toEqual(right);
    }
    await Promise.all(writes);
    expect(await store.keys("pair/")).toHaveLength(24);
  });
}

function lifeCases({ open, reopen }: StoreHarness): void {
  const why = typeof reopen === "function" ? "" : ` (skipped: ${reopen.skip})`;
  test.skipIf(typeof reopen !== "function")(`what was put is there for the next one who opens${why}`, async () => {
    if (typeof reopen !== "function") return;
    const store = await open();
    await store.put([{ key: "a", value: bytes(1) }], strict);
    await store.put(
      [
        { key: "b/C", value: bytes(2) },
        { key: "d", value: bytes(3) },
      ],
      relaxed,
    );
    await store.delete(["d"]);
    store.close();
    expect(await all(await reopen(store))).toEqual({ a: [1], "b/C": [2] });
  });

  test("a closed store refuses every operation with AbortedError", async () => {
    const store = await open();
    await store.put([{ key: "a", value: bytes(1) }], relaxed);
    store.close();
    store.close();
    await expect(store.get("a")).rejects.toThrow(AbortedError);
    await expect(store.put([{ key: "a", value: bytes(1) }], relaxed)).rejects.toThrow(AbortedError);
    await expect(store.delete(["a"])).rejects.toThrow(AbortedError);
    await expect(store.keys("")).rejects.toThrow(AbortedError);
  });
}

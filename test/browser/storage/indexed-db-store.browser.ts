import { afterEach, expect, test } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import type { Clock } from "../../../src/base/clock.ts";
import { DeadlineError, QuotaError } from "../../../src/base/errors.ts";
import { IndexedDbStore } from "../../../src/storage/indexed-db/indexed-db-store.ts";
import type { Store } from "../../../src/storage/store.ts";
import { storeSuite } from "../../storage/store-suite.ts";

const names = new Map<Store, string>();
let count = 0;

function open(name: string, deadlineMs?: number): IndexedDbStore {
  const clock: Clock = systemClock;
  const store = new IndexedDbStore({ name, clock, ...(deadlineMs === undefined ? {} : { deadlineMs }) });
  names.set(store, name);
  return store;
}

function fresh(): string {
  return `hearth-test-${count++}`;
}

function nameOf(store: Store): string {
  return names.get(store) ?? "";
}

function settled(request: IDBOpenDBRequest): Promise<unknown> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error as Error);
  });
}

afterEach(async () => {
  for (const [store, name] of names) {
    store.close();
    await settled(indexedDB.deleteDatabase(name));
  }
  names.clear();
});

storeSuite("IndexedDbStore", {
  open: async () => open(fresh()),
  reopen: async (store) => open(nameOf(store)),
  openSmall: async () => {
    // A storage bucket has an IndexedDB and a quota of its own.
    const { storageBuckets } = navigator as unknown as { storageBuckets: StorageBuckets };
    const bucket = await storageBuckets.open("small", { quota: 2 * 1024 * 1024 });
    const usual = indexedDB;
    Object.defineProperty(globalThis, "indexedDB", { value: bucket.indexedDB, configurable: true });
    const store = open(fresh());
    return {
      store,
      end: async () => {
        store.close();
        Object.defineProperty(globalThis, "indexedDB", { value: usual, configurable: true });
        await storageBuckets.delete("small");
      },
    };
  },
});

/** https://wicg.github.io/storage-buckets/, as far as it is used here. */
interface StorageBuckets {
  open(name: string, options: { quota: number }): Promise<{ indexedDB: IDBFactory }>;
  delete(name: string): Promise<void>;
}

const one = [{ key: "a", value: Uint8Array.of(1) }];
const relaxed = { durability: "relaxed" } as const;

test("two stores of one name are two tabs on the same bytes", async () => {
  const left = open(fresh());
  const right = open(nameOf(left));
  await left.put(one, relaxed);
  expect(await right.get("a")).toEqual(Uint8Array.of(1));
  await right.delete(["a"]);
  expect(await left.keys("")).toEqual([]);
});

test("a database deleted under an open store does not wait for it, and the next operation opens it anew", async () => {
  const store = open(fresh());
  await store.put(one, relaxed);
  await settled(indexedDB.deleteDatabase(nameOf(store)));
  expect(await store.get("a")).toBeUndefined();
  await store.put(one, relaxed);
  expect(await store.keys("")).toEqual(["a"]);
});

test("a store whose connection is closed in the middle of writing ends what it began and goes on", async () => {
  const store = open(fresh());
  await store.put(one, relaxed);
  const entries = Array.from({ length: 4 }, (_, i) => ({ key: `big/${i}`, value: new Uint8Array(1024 * 1024) }));
  const writing = store.put(entries, relaxed);
  const deleting = settled(indexedDB.deleteDatabase(nameOf(store)));
  await writing;
  await deleting;
  await store.put([{ key: "b", value: Uint8Array.of(2) }], relaxed);
  const keys = await store.keys("");
  // The deletion comes before the write or after it, never between two of its entries.
  expect([["b"], ["b", ...entries.map(({ key }) => key)]]).toContainEqual(keys);
});

test("a database that another tab holds shut is a DeadlineError, and opens once the other lets go", async () => {
  const name = fresh();
  const holder = (await settled(indexedDB.open(name, 1))) as IDBDatabase;
  const deleting = settled(indexedDB.deleteDatabase(name));
  const store = open(name, 200);
  await expect(store.get("a")).rejects.toThrow(DeadlineError);
  await expect(store.put(one, relaxed)).rejects.toThrow(new RegExp(`put of 1 bytes .*"${name}".* within 200 ms`));
  holder.close();
  await deleting;
  await store.put(one, relaxed);
  expect(await store.keys("")).toEqual(["a"]);
});

test("a database of a later version, or without our object store, is refused in one clear sentence", async () => {
  const newer = open(fresh());
  ((await settled(indexedDB.open(nameOf(newer), 7))) as IDBDatabase).close();
  await expect(newer.get("a")).rejects.toThrow(QuotaError);
  await expect(newer.get("a")).rejects.toThrow(/VersionError/);
  const foreign = open(fresh());
  ((await settled(indexedDB.open(nameOf(foreign), 1))) as IDBDatabase).close();
  await expect(foreign.put(one, relaxed)).rejects.toThrow(/NotFoundError/);
});

test("one value that cannot be stored takes back the whole put", async () => {
  const store = open(fresh());
  await store.put(one, relaxed);
  const gone = new Uint8Array(8);
  structuredClone(gone.buffer, { transfer: [gone.buffer] });
  const entries = [
    { key: "a", value: Uint8Array.of(2) },
    { key: "b", value: gone },
  ];
  await expect(store.put(entries, relaxed)).rejects.toThrow(/DataCloneError/);
  expect(await store.get("a")).toEqual(Uint8Array.of(1));
  expect(await store.keys("")).toEqual(["a"]);
});

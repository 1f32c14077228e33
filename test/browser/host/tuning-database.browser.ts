/** Tuning tables in a real IndexedDB. */
import { expect, test } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { tuningDatabase } from "../../../src/host/browser/tuning-database.ts";
import { IndexedDbStore } from "../../../src/storage/indexed-db/indexed-db-store.ts";
import { tuningStoreSuite } from "../../host/tuning-store-suite.ts";

let name = "";
let count = 0;

tuningStoreSuite("tuning in IndexedDB", {
  open: async () => {
    name = `hearth-tuning-test-${count++}-${systemClock.wallMs()}`;
    return tuningDatabase(name);
  },
  reopen: async () => tuningDatabase(name),
  corrupt: async (value) => {
    const store = new IndexedDbStore({ name, clock: systemClock });
    const keys = await store.keys("");
    await store.put(keys.map((key) => ({ key, value })), { durability: "relaxed" }); // prettier-ignore
    store.close();
  },
});

test("a browser that gives no storage has empty tables", async () => {
  const usual = indexedDB;
  const refusing = { open: () => { throw new DOMException("refused", "SecurityError"); } }; // prettier-ignore
  Object.defineProperty(globalThis, "indexedDB", { value: refusing, configurable: true });
  try {
    expect((await tuningDatabase("hearth-tuning-refused").load("a")).size).toBe(0);
  } finally {
    Object.defineProperty(globalThis, "indexedDB", { value: usual, configurable: true });
  }
});

/** Tuning tables in IndexedDB: for all tabs of this site in this browser profile. */
import { systemClock } from "../../base/clock.ts";
import { hashText } from "../../base/hash.ts";
import { decodeTable, encodeTable, type TuningStore } from "../../compute/runtime/tuning-store.ts";
import { IndexedDbStore } from "../../storage/indexed-db/indexed-db-store.ts";

/** Computing waits for the table, and must not wait for a database that another tab blocks. */
const LOAD_MS = 2_000;

export function tuningDatabase(name: string = "hearth-tuning"): TuningStore {
  const store = new IndexedDbStore({ name, clock: systemClock, deadlineMs: LOAD_MS });
  const keyOf = (adapter: string): string => `table/${hashText(adapter)}`;
  return {
    async load(adapter) {
      // Where the browser gives no storage, or an old value cannot be read, everything can be measured again.
      const bytes = await store.get(keyOf(adapter)).catch(() => undefined);
      return decodeTable(adapter, new TextDecoder().decode(bytes));
    },
    async save(adapter, table) {
      const value = new TextEncoder().encode(encodeTable(adapter, table));
      await store.put([{ key: keyOf(adapter), value }], { durability: "relaxed" });
    },
  };
}

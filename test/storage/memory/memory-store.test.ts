import { MemoryStore } from "../../../src/storage/memory/memory-store.ts";
import { storeSuite } from "../store-suite.ts";

storeSuite("MemoryStore", {
  open: async () => new MemoryStore(),
  reopen: { skip: "memory ends with its store" },
  openSmall: async () => ({ store: new MemoryStore({ bytesMax: 1024 * 1024 }), end: async () => {} }),
});

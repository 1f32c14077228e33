/** Leaves the engine worker's bundle empty: it is not what these tests look at, and would take the compute stack along. */
import { resolve } from "node:path";
import type { Plugin } from "vite";

const ENGINE = resolve(import.meta.dirname, "../../../app/engine.ts");

export const emptyEngine: Plugin = {
  name: "empty-engine",
  enforce: "pre",
  load: (id) => (id.split("?")[0] === ENGINE ? "export {};" : null),
};

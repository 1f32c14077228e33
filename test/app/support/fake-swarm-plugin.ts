/** Puts `fake-swarm.ts` in the place of `hearth/swarm`. */
import { join, resolve } from "node:path";
import type { Plugin } from "vite";

const SWARM = resolve(import.meta.dirname, "../../../src/swarm.ts");
const FAKE = join(import.meta.dirname, "fake-swarm.ts");

export const fakeSwarm: Plugin = {
  name: "fake-swarm",
  enforce: "pre",
  load: (id) => (id === SWARM ? `export * from ${JSON.stringify(FAKE)};` : null),
};

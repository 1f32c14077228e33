/** Builds the app into `dist/`: the page, the room, and the engine worker as chunks of their own. */
import { resolve } from "node:path";
import { defineConfig } from "vite";
import type { UserConfig } from "vite";
import { ownSource } from "./own-source.ts";

const app = import.meta.dirname;
const IMPORTED_FOR_ITS_NAMES = /\/src\/(?!elements\.ts|host\/browser\/elements\/)/;

const config: UserConfig = defineConfig({
  root: app,
  resolve: {
    alias: [
      { find: /^hearth$/, replacement: resolve(app, "../src/index.ts") },
      { find: /^hearth\/([a-z-]+)$/, replacement: resolve(app, "../src/$1.ts") },
    ],
  },
  build: {
    outDir: resolve(app, "../dist"),
    emptyOutDir: true,
    target: "esnext",
    modulePreload: { polyfill: false },
    // `hearth/swarm` serves page and worker. Told that loading a module of `src` does nothing by itself (but for the
    // elements, which register themselves), the bundler leaves the whole compute stack out of the page.
    rolldownOptions: { treeshake: { moduleSideEffects: (id) => !IMPORTED_FOR_ITS_NAMES.test(id) } },
  },
  plugins: [ownSource(resolve(app, ".."))],
  worker: { format: "es" },
});

export default config;

/** Builds the app into `dist/`: the page, the room, and the engine worker as chunks of their own. */
import { resolve } from "node:path";
import { defineConfig } from "vite";
import type { UserConfig } from "vite";

const app = import.meta.dirname;

const config: UserConfig = defineConfig({
  root: app,
  resolve: {
    alias: [
      { find: /^hearth$/, replacement: resolve(app, "../src/index.ts") },
      { find: /^hearth\/([a-z-]+)$/, replacement: resolve(app, "../src/$1.ts") },
    ],
  },
  build: { outDir: resolve(app, "../dist"), emptyOutDir: true, target: "esnext", modulePreload: { polyfill: false } },
  worker: { format: "es" },
});

export default config;

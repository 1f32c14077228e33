/** Tests that run in Node. Those that need a browser end in `.browser.ts` and belong to `web-test-runner.config.mjs`. */
import { defineConfig } from "vitest/config";
import type { ViteUserConfig } from "vitest/config";

const config: ViteUserConfig = defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Dawn and WebRTC in Node want a process of their own; two at a time leave a small machine room for their threads.
    pool: "forks",
    maxWorkers: 2,
    // What somebody has tuned on this machine changes no test.
    env: { HEARTH_CACHE: ".hearth/no-cache" },
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});

export default config;

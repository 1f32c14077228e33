/** Tests that run in Node. Those that need a browser end in `.browser.ts` and belong to `web-test-runner.config.mjs`. */
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import type { ViteUserConfig } from "vitest/config";
import { BaseSequencer } from "vitest/node";
import type { TestSpecification } from "vitest/node";

const CHECKED_DEVICE = fileURLToPath(new URL("test/compute/device/checked-reference-device.ts", import.meta.url));

/** `npm run kernels`: what tests compute on the reference device is held against WebAssembly. */
const checksKernels = {
  name: "checks-kernels",
  enforce: "pre",
  resolveId: (source: string, importer: string | undefined) =>
    source.endsWith("/reference-device.ts") && importer !== CHECKED_DEVICE ? CHECKED_DEVICE : null,
} as const;

/** Short texts that take minutes: at the end they would have one processor to themselves, and the other nothing. */
const SLOW = /\/test\/(simulation\/campaign|mutations\/devices-transformers|e2e\/default-data)\.test\.ts$/;

class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isSlow = ({ moduleId }: TestSpecification): boolean => SLOW.test(moduleId);
    return [...sorted.filter(isSlow), ...sorted.filter((file) => !isSlow(file))];
  }
}

const config: ViteUserConfig = defineConfig({
  plugins: process.env["HEARTH_CHECK_KERNELS"] === undefined ? [] : [checksKernels],
  test: {
    include: ["test/**/*.test.ts"],
    // Rooms of real tabs that take a minute each: `npm run test:long`.
    exclude: process.env["HEARTH_LONG"] === undefined ? ["test/long/**"] : [],
    // Dawn and WebRTC in Node want a process of their own; two at a time leave a small machine room for their threads.
    pool: "forks",
    sequence: { sequencer: SlowFirst },
    maxWorkers: 2,
    // What somebody has tuned on this machine changes no test.
    env: { HEARTH_CACHE: ".hearth/no-cache" },
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});

export default config;

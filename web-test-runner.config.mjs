/**
 * Tests that need a browser: `test/**\/*.browser.ts`, in a real Chromium with WebGPU on the processor.
 *
 * `CHROME_PATH` names another Chromium; `HEARTH_TEST_REPORT` a file for the totals (see `tools/test.ts`).
 */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { chromeLauncher, defaultReporter } from "@web/test-runner";
import { esbuildPlugin } from "@web/dev-server-esbuild";

const root = fileURLToPath(new URL(".", import.meta.url));

/** Suites written for vitest run on the runner's mocha. */
const vitestOnMocha = {
  name: "vitest-on-mocha",
  resolveImport: ({ source }) => (source === "vitest" ? "/test/browser/vitest.ts" : undefined),
};

/** Totals as JSON, in the words of vitest's report. A file that did not even load counts as a failure. */
const totals = {
  stop({ sessions }) {
    const path = process.env.HEARTH_TEST_REPORT;
    if (!path) return;
    const sum = { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0 };
    const add = (suite) => {
      for (const test of suite.tests) {
        if (test.skipped) sum.numPendingTests += 1;
        else if (test.passed) sum.numPassedTests += 1;
        else sum.numFailedTests += 1;
      }
      suite.suites.forEach(add);
    };
    for (const session of sessions) {
      const failedBefore = sum.numFailedTests;
      if (session.testResults) add(session.testResults);
      if (!session.passed && sum.numFailedTests === failedBefore) sum.numFailedTests += 1;
    }
    writeFileSync(path, JSON.stringify(sum));
  },
};

export default {
  rootDir: root,
  files: "test/**/*.browser.ts",
  nodeResolve: { exportConditions: ["browser"] },
  concurrency: 1,
  testsStartTimeout: 60_000,
  testsFinishTimeout: 300_000,
  testFramework: { config: { timeout: 30_000 } },
  plugins: [vitestOnMocha, esbuildPlugin({ ts: true, target: "es2022", tsconfig: `${root}tsconfig.json` })],
  reporters: [defaultReporter(), totals],
  browsers: [
    chromeLauncher({
      launchOptions: {
        executablePath: process.env.CHROME_PATH ?? "/usr/bin/chromium",
        args: [
          "--no-sandbox",
          "--enable-unsafe-webgpu",
          "--use-webgpu-adapter=swiftshader",
          "--disable-features=WebRtcHideLocalIpsWithMdns",
        ],
      },
    }),
  ],
};

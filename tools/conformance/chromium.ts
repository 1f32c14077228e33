/**
 * All cases in a page of a real Chromium: the same library, served by Vite as it is, and the fixtures beside it. The
 * page posts each result back as it comes.
 */
import { mkdtemp, rm } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { chromium } from "playwright-core";
import { createServer } from "vite";
import type { ViteDevServer } from "vite";
import { present } from "../../src/base/assert.ts";
import { UnsupportedError } from "../../src/base/errors.ts";
import { systemClock } from "../../src/base/clock.ts";
import { withDeadline } from "../../src/base/wait.ts";
import { CHROMIUM_FLAGS, findChromium } from "../swarm/chromium.ts";
import { FIXTURE_FILES, readFixtureFile } from "./folder.ts";
import type { ConformanceRun } from "./open-runner.ts";
import type { CaseResult } from "./run-conformance.ts";
import type { PageOutcome } from "./site/page.ts";

const RUN_MS_MAX = 30 * 60_000;
const LAUNCH_MS_MAX = 60_000;
const SITE = new URL("./site", import.meta.url).pathname;
const ROOT = resolve(SITE, "../../..");

/** @throws UnsupportedError without a browser, or when the device does not open; DeadlineError */
export async function runInChromium(
  device: "webgpu" | "wasm",
  folder: string,
  onResult: (result: CaseResult) => void,
): Promise<ConformanceRun> {
  const executablePath = findChromium();
  if (executablePath === null) {
    throw new UnsupportedError(
      `--device ${device}-chromium: expected Chromium or Chrome, found none; name it in CHROME_PATH`,
    );
  }
  const results: CaseResult[] = [];
  const cacheDir = await mkdtemp(join(tmpdir(), "hearth-conformance-"));
  const server = await serve(folder, cacheDir);
  const browser = await chromium
    .launch({ executablePath, headless: true, args: [...CHROMIUM_FLAGS], timeout: LAUNCH_MS_MAX })
    .catch(async (cause: unknown) => {
      await server.close();
      throw new UnsupportedError(`--device ${device}-chromium: ${executablePath} did not start`, { cause });
    });
  try {
    const page = await browser.newPage();
    const failed = new Promise<PageOutcome>((settle) => {
      page.on("pageerror", ({ message }) => settle({ error: message }));
    });
    const finished = new Promise<PageOutcome>((settle) => {
      void page.exposeFunction("hearthConformance", (result: CaseResult | PageOutcome) => {
        if (!("id" in result)) return settle(result);
        results.push(result);
        onResult(result);
      });
    });
    const { port } = present(server.httpServer?.address(), "the address of the page's server") as AddressInfo;
    await page.goto(`http://127.0.0.1:${port}/?device=${device}`);
    const deadlineMs = RUN_MS_MAX;
    const outcome = await withDeadline("conformance in Chromium", Promise.race([finished, failed]), systemClock, { deadlineMs }); // prettier-ignore
    if ("error" in outcome) throw new UnsupportedError(`--device ${device}-chromium: ${outcome.error}`);
    return { deviceName: outcome.deviceName, results };
  } finally {
    await browser.close();
    await server.close();
    await rm(cacheDir, { recursive: true, force: true });
  }
}

/** The page with its modules, and the fixtures' files under /fixtures/. */
async function serve(folder: string, cacheDir: string): Promise<ViteDevServer> {
  const server = await createServer({
    root: SITE,
    configFile: false,
    logLevel: "error",
    cacheDir,
    server: { host: "127.0.0.1", port: 0, hmr: false, watch: null, fs: { allow: [ROOT] } },
    plugins: [
      {
        name: "fixtures",
        configureServer: ({ middlewares }) => {
          middlewares.use("/fixtures", (request, response, next) => {
            const name = (request.url ?? "").slice(1);
            if (FIXTURE_FILES.includes(name)) void sendFixture(folder, name, response);
            else next();
          });
        },
      },
    ],
  });
  return server.listen();
}

async function sendFixture(folder: string, name: string, response: ServerResponse): Promise<void> {
  const bytes = await readFixtureFile(folder, name).catch(() => null);
  if (bytes === null) response.writeHead(404).end();
  else response.setHeader("content-type", "application/octet-stream").end(bytes);
}

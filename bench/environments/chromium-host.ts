/** `chromium-webgpu` and `chromium-wasm`: a page of a browser of its own with a fresh profile, served by Vite. */
import { realpathSync, rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { createServer } from "vite";
import type { ViteDevServer } from "vite";
import { present } from "../../src/base/assert.ts";
import { systemClock } from "../../src/base/clock.ts";
import { UnsupportedError } from "../../src/base/errors.ts";
import { withDeadline } from "../../src/base/wait.ts";
import { BrowserProcess } from "../../tools/swarm/chromium.ts";
import { ProcessGroups } from "../../tools/swarm/processes.ts";
import type { Ceiling } from "../ceilings/measure-ceilings.ts";
import type { Backend } from "../options.ts";
import type { CaseReport, Stage } from "./case-report.ts";
import type { Host } from "./host.ts";
import type { PageReady } from "./site/page.ts";

const SITE = fileURLToPath(new URL("./site", import.meta.url));
const ROOT = resolve(SITE, "../../..");
/** Where packages are, which may be behind a link. */
const MODULES = realpathSync(join(ROOT, "node_modules"));
const OPEN_MS_MAX = 90_000;

/** Isolated pages have finer clocks, and threads: jax-js computes by WebAssembly on all of them. */
const ISOLATION = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };

/** @throws UnsupportedError without a browser, or when the device does not open; DeadlineError */
export async function openChromiumHost(backend: Backend, hasAllCores: boolean): Promise<Host> {
  const folder = await mkdtemp(join(tmpdir(), "hearth-bench-"));
  const groups = new ProcessGroups();
  const endAll = (): void => {
    groups.endAll();
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  };
  process.once("exit", endAll);
  const closers: (() => Promise<void>)[] = [
    async () => void process.off("exit", endAll),
    () => rm(folder, { recursive: true, force: true }),
  ];
  const close = async (): Promise<void> => {
    for (let closer = closers.pop(); closer; closer = closers.pop()) await closer();
  };
  try {
    const server = await serve(join(folder, "vite"), backend === "wasm" && !hasAllCores ? {} : ISOLATION);
    closers.push(() => server.close());
    const profile = join(folder, "profile");
    const browser = await BrowserProcess.launch({ profile, headful: false, clock: systemClock, groups });
    closers.push(() => browser.close());
    const { port } = present(server.httpServer?.address(), "the address of the page's server") as AddressInfo;
    return await openPage(
      await browser.context.newPage(),
      `http://127.0.0.1:${port}/?backend=${backend}${hasAllCores ? "&all-cores" : ""}`,
      close,
    );
  } catch (error) {
    await close();
    throw error;
  }
}

async function openPage(page: Page, url: string, close: () => Promise<void>): Promise<Host> {
  let onStage: (stage: Stage) => void = () => {};
  await page.exposeFunction("hearthBenchStage", (stage: Stage) => onStage(stage));
  const gone = new Promise<never>((_, reject) => {
    const end = (reason: string) => () => reject(new UnsupportedError(`the page is gone: ${reason}`));
    page.once("crash", end("it crashed"));
    page.once("close", end("it was closed"));
  });
  gone.catch(() => {});
  const opened = (async () => {
    await page.goto(url, { timeout: OPEN_MS_MAX });
    // By text, since a function compiled here may lean on helpers that the page lacks.
    return page.evaluate<PageReady>("globalThis.hearthBenchReady");
  })();
  const ready = await withDeadline("bench: opening a device in Chromium", opened, systemClock, { deadlineMs: OPEN_MS_MAX }); // prettier-ignore
  if (typeof ready !== "string") throw new UnsupportedError(`chromium: ${ready.error}`);
  const ask = <T>(call: string): Promise<T> => Promise.race([page.evaluate<T>(`globalThis.hearthBench.${call}`), gone]);
  return {
    deviceName: ready,
    measureCeilings: () => ask<readonly Ceiling[]>("measureCeilings()"),
    run(request, listener) {
      onStage = listener;
      return ask<CaseReport>(`run(${JSON.stringify(request)})`);
    },
    close,
  };
}

/** The page with its modules as they are, and the peers in one piece each. */
async function serve(cacheDir: string, headers: Record<string, string>): Promise<ViteDevServer> {
  const server = await createServer({
    root: SITE,
    configFile: false,
    logLevel: "error",
    cacheDir,
    resolve: {
      alias: [
        { find: /^hearth$/, replacement: join(ROOT, "src/index.ts") },
        { find: /^hearth\/([a-z-]+)$/, replacement: join(ROOT, "src/$1.ts") },
      ],
    },
    // What is found while the page loads would make it load again.
    optimizeDeps: {
      noDiscovery: true,
      include: [
        "@jax-js/jax",
        "@tensorflow/tfjs",
        "@tensorflow/tfjs-backend-webgpu",
        "@tensorflow/tfjs-backend-wasm",
        "@noble/hashes/sha2.js",
      ],
    },
    server: { host: "127.0.0.1", port: 0, hmr: false, watch: null, fs: { allow: [ROOT, MODULES] }, headers },
  });
  return server.listen();
}

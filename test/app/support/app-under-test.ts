/** The built app with a fake swarm behind it, served on a free port and opened in Chromium. */
import { createServer } from "node:http";
import type { Server } from "node:http";
import { readFile } from "node:fs/promises";
import { extname, join, relative, sep } from "node:path";
import { chromium } from "playwright-core";
import type { Browser, BrowserContextOptions, ConsoleMessage, Page } from "playwright-core";
import { present } from "../../../src/base/assert.ts";
import { buildFolder, SOURCES } from "../../../tools/build-app.ts";
import { findChromium } from "../../../tools/swarm/chromium.ts";
import { ROOT } from "../../../tools/swarm/server-process.ts";
import { emptyEngine } from "./empty-engine.ts";
import { fakeSwarm } from "./fake-swarm-plugin.ts";

const APP = join(ROOT, "app");
const TYPES: Readonly<Record<string, string>> = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css" };

export interface AppUnderTest {
  readonly origin: string;
  readonly browser: Browser;
  /** Whether `/healthz` answers. */
  isHealthy: boolean;
  /** A page whose console is watched: `trouble` holds its warnings and errors. */
  open(path: string, options?: BrowserContextOptions): Promise<{ page: Page; trouble: string[] }>;
  close(): Promise<void>;
}

/**
 * Builds, serves and opens the app, or another page at `root`. Takes a few seconds; one for each test file, and all files
 * share a build.
 */
export async function startApp(root: string = APP): Promise<AppUnderTest> {
  // Under a test runner this is "test", which bundles the development builds of libraries and their warnings.
  process.env["NODE_ENV"] = "production";
  const page = relative(ROOT, root);
  const built = await buildFolder(ROOT, {
    directory: join("node_modules/.cache/hearth", page.replaceAll(sep, "-")),
    sources: [...SOURCES, "test/app/support", page],
    config: {
      root,
      configFile: join(APP, "vite.config.ts"),
      logLevel: "error",
      // In the page alone: the inspecting worker takes the runs as they are.
      plugins: [emptyEngine, fakeSwarm],
      worker: { plugins: () => [emptyEngine] },
    },
  });
  const health = { isHealthy: true };
  const server = await serve(built, health);
  const address = server.address();
  const origin = `http://localhost:${typeof address === "object" ? address?.port : address}`;
  const browser = await chromium.launch({
    executablePath: present(findChromium(), "a Chromium (CHROME_PATH names one)"),
    args: ["--no-sandbox", "--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"],
  });
  return {
    origin,
    browser,
    get isHealthy() {
      return health.isHealthy;
    },
    set isHealthy(value) {
      health.isHealthy = value;
    },
    async open(path, options = {}) {
      const context = await browser.newContext({
        viewport: { width: 1280, height: 900 },
        reducedMotion: "reduce",
        ...options,
      });
      const page = await context.newPage();
      const trouble: string[] = [];
      page.on("console", (message: ConsoleMessage) => {
        if (["error", "warning"].includes(message.type())) trouble.push(message.text());
      });
      page.on("pageerror", (error) => trouble.push(String(error)));
      await page.goto(`${origin}${path}`);
      await page.locator("h1").first().waitFor();
      return { page, trouble };
    },
    async close() {
      await browser.close();
      server.close();
    },
  };
}

async function serve(folder: string, health: { isHealthy: boolean }): Promise<Server> {
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://localhost").pathname;
    if (path === "/healthz") {
      // A cut connection, not a 503: what a page sees when the server is gone.
      if (!health.isHealthy) return void request.socket.destroy();
      return void response.end("ok");
    }
    if (path === "/api/rooms") {
      response.setHeader("content-type", "application/json");
      return void response.end(JSON.stringify({ room: "fake-room-1" }));
    }
    const file = extname(path) ? path : "/index.html";
    readFile(join(folder, file)).then(
      (content) => response.setHeader("content-type", TYPES[extname(file)] ?? "application/octet-stream").end(content),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((listening) => server.listen(0, "localhost", listening));
  return server;
}

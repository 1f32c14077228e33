/** Real Chromium tabs, each a browser of its own, and a real PeerServer, for tests of the WebRTC transport. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import http from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { PeerServer } from "peer";
import { chromium } from "playwright-core";
import type { BrowserServer, Page } from "playwright-core";
import { build } from "vite";
import type { StepRequest, StepResult } from "./site/engine.ts";
import type { TestTab } from "./site/page.ts";

/** What the page's scripts see. */
declare const hearthTest: TestTab | undefined;

const SITE = new URL("./site", import.meta.url).pathname;
const ARGUMENTS = ["--no-sandbox", "--disable-features=WebRtcHideLocalIpsWithMdns"];

/** A server that can be ended with all its sockets, and started again on its port. */
export interface Ended {
  readonly port: number;
  end(): Promise<void>;
}

async function closable(server: http.Server): Promise<Ended> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  if (!server.listening) await new Promise((resolve) => server.once("listening", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    end: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** PeerServer on `port`, or on a free one. */
export function startPeerServer(port: number = 0): Promise<Ended> {
  return new Promise((resolve) => {
    let server: http.Server;
    PeerServer({ port, path: "/peerjs", host: "127.0.0.1", expire_timeout: 1_500 }, (made) => {
      server = made as http.Server;
      void closable(server).then(resolve);
    });
  });
}

/** The test's page and worker, bundled and served. */
export async function serveSite(): Promise<Ended> {
  const outDir = await mkdtemp(path.join(tmpdir(), "hearth-site-"));
  await build({
    root: SITE,
    configFile: false,
    logLevel: "error",
    worker: { format: "es" },
    build: { outDir, emptyOutDir: true, target: "esnext", minify: false, modulePreload: false },
  });
  const types: Record<string, string> = { ".html": "text/html", ".js": "text/javascript" };
  const server = http.createServer((request, response) => {
    const name = new URL(request.url ?? "/", "http://site").pathname;
    const file = path.join(outDir, name === "/" ? "index.html" : path.normalize(name));
    readFile(file).then(
      (body) => response.setHeader("content-type", types[path.extname(file)] ?? "text/plain").end(body),
      () => response.writeHead(404).end(),
    );
  });
  const ended = await closable(server.listen(0, "127.0.0.1"));
  return {
    port: ended.port,
    end: async () => {
      await ended.end();
      await rm(outDir, { recursive: true, force: true });
    },
  };
}

/** One tab in a browser of its own. */
export class Tab {
  readonly self: string;
  readonly errors: string[] = [];
  readonly #browser: BrowserServer;
  readonly #page: Page;

  private constructor(self: string, browser: BrowserServer, page: Page) {
    this.self = self;
    this.#browser = browser;
    this.#page = page;
    page.on("pageerror", (error) => this.errors.push(String(error)));
    page.on("console", (line) => (line.type() === "error" ? this.errors.push(line.text()) : undefined));
  }

  static async open(self: string, sitePort: number, peerPort: number, relay: boolean = false): Promise<Tab> {
    const browser = await chromium.launchServer({ executablePath: "/usr/bin/chromium", args: ARGUMENTS });
    const page = await (await chromium.connect(browser.wsEndpoint())).newPage();
    const tab = new Tab(self, browser, page);
    const query = new URLSearchParams({
      self,
      server: `http://127.0.0.1:${peerPort}`,
      ...(relay ? { relay: "1" } : {}),
    });
    await page.goto(`http://127.0.0.1:${sitePort}/?${query}`);
    await page.waitForFunction(() => typeof hearthTest !== "undefined");
    return tab;
  }

  connect(peers: readonly string[], deadlineMs: number = 10_000): Promise<string | null> {
    return this.#call("connect", peers, deadlineMs) as Promise<string | null>;
  }

  async disconnect(peer: string): Promise<void> {
    await this.#call("disconnect", peer);
  }

  steps(request: StepRequest): Promise<StepResult> {
    return this.#call("steps", request) as Promise<StepResult>;
  }

  paths(): Promise<Record<string, string>> {
    return this.#call("paths") as Promise<Record<string, string>>;
  }

  bytesSent(): Promise<number> {
    return this.#call("bytesSent") as Promise<number>;
  }

  browserBytesSent(): Promise<number> {
    return this.#page.evaluate(() => hearthTest?.browserBytesSent() ?? 0);
  }

  /** SIGKILL: no farewell of any kind. */
  async kill(): Promise<void> {
    await this.#browser.kill();
  }

  #call(method: string, ...args: unknown[]): Promise<unknown> {
    return this.#page.evaluate(([name, rest]) => hearthTest?.call(name, ...rest), [method, args] as const);
  }
}

/** Connects every tab to every other one. */
export async function connectAll(tabs: readonly Tab[]): Promise<void> {
  const results = await Promise.all(
    tabs.map((tab) => tab.connect(tabs.filter((other) => other !== tab).map((other) => other.self))),
  );
  const failed = results.find((result) => result !== null);
  if (failed !== undefined) throw new TypeError(`tabs do not connect: ${failed}`);
}

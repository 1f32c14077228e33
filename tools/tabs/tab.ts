/** Real Chromium tabs with an engine worker that talks over WebRTC and over MessagePorts, driven from here. */
import { chromium } from "playwright-core";
import type { BrowserContext, BrowserServer, Page } from "playwright-core";
import { UnsupportedError } from "../../src/base/errors.ts";
import { CHROMIUM_FLAGS, findChromium } from "../swarm/chromium.ts";
import type { TabEngine, TabNetwork } from "./site/engine.ts";
import type { TabPage } from "./site/page.ts";

/** What the page's scripts see. */
declare const hearthTab: TabPage | undefined;

const CONNECT_MS_MAX = 20_000;

/** Where tabs find their site and each other. */
export interface TabServers {
  readonly sitePort: number;
  readonly peerPort: number;
}

/** One browser, whose tabs share its storage and can hand ports to one another. */
export class TabBrowser {
  readonly version: string;
  readonly #server: BrowserServer;
  readonly #context: BrowserContext;

  private constructor(server: BrowserServer, context: BrowserContext) {
    this.#server = server;
    this.#context = context;
    this.version = context.browser()?.version() ?? "";
  }

  /** @throws UnsupportedError where there is no browser */
  static async launch(): Promise<TabBrowser> {
    const executablePath = findChromium();
    if (executablePath === null) {
      throw new UnsupportedError("opening tabs: expected Chromium or Chrome, found none; name it in CHROME_PATH");
    }
    const server = await chromium.launchServer({ executablePath, args: [...CHROMIUM_FLAGS] });
    const browser = await chromium.connect(server.wsEndpoint());
    return new TabBrowser(server, await browser.newContext());
  }

  /** `relay`: as if the browser could not transfer channels to workers. */
  async open(self: string, { sitePort, peerPort }: TabServers, relay: boolean = false): Promise<Tab> {
    const page = await this.#context.newPage();
    const tab = new Tab(self, this, page);
    const server = `http://127.0.0.1:${peerPort}`;
    const query = new URLSearchParams({ self, server, ...(relay ? { relay: "1" } : {}) });
    await page.goto(`http://127.0.0.1:${sitePort}/?${query}`);
    await page.waitForFunction(() => typeof hearthTab !== "undefined");
    return tab;
  }

  /** SIGKILL: no farewell of any kind. */
  async kill(): Promise<void> {
    await this.#server.kill();
  }
}

/** One tab. */
export class Tab {
  readonly self: string;
  readonly browser: TabBrowser;
  readonly errors: string[] = [];
  readonly #page: Page;

  constructor(self: string, browser: TabBrowser, page: Page) {
    this.self = self;
    this.browser = browser;
    this.#page = page;
    page.on("pageerror", (error) => this.errors.push(String(error)));
    page.on("console", (line) => (line.type() === "error" ? this.errors.push(line.text()) : undefined));
  }

  /** A method of the tab's engine. */
  ask<K extends keyof TabEngine>(
    method: K,
    ...args: Parameters<TabEngine[K]>
  ): Promise<Awaited<ReturnType<TabEngine[K]>>> {
    type Answer = Awaited<ReturnType<TabEngine[K]>>;
    return this.#page.evaluate(([name, rest]) => hearthTab?.ask(name, rest), [
      method,
      args,
    ] as const) as Promise<Answer>;
  }

  /** A method of the tab's page. */
  askPage<K extends Exclude<keyof TabPage, "ask">>(
    method: K,
    ...args: Parameters<TabPage[K]>
  ): Promise<Awaited<ReturnType<TabPage[K]>>> {
    type Answer = Awaited<ReturnType<TabPage[K]>>;
    return this.#page.evaluate(
      ([name, rest]) => (hearthTab?.[name] as ((...all: unknown[]) => unknown) | undefined)?.(...rest),
      [method, args] as const,
    ) as Promise<Answer>;
  }

  /** SIGKILL of its browser. */
  async kill(): Promise<void> {
    await this.browser.kill();
  }
}

/** Connects every tab to every other one. */
export async function connectAll(tabs: readonly Tab[], network: TabNetwork = "webrtc"): Promise<void> {
  const results = await Promise.all(
    tabs.map((tab) => {
      const others = tabs.flatMap((other) => (other === tab ? [] : [other.self]));
      return tab.ask("connect", others, CONNECT_MS_MAX, network);
    }),
  );
  const failed = results.find((result) => result !== null);
  if (failed !== undefined) throw new UnsupportedError(`opening tabs: they do not connect: ${failed}`);
}

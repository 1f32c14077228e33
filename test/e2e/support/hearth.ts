/** The whole product for a test: the built app, the real server as a process of its own, real Chromium tabs, a room's lines. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { present } from "../../../src/base/assert.ts";
import { systemClock } from "../../../src/base/clock.ts";
import type { RunLine } from "../../../src/network/wire/run-line.ts";
import { buildApp } from "../../../tools/build-app.ts";
import { CHROMIUM_FLAGS, findChromium } from "../../../tools/swarm/chromium.ts";
import { Observer } from "../../../tools/swarm/observer.ts";
import { ProcessGroups } from "../../../tools/swarm/processes.ts";
import { freePort, REAL_SERVER, ROOT, ServerProcess, type ServerProgram } from "../../../tools/swarm/server-process.ts";

/** For a page to get somewhere: generous, since other tests share the machine. */
const PAGE_MS_MAX = 50_000;

/** A tab with storage of its own, and what its console complained of. */
export interface OpenTab {
  readonly page: Page;
  /** Warnings and errors. */
  readonly trouble: string[];
}

export class HearthUnderTest {
  readonly directory: string;
  readonly port: number;
  readonly origin: string;
  readonly #browser: Browser;
  readonly #server: ServerProcess;
  readonly #groups: ProcessGroups;

  private constructor(directory: string, port: number, browser: Browser, server: ServerProcess, groups: ProcessGroups) {
    this.directory = directory;
    this.port = port;
    this.origin = server.origin;
    this.#browser = browser;
    this.#server = server;
    this.#groups = groups;
  }

  /** Takes some seconds, more where the app has to be built first. */
  static async start(program: ServerProgram = REAL_SERVER): Promise<HearthUnderTest> {
    // Under a test runner this is "test", which bundles the development builds of libraries and their warnings.
    process.env["NODE_ENV"] = "production";
    await buildApp(ROOT);
    const directory = await mkdtemp(join(tmpdir(), "hearth-e2e-"));
    const port = await freePort(null);
    const groups = new ProcessGroups();
    const server = new ServerProcess({ program, port, directory, clock: systemClock, groups });
    const executablePath = present(findChromium(), "a Chromium (CHROME_PATH names one)");
    const launched = chromium.launch({ executablePath, args: [...CHROMIUM_FLAGS], timeout: PAGE_MS_MAX });
    const [browser] = await Promise.all([launched, server.start()]);
    return new HearthUnderTest(directory, port, browser, server, groups);
  }

  /** A new tab at `path`. */
  async open(path: string, options: BrowserContextOptions = {}): Promise<OpenTab> {
    const context = await this.#browser.newContext(options);
    context.setDefaultTimeout(PAGE_MS_MAX);
    const page = await context.newPage();
    const trouble: string[] = [];
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) trouble.push(message.text());
    });
    page.on("pageerror", (error) => trouble.push(String(error)));
    await page.goto(`${this.origin}${path}`);
    return { page, trouble };
  }

  /** A new room: its id. `request` is the body of `POST /api/rooms`. */
  async createRoom(request: Readonly<Record<string, unknown>>): Promise<string> {
    const response = await fetch(`${this.origin}/api/rooms`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(request),
    });
    const { room } = (await response.json()) as { room?: string };
    return present(room, "the new room's id");
  }

  /** Listens to a room from now on. */
  watch(room: string): WatchedRoom {
    return new WatchedRoom(this.origin, room);
  }

  async stop(): Promise<void> {
    await this.#browser.close();
    await this.#server.stop();
    this.#groups.endAll();
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** A room's lines as they come. */
export class WatchedRoom {
  readonly lines: RunLine[] = [];
  readonly #observer: Observer;
  #waiting: (() => void)[] = [];

  constructor(origin: string, room: string) {
    this.#observer = new Observer({
      origin,
      room,
      earlier: [],
      clock: systemClock,
      onRecorded: ({ lines }) => {
        this.lines.push(...lines);
        for (const wake of this.#waiting.splice(0)) wake();
      },
      onRoster: () => {},
      onRefused: () => {},
    });
  }

  /** The last committed step. */
  get step(): number {
    return this.#observer.recorder.lastStep;
  }

  /** Waits until `step` is committed: the test's own deadline ends it. */
  async reached(step: number): Promise<void> {
    while (this.step < step) await this.heard();
  }

  /** Waits for the last line. */
  async ended(): Promise<Extract<RunLine, { type: "end" }>> {
    for (;;) {
      const end = this.lines.find((line) => line.type === "end");
      if (end) return end;
      await this.heard();
    }
  }

  /** Waits for the next lines. */
  heard(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  close(): void {
    this.#observer.close();
  }
}

/** Real browsers: where Chromium is, with which flags it runs, and one process of it with its storage folder. */
import { existsSync } from "node:fs";
import { chromium, type BrowserContext, type CDPSession, type Page } from "playwright-core";
import { assert, present } from "../../src/base/assert.ts";
import type { Clock } from "../../src/base/clock.ts";
import { describeError, UnsupportedError } from "../../src/base/errors.ts";
import { sleep, withDeadline } from "../../src/base/wait.ts";
import { commandOf, descendantsOf, signalGroup, signalProcess, type ProcessGroups } from "./processes.ts";

/** Where distributions and people put it, the binaries behind wrapper scripts first. */
const PLACES: readonly string[] = [
  "/usr/lib/chromium/chromium",
  "/usr/lib/chromium-browser/chromium-browser",
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome-stable",
  "/usr/bin/google-chrome",
  "/opt/google/chrome/chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
];

/**
 * Playwright adds its own, among them those that keep pages that nobody looks at from being slowed down. Only the last
 * `--disable-features` counts, so its list is here too as far as it matters.
 */
export const CHROMIUM_FLAGS: readonly string[] = [
  "--no-sandbox",
  // Nobody watches: what moves on a page would take a processor from those that train.
  "--force-prefers-reduced-motion",
  "--enable-unsafe-webgpu",
  "--use-webgpu-adapter=swiftshader",
  // Without mDNS, host candidates must carry addresses. One renderer a tab, and none in store, so that each can be told.
  "--disable-features=WebRtcHideLocalIpsWithMdns,SpareRendererForSitePerProcess,ProcessPerSiteUpToMainFrameThreshold," +
    "HttpsUpgrades,MediaRouter,OptimizationHints,PaintHolding,DestroyProfileOnBrowserClose",
  "--renderer-process-limit=256",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-quic",
];

const LAUNCH_MS_MAX = 60_000;
const CLOSE_MS_MAX = 5_000;
const PROTOCOL_MS_MAX = 10_000;
const RENDERER_MS_MAX = 5_000;
const SETTLE_MS_MAX = 1_000;
const RENDERER_POLL_MS = 50;

/** The browser to run: `CHROME_PATH`, or one that is installed, or null. */
export function findChromium(): string | null {
  const told = process.env["CHROME_PATH"];
  if (told) return existsSync(told) ? told : null;
  const bundled = chromium.executablePath();
  return [...PLACES, bundled].find((path) => existsSync(path)) ?? null;
}

export interface BrowserOptions {
  readonly profile: string;
  readonly headful: boolean;
  readonly clock: Clock;
  readonly groups: ProcessGroups;
}

/** One Chromium: a browser process that leads the group of all its helpers. */
export class BrowserProcess {
  readonly pid: number;
  readonly context: BrowserContext;
  readonly #clock: Clock;
  readonly #groups: ProcessGroups;
  readonly #protocol: CDPSession;
  #isClosed = false;

  constructor(pid: number, context: BrowserContext, protocol: CDPSession, options: BrowserOptions) {
    this.pid = pid;
    this.context = context;
    this.#protocol = protocol;
    this.#clock = options.clock;
    this.#groups = options.groups;
    context.once("close", () => {
      this.#isClosed = true;
      this.#groups.delete(pid);
    });
  }

  /** @throws UnsupportedError where no browser is installed or it does not start */
  static async launch(options: BrowserOptions): Promise<BrowserProcess> {
    const executablePath = findChromium();
    if (executablePath === null) {
      throw new UnsupportedError(
        "opening a tab: expected Chromium or Chrome, found none; install one or name it in CHROME_PATH",
      );
    }
    try {
      const context = await chromium.launchPersistentContext(options.profile, {
        executablePath,
        headless: !options.headful,
        args: [...CHROMIUM_FLAGS],
        timeout: LAUNCH_MS_MAX,
        handleSIGINT: false,
        handleSIGTERM: false,
        handleSIGHUP: false,
      });
      const browser = present(context.browser(), "the browser of a persistent context");
      const protocol = await browser.newBrowserCDPSession();
      const { processInfo } = await protocol.send("SystemInfo.getProcessInfo");
      const pid = processInfo.find((info) => info.type === "browser")?.id ?? 0;
      assert(pid > 1, "launching Chromium: no browser process among its own");
      options.groups.add(pid);
      return new BrowserProcess(pid, context, protocol, options);
    } catch (error) {
      // Playwright's message goes on with pages of the browser's own log.
      const [sentence = ""] = describeError(error).split("\n");
      throw new UnsupportedError(`opening a tab: ${executablePath} did not start: ${sentence}`, { cause: error });
    }
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /**
   * A new page at whatever `open` brings it to, and the process that renders it alone: the one that was not there
   * before. Which one that is shows only in the end, since a page that isolates itself changes its process on the way.
   * A SharedWorker that comes with the first page may have a process too, and does next to nothing in it. One at a time.
   */
  async openPage(open: (page: Page) => Promise<void>): Promise<number> {
    const before = new Set((await this.#renderers()).map(({ id }) => id));
    await open(await this.context.newPage());
    const startMs = this.#clock.nowMs();
    for (;;) {
      const found = (await this.#renderers()).filter(({ id }) => !before.has(id));
      const [busiest] = found.sort((a, b) => b.cpuTime - a.cpuTime);
      const waitedMs = this.#clock.nowMs() - startMs;
      if (busiest !== undefined && (found.length === 1 || waitedMs > SETTLE_MS_MAX)) return busiest.id;
      if (waitedMs > RENDERER_MS_MAX) {
        throw new UnsupportedError("opening a tab: expected a renderer process of its own, found none");
      }
      await sleep(RENDERER_POLL_MS, this.#clock);
    }
  }

  /** SIGKILLs the process that all pages' GPU commands run in; the browser starts another. False where there is none. */
  killGpu(): boolean {
    return this.#signalHelper("--type=gpu-process", "SIGKILL");
  }

  /**
   * Sends a signal to the process that all the browser's sockets are in, WebRTC's too. Stopped, it neither sends nor
   * receives, and nobody is told; killed, the browser starts another. False where there is none.
   */
  signalNetwork(signal: NodeJS.Signals): boolean {
    return this.#signalHelper("--utility-sub-type=network.mojom.NetworkService", signal);
  }

  #signalHelper(mark: string, signal: NodeJS.Signals): boolean {
    // Asking the browser would take longer than a step.
    const pid = descendantsOf(this.pid).find((helper) => commandOf(helper).includes(mark));
    return pid !== undefined && signalProcess(pid, signal);
  }

  async #renderers(): Promise<{ readonly id: number; readonly cpuTime: number }[]> {
    const asked = this.#protocol.send("SystemInfo.getProcessInfo");
    const deadlineMs = PROTOCOL_MS_MAX;
    const { processInfo } = await withDeadline("listing the browser's processes", asked, this.#clock, { deadlineMs });
    return processInfo.filter(({ type }) => type === "renderer");
  }

  /** Sends a signal to the browser with all its helpers. False when it is gone. */
  signal(signal: NodeJS.Signals): boolean {
    return signalGroup(this.pid, signal);
  }

  /** Closes it as a person would; by force when that takes too long. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    const closed = this.context.close();
    await withDeadline("closing a browser", closed, this.#clock, { deadlineMs: CLOSE_MS_MAX }).catch(() => {});
    signalGroup(this.pid, "SIGKILL"); // Helpers that outlived it.
    this.#groups.delete(this.pid);
  }
}

/** All tabs of a swarm: opens them, each in a browser of its own or all in one, and knows which of them live. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import type { Clock } from "../../src/base/clock.ts";
import { withDeadline } from "../../src/base/wait.ts";
import { BrowserProcess } from "./chromium.ts";
import type { ProcessGroups } from "./processes.ts";
import { Tab } from "./tab.ts";

/** For a tab that is being opened when all is closed. */
const OPENING_MS_MAX = 10_000;

export interface FleetOptions {
  readonly directory: string;
  /** The address that a tab opens, by its number. */
  readonly urlOf: (tab: number) => string;
  readonly sharedProfile: boolean;
  readonly headful: boolean;
  readonly files: readonly string[];
  /** Runs in every page before its own scripts. */
  readonly initScript: string | null;
  readonly clock: Clock;
  readonly groups: ProcessGroups;
  readonly onGone: (tab: Tab) => void;
}

export class Fleet {
  readonly tabs: Tab[] = [];
  readonly #options: FleetOptions;
  /** Where tabs keep their storage that have another's. */
  readonly #folders = new Map<number, string>();
  #shared: BrowserProcess | null = null;
  #next = 0;
  #opening = 0;
  #isClosed = false;
  /** Tabs open one after another: that keeps their numbers and their processes apart, and the machine's start short. */
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: FleetOptions) {
    this.#options = options;
  }

  /** Opens `count` more tabs, numbered on. Resolves when the pages are there, not when they have joined. */
  open(count: number): Promise<void> {
    return this.#open(Array.from({ length: count }, () => this.#next++));
  }

  /** Opens one more tab: its number. With the storage of tab `index`, which is gone and had a browser of its own, unless null. */
  async openAnother(index: number | null): Promise<number> {
    const another = this.#next++;
    if (index !== null) this.#folders.set(another, this.#folderOf(index));
    await this.#open([another]);
    return another;
  }

  #folderOf(index: number): string {
    return this.#folders.get(index) ?? `tab-${index}`;
  }

  #open(indices: readonly number[]): Promise<void> {
    this.#opening += indices.length;
    const opened = this.#queue.then(async () => {
      for (const index of indices) {
        if (!this.#isClosed) await this.#openOne(index);
        this.#opening -= 1;
      }
    });
    this.#queue = opened.catch(() => {});
    return opened;
  }

  get(index: number): Tab | undefined {
    return this.tabs.find((tab) => tab.index === index);
  }

  /** Neither gone nor frozen. */
  get liveCount(): number {
    return this.tabs.filter((tab) => tab.state === "live").length;
  }

  /** True while no tab is there, or will be, without another fault. */
  get isEmpty(): boolean {
    return this.#opening === 0 && this.tabs.every((tab) => tab.state === "gone");
  }

  /** Asks every live page how it stands. */
  async poll(): Promise<void> {
    await Promise.all(this.tabs.map((tab) => tab.poll()));
  }

  /** SIGKILLs the GPU process of every browser with a live tab. How many there were. */
  killGpus(): number {
    const browsers = new Set(this.tabs.flatMap((tab) => (tab.state === "live" ? [tab.browser] : [])));
    return [...browsers].filter((browser) => browser.killGpu()).length;
  }

  /** SIGKILLs everything at once. */
  killAll(): void {
    this.#isClosed = true;
    for (const tab of this.tabs) if (tab.state !== "gone") tab.kill();
    this.#shared?.signal("SIGKILL");
  }

  /** Ends all browsers, politely where they answer. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const { clock } = this.#options;
    await withDeadline("opening tabs", this.#queue, clock, { deadlineMs: OPENING_MS_MAX }).catch(() => {});
    for (const tab of this.tabs) tab.thaw();
    const browsers = new Set(this.tabs.map((tab) => tab.browser));
    if (this.#shared) browsers.add(this.#shared);
    for (const tab of this.tabs) tab.dismiss();
    await Promise.all([...browsers].map((browser) => browser.close()));
  }

  async #openOne(index: number): Promise<void> {
    if (!this.#options.sharedProfile) {
      const browser = await this.#launch(this.#folderOf(index));
      if (this.#isClosed) return browser.close();
      return this.#openTab(index, browser, browser.context.pages()[0] ?? (await browser.context.newPage()));
    }
    const browser = await this.#sharedBrowser();
    if (this.#isClosed) return browser.close();
    const rendererPid = await browser.openPage((page) => this.#openTab(index, browser, page));
    const tab = this.get(index);
    if (tab) tab.rendererPid = rendererPid;
  }

  async #openTab(index: number, browser: BrowserProcess, page: Page): Promise<void> {
    const { directory, urlOf, sharedProfile, files, initScript, clock, onGone } = this.#options;
    const logPath = join(directory, `tab-${index}.log`);
    const tab = new Tab({ index, browser, ownsBrowser: !sharedProfile, page, logPath, files, clock, onGone });
    this.tabs.push(tab);
    try {
      if (initScript !== null) await page.addInitScript(initScript);
      await tab.open(urlOf(index));
      await tab.poll();
    } catch (error) {
      if (tab.state !== "gone") throw error; // Otherwise a fault struck while it opened: that is its report.
    }
  }

  async #sharedBrowser(): Promise<BrowserProcess> {
    if (!this.#shared || this.#shared.isClosed) this.#shared = await this.#launch("shared");
    return this.#shared;
  }

  #launch(folder: string): Promise<BrowserProcess> {
    const profile = join(this.#options.directory, folder);
    mkdirSync(profile, { recursive: true });
    const { headful, clock, groups } = this.#options;
    return BrowserProcess.launch({ profile, headful, clock, groups });
  }
}

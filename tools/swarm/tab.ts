/** One tab of a swarm: a page of a real browser, what it says of itself, and the faults that can befall it. */
import { createWriteStream, type WriteStream } from "node:fs";
import type { Page } from "playwright-core";
import type { Clock } from "../../src/base/clock.ts";
import { describeError } from "../../src/base/errors.ts";
import { sleep, withDeadline } from "../../src/base/wait.ts";
import type { BrowserProcess } from "./chromium.ts";
import { signalProcess } from "./processes.ts";

/** `live` includes a page that has not joined yet. */
export type TabState = "live" | "frozen" | "gone";

/** What the page says of itself in `document.documentElement.dataset`. */
export type PageFacts = Readonly<Record<string, string>>;

export interface TabOptions {
  readonly index: number;
  readonly browser: BrowserProcess;
  /** A tab with a browser of its own takes the browser with it. */
  readonly ownsBrowser: boolean;
  readonly page: Page;
  readonly logPath: string;
  /** Given in turn to a page that asks for its room's files. */
  readonly files: readonly string[];
  readonly clock: Clock;
  /** Called once, when the tab is gone, asked for or not. */
  readonly onGone: (tab: Tab) => void;
}

const OPEN_MS_MAX = 60_000;
const RETRY_MS = 500;
/** A page that says nothing by then has lost a part of itself on the way, and is loaded again. */
const SILENT_PAGE_MS_MAX = 20_000;
const ASK_MS_MAX = 5_000;
const LEAVE_MS_MAX = 5_000;
/** For the others to take over what a tab that leaves holds: the step in flight, and the next epoch's forming. */
const HAND_OVER_MS_MAX = 60_000;
/** From a page's end to its browser's: what it said in its unload handlers is still on its way. */
const LAST_WORDS_MS = 300;
const WORDS_MS_MAX = 2_000;
/** A page that asks for the file again and again has refused it. */
const GIVEN_MAX = 3;
const TROUBLE_MAX = 20;

/** Read by text, since a function compiled here may lean on helpers that the page lacks. */
const FACTS = "({ ...document.documentElement.dataset })";

export class Tab {
  readonly index: number;
  readonly browser: BrowserProcess;
  readonly #options: TabOptions;
  readonly #log: WriteStream;
  readonly #trouble: string[] = [];
  #state: TabState = "live";
  #goneReason: string | null = null;
  #facts: PageFacts = {};
  #given = 0;
  #isAsking = false;
  /** The process that renders this tab in a shared browser, once it is known. */
  rendererPid: number | null = null;
  #openedAtMs = Number.POSITIVE_INFINITY;

  constructor(options: TabOptions) {
    this.index = options.index;
    this.browser = options.browser;
    this.#options = options;
    this.#log = createWriteStream(options.logPath, { flags: "a" });
    this.#log.on("error", () => {}); // A full disk must not end the run.
    this.#listen(options.page);
  }

  get page(): Page {
    return this.#options.page;
  }

  get state(): TabState {
    return this.#state;
  }

  get goneReason(): string | null {
    return this.#goneReason;
  }

  /** What the page last said. */
  get facts(): PageFacts {
    return this.#facts;
  }

  /** This tab's peer id, once known. */
  get peer(): string | null {
    return this.#facts["peer"] ?? null;
  }

  /** Errors of its console and of the page itself, the first ones. */
  get trouble(): readonly string[] {
    return this.#trouble;
  }

  /** Opens `url`, again and again while the server is away: a fault may have struck it. */
  async open(url: string): Promise<void> {
    const { page, clock } = this.#options;
    const end = clock.nowMs() + OPEN_MS_MAX;
    for (;;) {
      this.#write("open", url);
      try {
        await page.goto(url, { waitUntil: "domcontentloaded", timeout: OPEN_MS_MAX });
        this.#openedAtMs = clock.nowMs();
        return;
      } catch (error) {
        const isAway = describeError(error).includes("ERR_CONNECTION") && clock.nowMs() < end;
        if (!isAway || this.#state === "gone") throw error;
        await sleep(RETRY_MS, clock);
      }
    }
  }

  /** Asks the page how it stands, and gives it the data file where it wants one. A page that does not answer keeps its old facts. */
  async poll(): Promise<void> {
    if (this.#state !== "live" || this.#isAsking) return;
    this.#isAsking = true;
    try {
      const facts = await this.#ask<PageFacts>("asking a tab", this.#options.page.evaluate<PageFacts>(FACTS));
      const before = this.#facts["phase"];
      this.#facts = facts;
      if (facts["phase"] !== before) this.#write("phase", facts["phase"] ?? "none");
      if (facts["phase"] !== "training") await this.#giveData();
      if (facts["phase"] === undefined) await this.#reload();
    } catch (error) {
      this.#write("poll", describeError(error).split("\n")[0] ?? "");
    } finally {
      this.#isAsking = false;
    }
  }

  /** What stands on the page for people: the note, the problem, alerts. For the report of a failure. */
  async words(): Promise<string> {
    const { phase = "none", note, problem } = this.#facts;
    const said = [note, problem].filter((text) => text !== undefined && text !== "");
    if (said.length === 0 && this.#state === "live") {
      const texts = this.#options.page.locator("[role=alert], [role=status]").allInnerTexts();
      const deadlineMs = WORDS_MS_MAX;
      const found = await withDeadline("reading a page", texts, this.#options.clock, { deadlineMs }).catch(() => []);
      said.push(...found.map((text) => text.trim()).filter((text) => text !== ""));
    }
    return [`phase ${phase}`, ...said].join(": ").slice(0, 500);
  }

  /** SIGKILL, without a word to the page. False when there is no process of this tab (yet). */
  kill(): boolean {
    if (!this.#signal("SIGKILL")) return false;
    this.#end("killed");
    return true;
  }

  /** False when there is no process of this tab (yet). */
  freeze(): boolean {
    if (this.#state !== "live" || !this.#signal("SIGSTOP")) return false;
    this.#state = "frozen";
    this.#write("fault", "frozen");
    return true;
  }

  thaw(): void {
    if (this.#state !== "frozen") return;
    this.#state = "live";
    this.#write("fault", "thawed");
    this.#signal("SIGCONT");
  }

  /** Leaves as a polite person would: presses "Leave", waits until the others have taken over, and closes the page. */
  async leave(): Promise<void> {
    const { page, clock, ownsBrowser } = this.#options;
    this.thaw();
    await this.#handOver().catch((error: unknown) => this.#note(`handing over: ${describeError(error)}`));
    this.#end("left");
    const closed = new Promise<void>((resolve) => page.once("close", () => resolve()));
    page.on("dialog", (dialog) => void dialog.accept().catch(() => {}));
    page.close({ runBeforeUnload: true }).catch(() => {});
    await withDeadline("closing a tab", closed, clock, { deadlineMs: LEAVE_MS_MAX }).catch(() => {});
    if (!ownsBrowser) return page.close();
    await sleep(LAST_WORDS_MS, clock);
    await this.browser.close();
  }

  /** The browser is being closed with all its tabs. */
  dismiss(): void {
    this.#end("closed at the end");
    this.#log.end();
  }

  /** To this tab's own process, or to its whole browser. */
  #signal(signal: NodeJS.Signals): boolean {
    if (this.#options.ownsBrowser) return this.browser.signal(signal);
    return this.rendererPid !== null && signalProcess(this.rendererPid, signal);
  }

  async #handOver(): Promise<void> {
    const { page } = this.#options;
    const button = page.getByRole("button", { name: "Leave", exact: true });
    if ((await this.#ask("looking for the way out", button.count())) === 0) return;
    await button.click({ timeout: LEAVE_MS_MAX });
    const stopped = "document.documentElement.dataset.phase === 'stopped'";
    await page.waitForFunction(stopped, undefined, { timeout: HAND_OVER_MS_MAX });
  }

  async #giveData(): Promise<void> {
    const { page, files } = this.#options;
    const file = files[this.#given % files.length];
    if (file === undefined || this.#given >= GIVEN_MAX * files.length) return;
    const field = page.locator("#data-file");
    if ((await this.#ask("looking for the file field", field.count())) === 0) return;
    this.#given += 1;
    this.#write("data", `giving ${file}`);
    await field.first().setInputFiles(file, { timeout: OPEN_MS_MAX });
  }

  async #reload(): Promise<void> {
    const { page, clock } = this.#options;
    if (clock.nowMs() - this.#openedAtMs < SILENT_PAGE_MS_MAX) return;
    this.#openedAtMs = clock.nowMs();
    this.#write("reload", "the page says nothing");
    await page.reload({ waitUntil: "domcontentloaded", timeout: OPEN_MS_MAX });
  }

  #ask<T>(what: string, answer: Promise<T>): Promise<T> {
    return withDeadline(what, answer, this.#options.clock, { deadlineMs: ASK_MS_MAX });
  }

  #listen(page: Page): void {
    page.on("console", (message) => {
      this.#write(`console ${message.type()}`, message.text());
      if (message.type() === "error") this.#note(`console: ${message.text()}`);
    });
    page.on("pageerror", (error) => {
      this.#write("page error", error.stack ?? error.message);
      this.#note(`page error: ${error.message}`);
    });
    page.on("requestfailed", (request) => {
      this.#write("request failed", `${request.url()} ${request.failure()?.errorText ?? ""}`);
    });
    page.on("crash", () => this.#end("its page crashed"));
    page.on("close", () => this.#end("its page closed"));
    this.#options.browser.context.once("close", () => this.#end("its browser ended"));
  }

  #note(line: string): void {
    if (this.#trouble.length < TROUBLE_MAX) this.#trouble.push(line);
  }

  #end(reason: string): void {
    if (this.#state === "gone") return;
    this.#state = "gone";
    this.#goneReason = reason;
    this.#write("gone", reason);
    this.#options.onGone(this);
  }

  #write(kind: string, text: string): void {
    if (this.#log.writable)
      this.#log.write(`${new Date(this.#options.clock.wallMs()).toISOString()} ${kind}: ${text}\n`);
  }
}

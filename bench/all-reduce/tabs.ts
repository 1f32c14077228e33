/** All-reduce among real tabs of one browser, over WebRTC or over MessagePorts, with bare channels beside each ring. */
import { present } from "../../src/base/assert.ts";
import { systemClock } from "../../src/base/clock.ts";
import { DeadlineError } from "../../src/base/errors.ts";
import { sleep, withDeadline } from "../../src/base/wait.ts";
import { serveSite, startPeerServer } from "../../tools/tabs/tab-server.ts";
import { connectAll, TabBrowser } from "../../tools/tabs/tab.ts";
import type { Tab } from "../../tools/tabs/tab.ts";
import type { TabNetwork } from "../../tools/tabs/site/engine.ts";
import type { MemberRequest, MemberResult } from "./measure-member.ts";

const RUN_MS_MAX = 240_000;
const BARE_MS_MAX = 10_000;
const BARE_POLL_MS = 20;

export class BenchTabs {
  readonly version: string;
  readonly #tabs: readonly Tab[];
  readonly #close: () => Promise<void>;
  #epoch = 0;

  /** @throws UnsupportedError without a browser, DeadlineError */
  static async open(members: readonly string[]): Promise<BenchTabs> {
    const [site, peerServer, browser] = await Promise.all([serveSite(), startPeerServer(), TabBrowser.launch()]);
    const close = async (): Promise<void> => {
      await browser.kill();
      await Promise.all([site.end(), peerServer.end()]);
    };
    try {
      const servers = { sitePort: site.port, peerPort: peerServer.port };
      const tabs: Tab[] = [];
      for (const name of members) tabs.push(await browser.open(`${name}-${process.pid}`, servers));
      await connectAll(tabs, "webrtc");
      await connectAll(tabs, "ports");
      await openBareRing(tabs);
      return new BenchTabs(browser.version, tabs, close);
    } catch (error) {
      await close();
      throw error;
    }
  }

  private constructor(version: string, tabs: readonly Tab[], close: () => Promise<void>) {
    this.version = version;
    this.#tabs = tabs;
    this.#close = close;
  }

  /** What each member measured. */
  measure(network: TabNetwork, request: MemberRequest, framePayloadBytes?: number): Promise<MemberResult[]> {
    const members = this.#tabs.map(({ self }) => self);
    const frames = framePayloadBytes === undefined ? {} : { framePayloadBytes };
    const group = { network, members, epoch: (this.#epoch += 1), ...frames };
    const results = Promise.all(this.#tabs.map((tab) => tab.ask("measure", group, request)));
    return withDeadline("bench all-reduce in tabs", results, systemClock, { deadlineMs: RUN_MS_MAX });
  }

  /** Milliseconds of the slowest member, by sample; the first is not counted. */
  async measurePeerJs(floats: number, samples: number): Promise<number[]> {
    const members = this.#tabs.map(({ self }) => self);
    await Promise.all(this.#tabs.map((tab) => tab.askPage("openPeerJs", members)));
    const found: number[] = [];
    for (let sample = 0; sample <= samples; sample++) {
      const all = await Promise.all(this.#tabs.map((tab) => tab.askPage("peerJsRing", { floats })));
      found.push(Math.max(...all));
    }
    return found.slice(1);
  }

  close(): Promise<void> {
    return this.#close();
  }
}

/** A bare data channel and a bare port from each tab to the next. @throws DeadlineError */
async function openBareRing(tabs: readonly Tab[]): Promise<void> {
  for (const [at, tab] of tabs.entries()) {
    const next = present(tabs[(at + 1) % tabs.length], "a tab");
    const answer = await next.askPage("answer", tab.self, await tab.askPage("offer", next.self));
    await tab.askPage("accept", next.self, answer);
    await tab.ask("dialBarePort", next.self);
  }
  const endMs = systemClock.nowMs() + BARE_MS_MAX;
  for (const tab of tabs) {
    while ((await tab.ask("bareCount", "ports")) < 2 || (await tab.ask("bareCount", "webrtc")) < 2) {
      if (systemClock.nowMs() > endMs) throw new DeadlineError("bench all-reduce: bare channels did not open in time");
      await sleep(BARE_POLL_MS, systemClock);
    }
  }
}

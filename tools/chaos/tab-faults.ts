/** What a fault does to one tab, in the processes and by the protocol of a real browser. */
import type { CDPSession } from "playwright-core";
import { present } from "../../src/base/assert.ts";
import type { Clock } from "../../src/base/clock.ts";
import { withDeadline } from "../../src/base/wait.ts";
import type { Tab } from "../swarm/tab.ts";
import type { ChaosKind } from "./schedule.ts";

/** Faults that befall a tab. */
export type TabFaultKind = Exclude<ChaosKind, "kill-server">;

/** Ends a fault that lasts; what happens at once has nothing to end. */
export type EndFault = () => void;

const ASK_MS_MAX = 5_000;
/** Less than any database needs to grow. */
const TINY_QUOTA_BYTES = 1;

/** Runs in pages before their own scripts: remembers their peer connections, so that one can be closed. */
export const LINKS_SCRIPT = `(() => {
  const links = [];
  const Native = RTCPeerConnection;
  globalThis.RTCPeerConnection = class extends Native {
    constructor(...given) {
      super(...given);
      links.push(this);
    }
  };
  globalThis.cutLink = (fraction) => {
    const open = links.filter((link) => link.connectionState === "connected");
    open[Math.floor(fraction * open.length)]?.close();
    return open.length > 0;
  };
})();`;

/** Strikes `tab`: what ends it, or null where what it should strike is not there. `fraction` in [0, 1) picks a link. */
export async function strikeTab(
  kind: TabFaultKind,
  tab: Tab,
  fraction: number,
  clock: Clock,
): Promise<EndFault | null> {
  const nothing: EndFault = () => {};
  const ask = <T>(answer: Promise<T>): Promise<T> => {
    return withDeadline(`asking a tab for ${kind}`, answer, clock, { deadlineMs: ASK_MS_MAX });
  };
  switch (kind) {
    case "kill":
      return tab.kill() ? nothing : null;
    case "leave":
      await tab.leave();
      return nothing;
    case "freeze":
    case "freeze-long":
      return tab.freeze() ? () => tab.thaw() : null;
    case "cut":
    case "cut-long":
      return tab.browser.signalNetwork("SIGSTOP") ? () => void tab.browser.signalNetwork("SIGCONT") : null;
    case "kill-network":
      return tab.browser.signalNetwork("SIGKILL") ? nothing : null;
    case "cut-link":
      return (await ask(tab.page.evaluate<boolean>(`cutLink(${fraction})`))) ? nothing : null;
    case "fill-quota":
      return ask(fillQuota(tab));
    case "delete-databases":
      await ask(deleteDatabases(tab));
      return nothing;
  }
}

/** The quota is the session's: it ends with it. */
async function fillQuota(tab: Tab): Promise<EndFault> {
  const session = await openSession(tab);
  await session.send("Storage.overrideQuotaForOrigin", { origin: originOf(tab), quotaSize: TINY_QUOTA_BYTES });
  return () => {
    session
      .send("Storage.overrideQuotaForOrigin", { origin: originOf(tab) })
      .then(() => session.detach())
      .catch(() => {}); // The tab is gone, and its quota with it.
  };
}

async function deleteDatabases(tab: Tab): Promise<void> {
  const session = await openSession(tab);
  await session.send("Storage.clearDataForOrigin", { origin: originOf(tab), storageTypes: "indexeddb" });
  await session.detach();
}

function openSession({ page }: Tab): Promise<CDPSession> {
  return page.context().newCDPSession(page);
}

function originOf({ page }: Tab): string {
  return present(URL.parse(page.url()), "the address of a tab").origin;
}

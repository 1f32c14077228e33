/** The matrix over a network: real tabs of one browser by WebRTC or by MessagePorts, or peers of this process by WebRTC or in virtual time. */
import { systemClock } from "../../../src/base/clock.ts";
import { withDeadline } from "../../../src/base/wait.ts";
import { ranksOf } from "../../../src/network/collectives/program.ts";
import { openWrtc } from "../../../src/host/node/rtc/wrtc.ts";
import { groupsOf, linkedMuxes } from "../../../test/network/support/linked-groups.ts";
import { NodeRtcPeers } from "../../../test/network/support/node-rtc.ts";
import { swarm } from "../../../test/network/support/swarm.ts";
import { serveSite, startPeerServer } from "../../tabs/tab-server.ts";
import { connectAll, TabBrowser } from "../../tabs/tab.ts";
import type { Tab } from "../../tabs/tab.ts";
import type { TabNetwork } from "../../tabs/site/engine.ts";
import { judgeMatrix } from "./judge-matrix.ts";
import type { SizeReport } from "./judge-matrix.ts";
import type { NetworkName } from "./networks.ts";
import { MATRIX_SIZES, RTC_SIZES } from "./matrix-cases.ts";
import { runMatrix } from "./run-matrix.ts";

const SIZE_MS_MAX = 300_000;

/** What was run on, and what came of it. */
export interface NetworkRun {
  readonly on: string;
  readonly reports: readonly SizeReport[];
}

/** @throws UnsupportedError without a browser, DeadlineError */
export function runNetwork(network: NetworkName, onSize: (report: SizeReport) => void): Promise<NetworkRun> {
  switch (network) {
    case "simulated":
      return runSimulated(onSize);
    case "node-webrtc":
      return runInNode(onSize);
    case "ports":
    case "webrtc":
      return runInTabs(network, onSize);
  }
}

async function runInNode(onSize: (report: SizeReport) => void): Promise<NetworkRun> {
  const peers = new NodeRtcPeers(await openWrtc());
  const muxes = await linkedMuxes(ranksOf(Math.max(...RTC_SIZES)).map((rank) => peers.join(`peer-${rank}`)));
  try {
    const reports: SizeReport[] = [];
    for (const size of RTC_SIZES) {
      const ranks = Promise.all(groupsOf(muxes, size, size).map((group) => runMatrix(group)));
      const wait = { deadlineMs: SIZE_MS_MAX };
      reports.push(judgeMatrix(await withDeadline(`the matrix of ${size} peers`, ranks, systemClock, wait)));
      onSize(reports.at(-1) as SizeReport);
    }
    return { on: "@roamhq/wrtc in Node", reports };
  } finally {
    for (const mux of muxes) mux.close();
  }
}

async function runSimulated(onSize: (report: SizeReport) => void): Promise<NetworkRun> {
  const reports: SizeReport[] = [];
  for (const size of MATRIX_SIZES) {
    const peers = await swarm(size, size);
    const ranks = await peers.run(Promise.all(peers.groups(1).map((group) => runMatrix(group))));
    reports.push(judgeMatrix(ranks));
    onSize(reports.at(-1) as SizeReport);
  }
  return { on: "virtual time", reports };
}

async function runInTabs(network: TabNetwork, onSize: (report: SizeReport) => void): Promise<NetworkRun> {
  const sizes = network === "ports" ? MATRIX_SIZES : RTC_SIZES;
  const [site, peerServer, browser] = await Promise.all([serveSite(), startPeerServer(), TabBrowser.launch()]);
  try {
    const servers = { sitePort: site.port, peerPort: peerServer.port };
    const names = ranksOf(Math.max(...sizes)).map((rank) => `tab-${rank}-${process.pid}`);
    const tabs: Tab[] = [];
    for (const name of names) tabs.push(await browser.open(name, servers));
    await connectAll(tabs, network);
    const reports: SizeReport[] = [];
    for (const size of sizes) {
      reports.push(await matrixInTabs(tabs.slice(0, size), network, reports.length + 1));
      onSize(reports.at(-1) as SizeReport);
    }
    return { on: `${names.length} tabs of Chromium ${browser.version}`, reports };
  } finally {
    await browser.kill();
    await Promise.all([site.end(), peerServer.end()]);
  }
}

/** Of tabs that are connected; each epoch once. */
export async function matrixInTabs(tabs: readonly Tab[], network: TabNetwork, epoch: number): Promise<SizeReport> {
  const request = { network, epoch, members: tabs.map(({ self }) => self) };
  const ranks = Promise.all(tabs.map((tab) => tab.ask("matrix", request)));
  return judgeMatrix(await withDeadline(`the matrix of ${tabs.length} tabs`, ranks, systemClock, { deadlineMs: SIZE_MS_MAX }));
} // prettier-ignore

/** A program in Node and a real tab, linked over WebRTC with the signals of the real server: whoever dials, sums are exact. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { PeerServerLine } from "../../src/host/node/rtc/peer-server-line.ts";
import { NodeRtcTransport } from "../../src/host/node/rtc/rtc-transport.ts";
import { openWrtc } from "../../src/host/node/rtc/wrtc.ts";
import { Group } from "../../src/network/collectives/group.ts";
import { Mux } from "../../src/network/mux.ts";
import { judgeMatrix } from "../../tools/conformance/network/judge-matrix.ts";
import { matrixCases } from "../../tools/conformance/network/matrix-cases.ts";
import { runMatrix } from "../../tools/conformance/network/run-matrix.ts";
import { serveSite, type Ended } from "../../tools/tabs/tab-server.ts";
import { TabBrowser, type Tab } from "../../tools/tabs/tab.ts";
import { eventually, testServer, type TestServer } from "../signaling-server/support.ts";

const DEADLINE_MS = 10_000;
const NODE = "a-node";
const TAB = "b-tab";

let server: TestServer;
let site: Ended;
let tab: Tab;
let mux: Mux;

beforeAll(async () => {
  [server, site] = await Promise.all([testServer(), serveSite()]);
  const signaling = new PeerServerLine({ self: NODE, server: new URL(server.origin), clock: systemClock });
  const connections = await openWrtc();
  mux = new Mux({ transport: new NodeRtcTransport({ self: NODE, clock: systemClock, connections, signaling }) });
  tab = await (await TabBrowser.launch()).open(TAB, { sitePort: site.port, peerPort: server.port });
}, 60_000);

afterAll(async () => {
  mux.close();
  await tab.kill();
  await Promise.all([server.end(), site.end()]);
}, 30_000);

/** Every verb by every program and codec between the two, held against direct sums. */
async function expectExact(epoch: number): Promise<void> {
  const members = [NODE, TAB];
  const group = new Group({ mux, members, fence: { incarnation: 1, epoch }, clock: systemClock });
  const reports = await Promise.all([runMatrix(group), tab.ask("matrix", { network: "webrtc", members, epoch })]);
  group.close("done");
  const { cases } = judgeMatrix(reports);
  expect(cases).toHaveLength(matrixCases().length);
  expect(cases.filter(({ reason }) => reason !== null)).toEqual([]);
}

test("the node dials the tab, and every collective has the same exact results at both", async () => {
  await mux.connect(TAB, { deadlineMs: DEADLINE_MS });
  await eventually("a link at the tab", async () => (await tab.ask("paths"))[NODE] === "webrtc");
  expect(mux.paths()).toEqual({ [TAB]: "webrtc" });
  await expectExact(1);
}, 60_000);

test("after a farewell the tab dials the node, and it goes on", async () => {
  await tab.ask("disconnect", NODE);
  await eventually("no link at the node", () => !mux.isLinked(TAB));
  expect(await tab.ask("connect", [NODE], DEADLINE_MS)).toBeNull();
  await eventually("a link at the node", () => mux.isLinked(TAB));
  await expectExact(2);
  expect(mux.stats().dropped).toMatchObject({ malformed: 0, version: 0, checksum: 0, stranger: 0 });
  expect(tab.errors).toEqual([]);
}, 60_000);

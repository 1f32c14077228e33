import { afterAll, beforeAll, expect, test } from "vitest";
import { matrixInTabs } from "../../../tools/conformance/network/run-network.ts";
import { serveSite, startPeerServer } from "../../../tools/tabs/tab-server.ts";
import type { Ended } from "../../../tools/tabs/tab-server.ts";
import { connectAll, TabBrowser } from "../../../tools/tabs/tab.ts";
import type { Tab } from "../../../tools/tabs/tab.ts";

/** 110,000 float32 values: the size of the demo's model, 440 kB. */
const PARAMETERS = 110_000;
const tabs: Tab[] = [];
let site: Ended;
let peerServer: Ended;
let epoch = 0;

beforeAll(async () => {
  [site, peerServer] = await Promise.all([serveSite(), startPeerServer()]);
}, 30_000);

afterAll(async () => {
  await Promise.all(tabs.map((tab) => tab.kill()));
  await Promise.all([site.end(), peerServer.end()]);
}, 30_000);

async function open(count: number, relay: boolean = false): Promise<void> {
  const names = Array.from({ length: count }, (_, at) => `tab-${tabs.length + at}-${process.pid}`);
  const servers = { sitePort: site.port, peerPort: peerServer.port };
  const openOne = async (name: string): Promise<Tab> => (await TabBrowser.launch()).open(name, servers, relay);
  tabs.push(...(await Promise.all(names.map(openOne))));
}

/** `steps` steps on these tabs; all have to end with the same bytes. MB/s are those that one tab sends. */
async function train(among: readonly Tab[], steps: number, deadlineMs: number = 10_000): Promise<string> {
  const request = {
    members: among.map((tab) => tab.self),
    epoch: (epoch += 1),
    parameters: PARAMETERS,
    steps,
    deadlineMs,
  };
  const before = await Promise.all(
    among.map((tab) => Promise.all([tab.ask("bytesSent"), tab.askPage("browserBytesSent")])),
  );
  const results = await Promise.all(among.map((tab) => tab.ask("steps", request)));
  expect(results.map((result) => result.error)).toEqual(among.map(() => null));
  expect(new Set(results.map((result) => result.digest)).size).toBe(1);
  const ms = Math.max(...results.map((result) => result.ms));
  const n = among.length;
  const ideal = (steps * 2 * 4 * PARAMETERS * (n - 1)) / n;
  for (const [at, tab] of among.entries()) {
    const [sent, byBrowser] = before[at] as [number, number];
    const bytes = (await tab.ask("bytesSent")) - sent;
    expect(bytes / ideal).toBeGreaterThanOrEqual(1 - 1e-4); // Shares differ by an element.
    expect(bytes / ideal).toBeLessThan(1.01);
    // The browser counts what is said outside of frames too: greetings, pings. It is less than a hundredth.
    expect(Math.abs((await tab.askPage("browserBytesSent")) - byBrowser - bytes) / bytes).toBeLessThan(0.01);
  }
  const rate = `${(ideal / 1_000 / ms).toFixed(1)} MB/s a tab, ${(ms / steps).toFixed(0)} ms a step`;
  console.log(`${n} tabs, ${(4 * PARAMETERS) / 1_000} kB reduced and gathered ${steps} times: ${rate}`);
  return (results[0] as { digest: string }).digest;
}

test("two tabs reduce and gather over channels that live in their workers", async () => {
  await open(2);
  await connectAll(tabs);
  expect(Object.values(await (tabs[0] as Tab).ask("paths"))).toEqual(["webrtc"]);
  await train(tabs, 2);
  await train(tabs, 20);
});

test("four tabs in four browsers end with the same bits", async () => {
  await open(2);
  await connectAll(tabs);
  const first = await train(tabs, 2);
  expect(await train(tabs, 10)).toBe(first);
  for (const tab of tabs) expect(Object.values(await tab.ask("paths"))).toEqual(["webrtc", "webrtc", "webrtc"]);
});

test("three tabs get by every verb, program and codec what the direct sum is, with the same bits on all", async () => {
  const { cases } = await matrixInTabs(tabs.slice(0, 3), "webrtc", (epoch += 1));
  console.log(`${cases.length} collectives`);
  expect(cases.length).toBeGreaterThan(300);
  expect(cases.filter(({ reason }) => reason !== null)).toEqual([]);
});

test("a peer that does not exist is reported as gone, and costs nobody else anything", async () => {
  const [tab] = tabs as [Tab];
  const missing = tab.ask("connect", ["nobody-knows-me"], 9_000);
  await train(tabs.slice(0, 2), 1);
  expect(await missing).toMatch(/dialling peer nobody-knows-me: no such peer at the server \(peer-lost\)/);
});

test("after the signaling server comes back, a link that was dropped is dialled anew", async () => {
  const [a, b] = tabs as [Tab, Tab];
  await peerServer.end();
  await a.ask("disconnect", b.self);
  const again = [a.ask("connect", [b.self], 12_000), b.ask("connect", [a.self], 12_000)];
  await train(tabs.slice(2), 1); // The others do not need it.
  peerServer = await startPeerServer(peerServer.port);
  expect(await Promise.all(again)).toEqual([null, null]);
  await train([a, b], 1);
});

test("a killed tab ends the others' operations within their deadline, and they go on without it", async () => {
  const [victim] = tabs.splice(3, 1) as [Tab];
  const members = [...tabs, victim].map((tab) => tab.self);
  const request = { members, epoch: (epoch += 1), parameters: PARAMETERS, steps: 10_000, deadlineMs: 3_000 };
  const sentBefore = await victim.ask("bytesSent");
  const running = tabs.map((tab) => tab.ask("steps", request));
  void victim.ask("steps", request).catch(() => {});
  while ((await victim.ask("bytesSent")) - sentBefore < 5 * 4 * PARAMETERS) {
    await new Promise((resolve) => setTimeout(resolve, 20)); // Some steps: it is in full swing.
  }
  const startMs = performance.now();
  await victim.kill();
  const results = await Promise.all(running);
  expect(performance.now() - startMs).toBeLessThan(3_000 + 2_000);
  for (const { error, digest } of results) {
    expect(digest).not.toBe("");
    // A rank that is stuck one operation before is missing as well.
    expect(error).toMatch(new RegExp(`nothing yet from .*rank 3 \\(peer ${victim.self}\\)|lost rank 3`));
  }
  await train(tabs, 2);
});

test("a tab whose browser cannot transfer channels relays them through its page", async () => {
  await open(1, true);
  const relayed = tabs.at(-1) as Tab;
  const pair = [tabs[0] as Tab, relayed];
  await connectAll(pair);
  expect(Object.values(await relayed.ask("paths"))).toEqual(["page"]);
  await train(pair, 5);
});

test("no page had an error to report, but for the server that was away", () => {
  const errors = tabs.flatMap((tab) => tab.errors).filter((error) => !error.includes("WebSocket connection to"));
  expect(errors).toEqual([]);
});

/** Three real tabs in the pool: a more urgent run makes another one pause, and both end with all their steps. */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type Browser, type Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openCoordinator } from "../../signaling-server/rooms/room-driver.ts";
import { type RunningServer, startServer } from "../../signaling-server/server.ts";
import { present } from "../../src/base/assert.ts";
import { systemClock } from "../../src/base/clock.ts";
import type { QueueView } from "../../src/training/coordinator/pool.ts";
import { DEFAULT_LIMITS } from "../../src/training/coordinator/protocol.ts";
import { buildApp } from "../../tools/build-app.ts";
import { CHROMIUM_FLAGS, findChromium } from "../../tools/swarm/chromium.ts";
import { ROOT } from "../../tools/swarm/server-process.ts";

const TEST_MS_MAX = 400_000;
const LOW_STEPS = 40;
const HIGH_STEPS = 6;

let server: RunningServer;
let browser: Browser;
let data: string;
let origin: string;

beforeAll(async () => {
  process.env["NODE_ENV"] = "production";
  data = await mkdtemp(join(tmpdir(), "hearth-pool-"));
  server = await startServer({
    port: 0,
    dataDirectory: data,
    appDirectory: await buildApp(ROOT),
    version: "0",
    clock: systemClock,
    random: randomBytes,
    limits: DEFAULT_LIMITS,
    open: openCoordinator,
    log: (line) => console.error(line),
    poolLimits: { holdMs: 1_000 },
  });
  origin = `http://localhost:${server.port}`;
  browser = await chromium.launch({
    executablePath: present(findChromium(), "a Chromium (CHROME_PATH names one)"),
    args: [...CHROMIUM_FLAGS],
  });
}, TEST_MS_MAX);

afterAll(async () => {
  await browser?.close();
  await server?.stop();
  await rm(data, { recursive: true, force: true });
}, TEST_MS_MAX);

async function createRoom(steps: number, priority: number): Promise<string> {
  const queue = { priority, membersMin: 3, membersMax: 3 };
  const body = JSON.stringify({ run: "addition", seed: 7, steps, queue });
  const response = await fetch(`${origin}/api/rooms`, { method: "POST", body });
  return ((await response.json()) as { room: string }).room;
}

async function openTab(): Promise<Page> {
  const page = await (await browser.newContext()).newPage();
  await page.goto(`${origin}/pool?device=reference`);
  return page;
}

async function stepOf(room: string): Promise<number> {
  return ((await (await fetch(`${origin}/api/rooms/${room}`)).json()) as { step: number }).step;
}

async function queue(): Promise<QueueView> {
  return (await (await fetch(`${origin}/queue`)).json()) as QueueView;
}

const wait = { timeout: 100_000, interval: 300 };

test(
  "the second run makes the first one pause at a checkpoint, and both end with all steps",
  async () => {
    const low = await createRoom(LOW_STEPS, 0);
    const pages = [await openTab(), await openTab(), await openTab()];
    await expect.poll(() => stepOf(low), wait).toBeGreaterThanOrEqual(3);
    const high = await createRoom(HIGH_STEPS, 5);
    await expect.poll(async () => (await queue()).runs.find(({ priority }) => priority === 5)?.members, wait).toBe(3);
    const pausedAt = await stepOf(low);
    expect(pausedAt).toBeLessThan(LOW_STEPS);
    const shots = process.env["HEARTH_SCREENSHOT"];
    if (shots !== undefined) await present(pages[0], "a page").screenshot({ path: shots });
    await expect.poll(() => stepOf(high), wait).toBe(HIGH_STEPS);
    expect(await stepOf(low)).toBe(pausedAt);
    await expect.poll(() => stepOf(low), wait).toBe(LOW_STEPS);
    await expect.poll(async () => (await queue()).runs.length, wait).toBe(0);
    await expect.poll(async () => (await queue()).free, wait).toBe(3);
  },
  TEST_MS_MAX,
);

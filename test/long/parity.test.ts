/** A checkpoint in stripes with parity, on the disks of real browsers: two of four are gone for good, and the rest restore it. */
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { RunLine } from "../../src/network/wire/run-line.ts";
import { ROOT } from "../../tools/swarm/server-process.ts";
import { areEqual } from "../../tools/swarm/summary.ts";
import { HearthUnderTest, type OpenTab, type WatchedRoom } from "../e2e/support/hearth.ts";

const TEST_MS_MAX = 150_000;
const EVERY = 5;

let hearth: HearthUnderTest;
const server = { main: join(ROOT, "test/e2e/support/parity-server.ts") };
beforeAll(async () => (hearth = await HearthUnderTest.start(server)), TEST_MS_MAX);
afterAll(() => hearth?.stop(), TEST_MS_MAX);

function linesOf<T extends RunLine["type"]>({ lines }: WatchedRoom, type: T): Extract<RunLine, { type: T }>[] {
  return lines.filter((line) => line.type === type) as Extract<RunLine, { type: T }>[];
}

test(
  "two tabs' profiles are deleted with all tabs gone: the other two restore the checkpoint from parity and train on",
  async () => {
    const request = { run: "addition", seed: 7, steps: 1_000, startWith: 4, checkpointEvery: EVERY };
    const room = await hearth.createRoom(request);
    const watched = hearth.watch(room);
    const path = `/room/${room}?device=wasm`;
    const tabs: OpenTab[] = [];
    for (let tab = 0; tab < 4; tab++) tabs.push(await hearth.open(path));
    while (linesOf(watched, "checkpoint").length < 2) await watched.reached(watched.step + 1);
    expect(linesOf(watched, "checkpoint").at(-1)).toMatchObject({ scheme: [2, 4], copies: 3 });

    const contexts = tabs.map(({ page }) => page.context());
    await Promise.all(tabs.map(({ page }) => page.close()));
    // A context is a profile, and is deleted with what it stored.
    await Promise.all(contexts.slice(2).map((context) => context.close()));
    const pages = await Promise.all(contexts.slice(0, 2).map((context) => context.newPage()));
    await Promise.all(pages.map((page) => page.goto(`${hearth.origin}${path}`)));

    const rollbacks = (): Extract<RunLine, { type: "rollback" }>[] => linesOf(watched, "rollback");
    while (rollbacks().length === 0) await watched.heard();
    const [{ to } = { to: 0 }] = rollbacks();
    expect(to).toBeGreaterThanOrEqual(EVERY);
    expect(to % EVERY).toBe(0);
    const before = linesOf(watched, "checkpoint").find(({ step }) => step === to);
    const count = linesOf(watched, "checkpoint").length;
    while (linesOf(watched, "checkpoint").length === count) await watched.heard();
    const sources = linesOf(watched, "recovery").flatMap((line) => line.sources);
    expect(new Set(sources.map(({ source }) => source))).toContain("parity");
    expect(rollbacks()).toHaveLength(1);
    const after = linesOf(watched, "checkpoint").at(-1);
    expect(after?.step).toBe(to + EVERY);
    expect(areEqual(after?.digests ?? {})).toBe(true);
    expect(Object.keys(after?.digests ?? {})).toHaveLength(2);
    expect(areEqual(before?.digests ?? {})).toBe(true);
    await Promise.all(contexts.slice(0, 2).map((context) => context.close()));
    watched.close();
  },
  TEST_MS_MAX,
);

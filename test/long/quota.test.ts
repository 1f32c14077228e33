/** A tab whose browser gives it no more room on disk: what it should have held is held by others, and the run goes on. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { RunLine } from "../../src/network/wire/run-line.ts";
import { present } from "../../src/base/assert.ts";
import { areEqual } from "../../tools/swarm/summary.ts";
import { HearthUnderTest, type OpenTab, type WatchedRoom } from "../e2e/support/hearth.ts";

const TEST_MS_MAX = 180_000;
const EVERY = 5;
/** Far too little for a share of a checkpoint. Chromium looks at it again after half a minute. */
const QUOTA_BYTES = 20_000;

let hearth: HearthUnderTest;
beforeAll(async () => (hearth = await HearthUnderTest.start()), TEST_MS_MAX);
afterAll(() => hearth?.stop(), TEST_MS_MAX);

async function limitStorage({ page }: OpenTab, quotaSize: number): Promise<void> {
  const protocol = await page.context().newCDPSession(page);
  await protocol.send("Storage.overrideQuotaForOrigin", { origin: hearth.origin, quotaSize });
}

function checkpointsOf({ lines }: WatchedRoom): Extract<RunLine, { type: "checkpoint" }>[] {
  return lines.filter((line) => line.type === "checkpoint");
}

test(
  "a full disk is told with its reason, counts as no holder, and the checkpoint is whole on the others",
  async () => {
    const room = await hearth.createRoom({
      run: "addition",
      seed: 7,
      steps: 24 * EVERY,
      startWith: 3,
      checkpointEvery: EVERY,
    });
    const watched = hearth.watch(room);
    const tabs = await Promise.all(Array.from({ length: 3 }, () => hearth.open(`/room/${room}?device=wasm`)));
    const [full] = tabs as [OpenTab, OpenTab, OpenTab];
    await watched.reached(2);
    await limitStorage(full, QUOTA_BYTES);
    const { digests } = await watched.ended();
    const peer = present(
      await full.page.evaluate("document.documentElement.dataset.peer"),
      "the tab's peer id",
    ) as string;
    expect(areEqual(digests)).toBe(true);
    expect(Object.keys(digests)).toContain(peer);

    const checkpoints = checkpointsOf(watched);
    expect(checkpoints.length).toBeGreaterThanOrEqual(3);
    const lacking = checkpoints.filter(({ errors }) => errors !== undefined);
    expect(lacking.length).toBeGreaterThanOrEqual(2);
    expect(lacking.at(-1)).toBe(checkpoints.at(-1));
    for (const { errors = {}, copies, generation } of lacking) {
      expect(Object.keys(errors)).toEqual([peer]);
      expect(errors[peer]).toMatch(/put of \d+ bytes .* refused with QuotaExceededError/);
      expect(copies).toBe(2);
      expect(generation).toBeGreaterThan(0);
    }
    expect(watched.lines.filter(({ type }) => type === "rollback")).toEqual([]);
    await Promise.all(tabs.map(({ page }) => page.context().close()));
    watched.close();
  },
  TEST_MS_MAX,
);

/** The real product under real faults: a tab is killed and comes back, another one is cut off, and the run is that without faults. */
import { expect, test } from "vitest";
import { buildApp } from "../../tools/build-app.ts";
import { parseChaosOptions } from "../../tools/chaos/options.ts";
import { runChaos } from "../../tools/chaos/run-chaos.ts";
import { ROOT } from "../../tools/swarm/server-process.ts";

const ARGUMENTS = "--tabs 2 --minutes 0.3 --every 8 --seed 2 --faults kill,cut --undisturbed 5 --reference 30";
const TIMEOUT_MS = 300_000;

test(
  "two tabs of which one is killed and one is cut off learn what one tab alone learns",
  async () => {
    process.env["NODE_ENV"] = "production"; // The app is built as it is served, not as under a test runner.
    await buildApp(ROOT);
    const options = parseChaosOptions(`${ARGUMENTS} --set width=16 --set heads=2 --set layers=1`.split(" "));
    if (options === "help") return expect.fail("expected options");
    const notes: string[] = [];
    const card = await runChaos(options, { onNote: (text) => notes.push(text) });
    expect(card.failures, notes.join("\n")).toEqual([]);
    expect(card.faults.length, notes.join("\n")).toBeGreaterThanOrEqual(1);
    expect(card.losses.compared).toBeGreaterThan(5);
  },
  TIMEOUT_MS,
);

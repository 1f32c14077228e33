/** Faults in real browsers, against a fake server that trains nothing: each is carried out, and the scorecard says what came of it. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parseChaosOptions } from "../../tools/chaos/options.ts";
import { runChaos } from "../../tools/chaos/run-chaos.ts";
import type { Scorecard } from "../../tools/chaos/scorecard.ts";
import { findChromium } from "../../tools/swarm/chromium.ts";
import { ProcessGroups } from "../../tools/swarm/processes.ts";

const SERVER = { main: join(import.meta.dirname, "../tools/fixtures/fake-hearth.ts") };
const TEST_MS_MAX = 180_000;

let directory = "";
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), "hearth-test-"))));
afterEach(() => rmSync(directory, { recursive: true, force: true }));

async function chaos(args: string): Promise<{ card: Scorecard; notes: string[] }> {
  const kept = ["--run", "fake", "--profile", join(directory, "kept"), "--lines", join(directory, "lines.jsonl")];
  const options = parseChaosOptions([...kept, ...args.split(" ")]);
  if (options === "help") return expect.fail("expected options");
  const groups = new ProcessGroups();
  const notes: string[] = [];
  const card = await runChaos(options, { server: SERVER, groups, onNote: (text) => notes.push(text) });
  expect(groups.pids).toEqual([]);
  return { card, notes };
}

test.skipIf(findChromium() === null)(
  "tabs are killed and cut off, the server dies, all come back, and the run is that without faults",
  async () => {
    const asked = "--tabs 3 --minutes 0.4 --every 7 --seed 3 --faults kill,kill-server --undisturbed 5 --reference 5";
    const { card, notes } = await chaos(`${asked} --set stepMs=200`);
    expect(card.failures, notes.join("\n")).toEqual([]);
    expect(card.faults.length).toBeGreaterThanOrEqual(2);
    expect(Object.keys(card.kinds)).toEqual(["kill", "kill-server"]);
    expect(card.losses).toMatchObject({ relativeMax: 0, references: [{ tabs: 3 }, { tabs: 1 }] });
    expect(card.digests).toMatchObject({ unequal: [], lastTabs: 3 });
    expect(
      notes.some((note) => /^tab \d comes for tab \d, /.test(note)),
      notes.join("\n"),
    ).toBe(true);
    const lines = readFileSync(join(directory, "lines.jsonl"), "utf8").trim().split("\n");
    const faults = lines.map((line) => JSON.parse(line) as { type: string; kind?: string }).filter(({ type }) => type === "fault"); // prettier-ignore
    expect(faults).toHaveLength(card.faults.length);
    expect(new Set(faults.map(({ kind }) => kind))).toEqual(new Set(["kill", "kill-server"]));
  },
  TEST_MS_MAX,
);

test.skipIf(findChromium() === null)(
  "a tab whose network is cut is silent until it is mended, and devices that differ are told",
  async () => {
    const asked = "--tabs 2 --minutes 0.3 --every 6 --seed 1 --faults cut-long --undisturbed 5 --reference 0";
    const { card, notes } = await chaos(`${asked} --set stepMs=200 --set differAt=10`);
    expect(card.failures, notes.join("\n")).toEqual(["tabs hold different parameters at 10"]);
    expect(card.kinds["cut-long"]?.count).toBeGreaterThanOrEqual(1);
    const lines = readFileSync(join(directory, "lines.jsonl"), "utf8").trim().split("\n");
    expect(
      lines.filter((line) => line.includes('"event":"lost"')),
      notes.join("\n"),
    ).not.toEqual([]);
  },
  TEST_MS_MAX,
);

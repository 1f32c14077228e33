/** The bytes that hearth says it sent are those that the browser's own `getStats()` counted. */
import { expect, test } from "vitest";
import type { RunLine } from "../../src/network/wire/run-line.ts";
import { buildApp } from "../../tools/build-app.ts";
import { parseOptions } from "../../tools/swarm/options.ts";
import { describeBytesSent } from "../../tools/swarm/result.ts";
import { runSwarm } from "../../tools/swarm/run-swarm.ts";
import { ROOT } from "../../tools/swarm/server-process.ts";

/** Greetings, pings and farewells of links are the browser's count alone. */
const RATIO_MAX = 1.05;
const STEPS = 20;

test("each of three tabs sent what its browser counted, and a line of the swarm's summary says so", async () => {
  process.env["NODE_ENV"] = "production"; // The app is built as it is served, not as under a test runner.
  await buildApp(ROOT);
  const args = `--tabs 3 --run addition --steps ${STEPS} --seed 7 --device reference --shared-profile --paths webrtc`;
  const options = parseOptions(args.split(" "));
  if (options === "help") return expect.fail("expected options");
  const result = await runSwarm(options);
  expect(result).toMatchObject({ exitCode: 0, summary: { steps: STEPS } });
  const said = describeBytesSent(result.tabs);
  console.log(said);
  expect(result.tabs).toHaveLength(3);
  for (const { index, peer, bytesSent } of result.tabs) {
    const { byHearth, byBrowser } = bytesSent ?? { byHearth: 0, byBrowser: 0 };
    // The steps' lines tell of all but what came after the last vote: the rest of its checkpoint.
    const inSteps = sentInSteps(result.lines, peer ?? "");
    expect(inSteps).toBeGreaterThan(0.9 * byHearth);
    expect(inSteps).toBeLessThanOrEqual(byHearth);
    expect(byBrowser / byHearth).toBeGreaterThanOrEqual(1);
    expect(byBrowser / byHearth).toBeLessThan(RATIO_MAX);
    expect(said).toMatch(new RegExp(`^  tab ${index}: bytes by getStats\\(\\): ${byBrowser} \\(1\\.0\\d+ of`, "m"));
  }
}, 120_000);

function sentInSteps(lines: readonly RunLine[], peer: string): number {
  const counts = lines.flatMap((line) => (line.type === "step" ? Object.values(line.bytesSent[peer] ?? {}) : []));
  return counts.reduce((sum, bytes) => sum + bytes, 0);
}

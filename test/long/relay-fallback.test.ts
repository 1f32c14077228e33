/** Where WebRTC connects no one to a tab, the server's relay does: the run ends with the losses of one without it. */
import { expect, test } from "vitest";
import type { StepLine } from "../../src/network/wire/run-line.ts";
import { HEADER_BYTES } from "../../src/network/wire/frame.ts";
import { present } from "../../src/base/assert.ts";
import { buildApp } from "../../tools/build-app.ts";
import { compareLosses } from "../../tools/swarm/compare.ts";
import { parseOptions } from "../../tools/swarm/options.ts";
import type { SwarmResult } from "../../tools/swarm/result.ts";
import { runSwarm } from "../../tools/swarm/run-swarm.ts";
import { ROOT } from "../../tools/swarm/server-process.ts";

const STEPS = 12;
const RUN = `--tabs 3 --run addition --steps ${STEPS} --seed 7 --device reference --shared-profile --paths webrtc`;
/** Sums over slots are rounded by 2^-24 each, in an order that follows measured speed; some steps amplify that. */
const DIFFERENCE_MAX = 1e-4;

async function train(ice: string): Promise<SwarmResult> {
  const options = parseOptions(`${RUN} --ice ${ice}`.split(" "));
  if (options === "help") return expect.fail("expected options");
  const result = await runSwarm(options);
  expect(result).toMatchObject({ exitCode: 0, summary: { steps: STEPS } });
  expect(result.lines.filter(({ type }) => type === "abort")).toEqual([]);
  return result;
}

function stepsOf({ lines }: SwarmResult): StepLine[] {
  return lines.flatMap((line) => (line.type === "step" ? [line] : []));
}

test("a tab that WebRTC reaches nobody from is relayed, trains like the others, and owns nothing", async () => {
  process.env["NODE_ENV"] = "production"; // The app is built as it is served, not as under a test runner.
  await buildApp(ROOT);
  const direct = await train("all");
  expect(new Set(stepsOf(direct).flatMap(({ transport }) => Object.values(transport)))).toEqual(new Set(["webrtc"]));

  const relayed = await train("relay,all,all");
  const hidden = present(relayed.tabs[0]?.peer, "the peer of the first tab");
  const steps = stepsOf(relayed).filter(({ members }) => members.length === 3);
  expect(steps.length).toBeGreaterThan(STEPS / 2);
  for (const { transport } of steps) {
    expect(Object.keys(transport)).toHaveLength(3);
    for (const [pair, path] of Object.entries(transport)) expect([pair, path]).toEqual([pair, pair.includes(hidden) ? "relay" : "webrtc"]); // prettier-ignore
  }
  expect(compareLosses(relayed.lines, direct.lines).relativeMax).toBeLessThan(DIFFERENCE_MAX);

  // The first step tells who is relayed. From the next epoch on such a member has no parameters to give: two empty frames.
  const [first] = steps;
  const later = steps.filter(({ epoch }) => epoch > (first?.epoch ?? 0));
  expect(later.length).toBeGreaterThan(STEPS / 2);
  for (const { bytesSent } of later) {
    const of = (peer: string): number => bytesSent[peer]?.parameters ?? 0;
    expect(of(hidden)).toBe(2 * HEADER_BYTES);
    for (const peer of Object.keys(bytesSent))
      if (peer !== hidden) expect(of(peer)).toBeGreaterThan(100 * HEADER_BYTES);
  }
}, 120_000);

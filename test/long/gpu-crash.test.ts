/** The browser's GPU process dies under four tabs, which all lose their device at once: the run ends as if it had not. */
import { expect, test } from "vitest";
import { buildApp } from "../../tools/build-app.ts";
import { parseOptions } from "../../tools/swarm/options.ts";
import type { SwarmResult } from "../../tools/swarm/result.ts";
import { runSwarm } from "../../tools/swarm/run-swarm.ts";
import { ROOT } from "../../tools/swarm/server-process.ts";

const RUN = "--run char-gpt --set width=16 --set heads=2 --set layers=1 --seed 5 --device webgpu --shared-profile";
/** Losses are means over slots, about 4.5: other devices add up in another order, and each step goes on from there. */
const DIFFERENCE_MAX = 1e-3;
/** Of 0.1 s each: a tab may hear of a crash some steps later, and the last one must still be met with work. */
const STEPS = 24;
const TIMEOUT_MS = 240_000;

async function swarm(rest: string): Promise<SwarmResult> {
  process.env["NODE_ENV"] = "production"; // The app is built as it is served, not as under a test runner.
  await buildApp(ROOT);
  const options = parseOptions(`${RUN} ${rest}`.split(" "));
  return options === "help" ? expect.fail("expected options") : await runSwarm(options);
}

function lossesOf({ lines }: SwarmResult): number[] {
  return lines.flatMap((line) => (line.type === "step" ? [line.loss] : []));
}

function longestSteps({ lines }: SwarmResult): string {
  const times = lines.flatMap((line) => (line.type === "step" ? [Math.round(line.ms)] : []));
  return `${times
    .sort((a, b) => b - a)
    .slice(0, 3)
    .join(", ")} ms`;
}

function enginesOf({ tabs }: SwarmResult): (string | undefined)[] {
  return tabs.map(({ engine }) => engine?.split(":")[0]);
}

/** Nobody was lost, nothing was done twice, and every loss is that of the run alone. */
function expectUndisturbed(result: SwarmResult, expected: readonly number[]): void {
  const steps = expected.length;
  expect(result).toMatchObject({ exitCode: 0, summary: { steps } });
  const unwanted = result.lines.filter((line) => line.type === "abort" || (line.type === "member" && line.event !== "join")); // prettier-ignore
  expect(unwanted).toEqual([]);
  for (const [i, loss] of lossesOf(result).entries()) {
    expect(Math.abs(loss - (expected[i] ?? Number.NaN)), `step ${i + 1}`).toBeLessThan(DIFFERENCE_MAX);
  }
}

test(
  "tabs get their GPU back when its process is killed; when it stays away they go on with the CPU, and say so",
  async () => {
    const expected = lossesOf(await swarm(`--tabs 1 --steps ${STEPS}`));

    const once = await swarm(`--tabs 4 --steps ${STEPS} --kill gpu@3`);
    expectUndisturbed(once, expected);
    expect(enginesOf(once)).toEqual(Array(4).fill("webgpu"));
    expect(once.tabs.map(({ engine }) => engine)).toEqual(Array(4).fill(expect.stringContaining("came back")));

    // Chromium starts no GPU process with WebGPU after the third crash.
    const thrice = await swarm(`--tabs 4 --steps ${STEPS} --kill gpu@2 --kill gpu@6 --kill gpu@10`);
    console.log("longest steps:", [once, thrice].map(longestSteps).join("; "));
    expectUndisturbed(thrice, expected);
    expect(enginesOf(thrice)).toEqual(Array(4).fill("wasm"));
    expect(thrice.tabs.map(({ engine }) => engine)).toEqual(Array(4).fill(expect.stringContaining("goes on with the CPU"))); // prettier-ignore
  },
  3 * TIMEOUT_MS,
);

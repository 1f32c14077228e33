/** Random graphs of dozens and of hundreds of nodes, optimized and fused, against the evaluator. */
import { describe, expect, test } from "vitest";
import { Random } from "../../../src/base/random.ts";
import { lower } from "../../../src/compute/compiler/lower.ts";
import { computed, expectAsEvaluated, Leaves, testDevices } from "./devices.ts";
import { randomGraph, wholeRandomGraph } from "./random-graph.ts";

/** Each of up to 60 steps may add an error of 1e-7, and few of them enlarge what is there. */
const TOLERANCE = 1e-4;
const SEEDS = { reference: 60, webgpu: 6 };
/** All of some hundred steps: what they make is larger by then, and so may be its error. */
const LONG = { tolerance: 1e-3, reference: { steps: 300, seeds: 12 }, webgpu: { steps: 150, seeds: 1 } };

for (const device of testDevices) {
  const seeds = device.name === "reference" ? SEEDS.reference : SEEDS.webgpu;
  describe.skipIf(device.missing !== undefined)(`${device.name}${device.missing ? ` (${device.missing})` : ""}`, () => {
    test.each(Array.from({ length: seeds }, (_, seed) => seed))(
      "random graph %i is what the evaluator says",
      async (seed) => {
        const runtime = await device.open();
        const leaves = new Leaves(runtime);
        const random = new Random("graph", seed);
        const outputs = randomGraph(random, leaves, 20 + random.below(40));
        await expectAsEvaluated(runtime, leaves, outputs, TOLERANCE);
      },
    );

    const long = device.name === "reference" ? LONG.reference : LONG.webgpu;
    test.each(Array.from({ length: long.seeds }, (_, seed) => seed))(
      "random graph %i of hundreds of nodes is what the evaluator says",
      { timeout: 240_000 },
      async (seed) => {
        const runtime = await device.open();
        const leaves = new Leaves(runtime);
        const outputs = wholeRandomGraph(new Random("long graph", seed), leaves, long.steps);
        await expectAsEvaluated(runtime, leaves, outputs, LONG.tolerance);
      },
    );

    test("two runs of a random graph give the same bits", async () => {
      const runtime = await device.open();
      const outputs = randomGraph(new Random("bits", 1), new Leaves(runtime), 50);
      expect(await computed(runtime, outputs)).toEqual(await computed(runtime, outputs));
    });
  });
}

test.each([4, 5, 8])("no kernel of a random graph binds more than %i arrays", async (bindingsMax) => {
  const runtime = await (testDevices[0] ?? expect.fail("no reference device")).open();
  for (let seed = 0; seed < 20; seed++) {
    const { kernels } = lower(randomGraph(new Random("bindings", seed), new Leaves(runtime), 60), bindingsMax);
    for (const { kernel } of kernels) expect(kernel.bindings.length).toBeLessThanOrEqual(bindingsMax);
  }
});

/** Optimizers and whole training runs against PyTorch. */
import { expect, test } from "vitest";
import { runOptimizer } from "../../tools/conformance/optimizers.ts";
import { runModel } from "../../tools/conformance/run-model.ts";
import { createRuntime } from "../../src/compute/runtime/graph-runtime.ts";
import { openWasm } from "../compute/device/devices.ts";
import { deviceRuntime } from "../compute/tensor/test-runtimes.ts";
import { fixturesMissing, modelFixtures, optimizerFixtures } from "./fixtures.ts";

const OPTIMIZERS = ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad"];

const optimizers = optimizerFixtures();
for (const fixture of optimizers.cases.filter(({ optimizer }) => OPTIMIZERS.includes(optimizer))) {
  test(`${fixture.id} gives PyTorch's parameters after ${fixture.steps} steps`, async () => {
    expect(await runOptimizer(deviceRuntime(), fixture, optimizers.values)).toBeNull();
  });
}

const models = modelFixtures();
for (const fixture of models.cases) {
  test(`${fixture.id} trains as in PyTorch: ${fixture.steps} losses within 1e-4`, { timeout: 120_000 }, async () => {
    expect(await runModel(deviceRuntime(), fixture, models.values)).toBeNull();
  });
}

test.skipIf(fixturesMissing !== null)("all of them do on WebAssembly", { timeout: 120_000 }, async () => {
  const device = await openWasm();
  const runtime = createRuntime(device);
  for (const fixture of models.cases) expect(await runModel(runtime, fixture, models.values), fixture.id).toBeNull();
  runtime.destroy();
  device.destroy();
});

test.skipIf(fixturesMissing === null)(`optimizers and models train as in PyTorch (${fixturesMissing})`, () => {});

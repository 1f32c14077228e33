/** Optimizers and whole training runs against PyTorch. */
import { expect, test } from "vitest";
import { present } from "../../src/base/assert.ts";
import { OptionError } from "../../src/base/errors.ts";
import { Random } from "../../src/base/random.ts";
import { compile } from "../../src/compute/tensor/compile.ts";
import type { Inputs } from "../../src/compute/tensor/compile.ts";
import { tensor } from "../../src/compute/tensor/create.ts";
import { crossEntropy } from "../../src/compute/tensor/ops/cross-entropy.ts";
import { withRuntime } from "../../src/compute/tensor/runtime-scope.ts";
import { Tensor } from "../../src/compute/tensor/tensor.ts";
import { withRandom } from "../../src/model/nn/init.ts";
import { Adam, AdamW } from "../../src/model/optim/adam.ts";
import type { AdamClassOptions } from "../../src/model/optim/adam.ts";
import type { Optimizer } from "../../src/model/optim/optimizer.ts";
import { SGD } from "../../src/model/optim/sgd.ts";
import { deviceRuntime } from "../compute/tensor/test-runtimes.ts";
import { fixturesMissing, modelFixtures, optimizerFixtures } from "./fixtures.ts";
import type { ModelFixture } from "./fixtures.ts";
import { Cnn, Gpt, Lstm } from "./fixture-models.ts";
import type { GptShape } from "./fixture-models.ts";

const OPTIMIZERS = ["SGD", "Adam", "AdamW"];
const RELATIVE_LOSS = 1e-4;

function createOptimizer(
  name: string,
  parameters: readonly Tensor[],
  options: Readonly<Record<string, unknown>>,
): Optimizer {
  const known = options as unknown as AdamClassOptions;
  switch (name) {
    case "SGD":
      return new SGD(parameters, known);
    case "Adam":
      return new Adam(parameters, known);
    case "AdamW":
      return new AdamW(parameters, known);
    default:
      throw new OptionError(`fixtures: expected one of ${OPTIMIZERS.join(", ")}, found ${name}`);
  }
}

const optimizers = optimizerFixtures();
for (const fixture of optimizers.cases.filter(({ optimizer }) => OPTIMIZERS.includes(optimizer))) {
  test(`${fixture.id} gives PyTorch's parameters after ${fixture.steps} steps`, async () => {
    const runtime = deviceRuntime();
    const { parameters, step } = withRuntime(runtime, () => {
      const made = fixture.params.map((name) => tensor(optimizers.values(name), { requiresGrad: true }));
      const optimizer = createOptimizer(fixture.optimizer, made, fixture.options);
      return {
        parameters: made,
        step: compile(
          (gradients: Inputs<string>) => {
            made.forEach((parameter, i) => (parameter.grad = present(gradients[`g${i}`], "a gradient")));
            optimizer.step();
            return [];
          },
          { runtime },
        ),
      };
    });
    for (let k = 0; k < fixture.steps; k++) {
      await step(
        Object.fromEntries(parameters.map((_, i) => [`g${i}`, optimizers.values(`${fixture.id}/g${k}.${i}`)])),
      );
    }
    const found = await Tensor.readAll(parameters);
    for (const [i, values] of found.entries()) {
      const expected = optimizers.values(`${fixture.id}/after${i}`).data;
      expected.forEach((value, at) => {
        const off = Math.abs((values[at] ?? Number.NaN) - value);
        expect(off, `after${i}[${at}]: ${values[at]} for ${value}`).toBeLessThanOrEqual(2e-5 + 2e-4 * Math.abs(value));
      });
    }
  });
}

const models = modelFixtures();

function createModel({ kind, model }: ModelFixture): Gpt | Cnn | Lstm {
  switch (kind) {
    case "gpt":
      return new Gpt(model as unknown as GptShape);
    case "cnn":
      return new Cnn();
    case "lstm":
      return new Lstm();
  }
}

for (const fixture of models.cases) {
  test(`${fixture.id} trains as in PyTorch: ${fixture.steps} losses within 1e-4`, { timeout: 120_000 }, async () => {
    const runtime = deviceRuntime();
    const step = withRuntime(runtime, () => {
      const model = withRandom(new Random(1), () => createModel(fixture));
      model.loadStateDict(
        Object.fromEntries(Object.entries(fixture.parameters).map(([name, at]) => [name, models.values(at)])),
      );
      const { name, ...options } = fixture.optimizer;
      const optimizer = createOptimizer(name, model.parameters(), options);
      return compile(
        ({ x, y }: Inputs<"x" | "y">) => {
          const loss = crossEntropy(model.forward(x), y);
          loss.backward();
          optimizer.step();
          return loss;
        },
        { runtime },
      );
    });
    const losses: number[] = [];
    for (let t = 0; t < fixture.steps; t++) {
      const [x, y] = present(fixture.batches[t % fixture.batches.length], "a batch");
      const loss = await step({ x: models.values(x), y: models.values(y) });
      losses.push(await loss.item());
    }
    expect(step.explain()).toHaveLength(1);
    fixture.losses.forEach((expected, t) => {
      const off = Math.abs((losses[t] ?? Number.NaN) - expected) / expected;
      expect(off, `step ${t}: ${losses[t]} for ${expected}`).toBeLessThan(RELATIVE_LOSS);
    });
  });
}

test.skipIf(fixturesMissing === null)(`optimizers and models train as in PyTorch (${fixturesMissing})`, () => {});

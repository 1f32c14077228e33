/** Whole training runs against PyTorch: the loss of every step. */
import { present } from "../../src/base/assert.ts";
import { Random } from "../../src/base/random.ts";
import type { Runtime } from "../../src/compute/runtime/runtime.ts";
import { compile } from "../../src/compute/tensor/compile.ts";
import type { CompiledFunction, Inputs } from "../../src/compute/tensor/compile.ts";
import { crossEntropy } from "../../src/compute/tensor/ops/cross-entropy.ts";
import { withRuntime } from "../../src/compute/tensor/runtime-scope.ts";
import type { Tensor } from "../../src/compute/tensor/tensor.ts";
import { withRandom } from "../../src/model/nn/init.ts";
import type { Fixtures, ModelFixture } from "./fixtures.ts";
import { createModel } from "./models/create-model.ts";
import { createOptimizer } from "./optimizers.ts";

/** What the fixtures ask for. */
const RELATIVE_LOSS = 1e-4;

type Values = Fixtures<ModelFixture>["values"];

/** Null when every loss is PyTorch's, else why not. @throws UnsupportedError for a model that cannot be built */
export async function runModel(runtime: Runtime, fixture: ModelFixture, values: Values): Promise<string | null> {
  const step = withRuntime(runtime, () => compileStep(runtime, fixture, values));
  try {
    for (let t = 0; t < fixture.steps; t++) {
      const [x, y] = present(fixture.batches[t % fixture.batches.length], `${fixture.id}: a batch`);
      const loss = await step({ x: values(x), y: values(y) });
      const found = await loss.item();
      const expected = present(fixture.losses[t], `${fixture.id}: the loss of step ${t}`);
      const isRight = Math.abs(found - expected) <= RELATIVE_LOSS * Math.abs(expected);
      if (!isRight) return `loss of step ${t}: ${found} for ${expected}`;
    }
    if (step.explain().length === 1) return null;
    return `expected one plan for ${fixture.steps} steps, found ${step.explain().length}`;
  } finally {
    step.destroy();
  }
}

function compileStep(runtime: Runtime, fixture: ModelFixture, values: Values): CompiledFunction<"x" | "y", Tensor> {
  const state = Object.fromEntries(Object.entries(fixture.parameters).map(([name, at]) => [name, values(at)]));
  const shapes = new Map(Object.entries(state).map(([name, { shape }]) => [name, shape]));
  const model = withRandom(new Random(1), () => createModel(fixture, shapes));
  model.loadStateDict(state);
  const { name, ...options } = fixture.optimizer;
  const optimizer = createOptimizer(name, model.parameters(), options);
  return compile(
    ({ x, y }: Inputs<"x" | "y">) => {
      const loss = crossEntropy(model.forward(x), y, { axis: -1 });
      loss.backward();
      optimizer.step();
      return loss;
    },
    { runtime },
  );
}

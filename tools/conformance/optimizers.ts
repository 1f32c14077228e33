/** Optimizers against PyTorch: fixed gradients in, parameters out. */
import { present } from "../../src/base/assert.ts";
import { UnsupportedError } from "../../src/base/errors.ts";
import type { Runtime } from "../../src/compute/runtime/runtime.ts";
import { compile } from "../../src/compute/tensor/compile.ts";
import type { Inputs } from "../../src/compute/tensor/compile.ts";
import { tensor } from "../../src/compute/tensor/create.ts";
import { withRuntime } from "../../src/compute/tensor/runtime-scope.ts";
import { Tensor } from "../../src/compute/tensor/tensor.ts";
import { Adam, AdamW } from "../../src/model/optim/adam.ts";
import type { AdamClassOptions } from "../../src/model/optim/adam.ts";
import type { Optimizer } from "../../src/model/optim/optimizer.ts";
import { SGD } from "../../src/model/optim/sgd.ts";
import { difference } from "./compare.ts";
import type { Fixtures, OptimizerFixture } from "./fixtures.ts";

/** What the fixtures ask for. */
const TOLERANCE = { rtol: 2e-4, atol: 2e-5 };

/** By PyTorch's name; its defaults are ours. @throws UnsupportedError */
export function createOptimizer(
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
      throw new UnsupportedError(`hearth has no ${name} yet`);
  }
}

/** Null when the parameters after all steps are PyTorch's, else why not. */
export async function runOptimizer(
  runtime: Runtime,
  fixture: OptimizerFixture,
  values: Fixtures<OptimizerFixture>["values"],
): Promise<string | null> {
  const parameters = withRuntime(runtime, () =>
    fixture.params.map((name) => tensor(values(name), { requiresGrad: true })),
  );
  const optimizer = withRuntime(runtime, () => createOptimizer(fixture.optimizer, parameters, fixture.options));
  const step = compile(
    (gradients: Inputs<string>) => {
      parameters.forEach((parameter, i) => (parameter.grad = present(gradients[`g${i}`], "a gradient")));
      optimizer.step();
      return [];
    },
    { runtime },
  );
  try {
    for (let k = 0; k < fixture.steps; k++) {
      await step(Object.fromEntries(parameters.map((_, i) => [`g${i}`, values(`${fixture.id}/g${k}.${i}`)])));
    }
    const found = await Tensor.readAll(parameters);
    for (const [i, { shape }] of parameters.entries()) {
      const name = `${fixture.id}/after${i}`;
      const reason = difference(name, { shape, data: present(found[i], name) }, values(name), TOLERANCE);
      if (reason !== null) return reason;
    }
    return null;
  } finally {
    step.destroy();
  }
}

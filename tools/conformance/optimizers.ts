/** Optimizers against PyTorch: fixed gradients in, parameters out. */
import { present } from "../../src/base/assert.ts";
import { UnsupportedError } from "../../src/base/errors.ts";
import type { Runtime } from "../../src/compute/runtime/runtime.ts";
import { compile } from "../../src/compute/tensor/compile.ts";
import type { Inputs } from "../../src/compute/tensor/compile.ts";
import { tensor } from "../../src/compute/tensor/create.ts";
import { withRuntime } from "../../src/compute/tensor/runtime-scope.ts";
import { Tensor } from "../../src/compute/tensor/tensor.ts";
import { Adadelta } from "../../src/model/optim/adadelta.ts";
import { Adagrad } from "../../src/model/optim/adagrad.ts";
import { Adam, AdamW } from "../../src/model/optim/adam.ts";
import { Adamax, NAdam, RAdam } from "../../src/model/optim/adam-relatives.ts";
import { Lion } from "../../src/model/optim/lion.ts";
import { Muon } from "../../src/model/optim/muon.ts";
import type { Optimizer } from "../../src/model/optim/optimizer.ts";
import { RMSprop } from "../../src/model/optim/rmsprop.ts";
import { SGD } from "../../src/model/optim/sgd.ts";
import { difference } from "./compare.ts";
import type { Fixtures, OptimizerFixture } from "./fixtures.ts";

/** What the fixtures ask for. */
const TOLERANCE = { rtol: 2e-4, atol: 2e-5 };

type Make = (parameters: readonly Tensor[], options: object) => Optimizer;

const OPTIMIZERS: Readonly<Record<string, Make>> = {
  Adadelta: (parameters, options) => new Adadelta(parameters, options),
  Adagrad: (parameters, options) => new Adagrad(parameters, options),
  Adam: (parameters, options) => new Adam(parameters, options),
  AdamW: (parameters, options) => new AdamW(parameters, options),
  Adamax: (parameters, options) => new Adamax(parameters, options),
  Lion: (parameters, options) => new Lion(parameters, options),
  Muon: (parameters, options) => new Muon(parameters, options),
  NAdam: (parameters, options) => new NAdam(parameters, options),
  RAdam: (parameters, options) => new RAdam(parameters, options),
  RMSprop: (parameters, options) => new RMSprop(parameters, options),
  SGD: (parameters, options) => new SGD(parameters, options),
};

/** PyTorch's choices between ways to compute the same. */
const WITHOUT_EFFECT: readonly string[] = ["foreach", "fused", "capturable", "differentiable"];

/** By PyTorch's name; its defaults are ours. @throws UnsupportedError, OptionError for options that it does not have */
export function createOptimizer(
  name: string,
  parameters: readonly Tensor[],
  options: Readonly<Record<string, unknown>>,
): Optimizer {
  const make = OPTIMIZERS[name];
  if (make === undefined) throw new UnsupportedError(`hearth has no ${name} yet`);
  const known = Object.entries(options).filter(([key]) => !WITHOUT_EFFECT.includes(key));
  return make(parameters, Object.fromEntries(known));
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

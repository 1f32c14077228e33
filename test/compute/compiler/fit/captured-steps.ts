/** Training steps as the compiler lowers them: what a compiled function asks a runtime for, without running it. */
import { present } from "../../../../src/base/assert.ts";
import { Random } from "../../../../src/base/random.ts";
import { canOverwrite } from "../../../../src/compute/compiler/overwrite.ts";
import type { FitOptions } from "../../../../src/compute/compiler/fit-memory.ts";
import type { Node } from "../../../../src/compute/compiler/ir.ts";
import { lower } from "../../../../src/compute/compiler/lower.ts";
import { planWaves } from "../../../../src/compute/compiler/waves.ts";
import { NullDevice } from "../../../../src/compute/device/null/null-device.ts";
import { createRuntime } from "../../../../src/compute/runtime/graph-runtime.ts";
import { compile, type Inputs } from "../../../../src/compute/tensor/compile.ts";
import { setDefaultRuntime } from "../../../../src/compute/tensor/runtime-scope.ts";
import type { Tensor } from "../../../../src/compute/tensor/tensor.ts";
import { withRandom } from "../../../../src/model/nn/init.ts";
import type { Module } from "../../../../src/model/nn/module.ts";
import { AdamW } from "../../../../src/model/optim/adam.ts";
import type { TracedStep } from "../../tensor/traced-graph.ts";
import type { Steps } from "./interpret.ts";
import { ALIGNMENT } from "./made-up-steps.ts";

type Updates = readonly (readonly [target: Node, value: Node])[];

/** Lowered steps, and what has to be known of them. */
export interface Captured {
  readonly steps: Steps;
  readonly facts: Pick<FitOptions, "alignment" | "isInner" | "keptToEnd" | "overwrites">;
}

/** The kernels of a training step; `make` is called once, with tensors on a device that runs nothing. */
export async function capture(make: () => TracedStep<"x">): Promise<Captured> {
  const runtime = createRuntime(new NullDevice());
  const asked: { outputs: readonly Node[]; updates: Updates }[] = [];
  const compiles = runtime.compile.bind(runtime);
  runtime.compile = async (outputs, updates) => {
    asked.push({ outputs, updates });
    return await compiles(outputs, updates);
  };
  setDefaultRuntime(runtime);
  const { inputs, step } = make();
  await compile(step)(inputs);
  const [first] = asked;
  setDefaultRuntime(null);
  return lowered(present(first, "capture: a plan"));
}

/** A step of AdamW on `loss` of a model. */
export function trainingStep<M extends Module>(
  make: () => M,
  x: () => Tensor,
  loss: (model: M, x: Tensor) => Tensor,
): () => TracedStep<"x"> {
  return () => {
    const model = withRandom(new Random("step"), make);
    const optimizer = new AdamW(model.parameters(), { lr: 1e-3 });
    const step = (inputs: Inputs<"x">): Tensor => {
      const value = loss(model, inputs.x);
      value.backward();
      optimizer.step();
      return value;
    };
    return { inputs: { x: x() }, step };
  };
}

function lowered({ outputs, updates }: { outputs: readonly Node[]; updates: Updates }): Captured {
  const all = [...outputs, ...updates.map(([, value]) => value)];
  const made = lower(all, 8, { updatesFrom: outputs.length });
  const steps = planWaves(made.kernels);
  const results = new Set(made.outputs.slice(0, outputs.length));
  const values = made.outputs.slice(outputs.length);
  const overwrites = new Map<Node, Node>();
  for (const [i, [target]] of updates.entries()) {
    const value = values[i];
    if (value !== undefined && !results.has(value) && isWrittenInPlace(steps, value, target))
      overwrites.set(value, target);
  }
  const isInner = (node: Node): boolean => {
    return node.primitive.kind !== "buffer" && !results.has(node) && !overwrites.has(node);
  };
  return { steps, facts: { alignment: ALIGNMENT, isInner, keptToEnd: new Set(values.filter(isInner)), overwrites } };
}

/** As the runtime decides it. */
function isWrittenInPlace(steps: Steps, value: Node, target: Node): boolean {
  const at = steps.findIndex((step) => step.some(({ outputs }) => outputs.includes(value)));
  return at >= 0 && steps.slice(at).every((step) => step.every(({ kernel, inputs, outputs }) => {
    if (!inputs.includes(target)) return true;
    return outputs.includes(value) && canOverwrite(kernel, outputs.indexOf(value), outputs.length + inputs.indexOf(target));
  })); // prettier-ignore
}

/**
 * Every op and its gradients, compiled for the reference device, against the interpreter in float64.
 *
 * float32 rounds to 6e-8, an op here chains some ten roundings and sums at most some hundred terms, and exp, erf and
 * pow may be off by 1e-6: 2e-5 of the largest value is enough, and no wrong index passes.
 */
import { expect, test } from "vitest";
import { present } from "../../../src/base/assert.ts";
import type { Runtime } from "../../../src/compute/runtime/runtime.ts";
import { grad } from "../../../src/compute/tensor/autograd.ts";
import { tensor } from "../../../src/compute/tensor/create.ts";
import { setDefaultRuntime, withRuntime } from "../../../src/compute/tensor/runtime-scope.ts";
import { Tensor } from "../../../src/compute/tensor/tensor.ts";
import { InterpreterRuntime } from "./interpreter-runtime.ts";
import { drawInput, OP_CASES } from "./op-cases.ts";
import type { OpCase } from "./op-cases.ts";
import { deviceRuntime } from "./test-runtimes.ts";

const TOLERANCE = 2e-5;

/** The output, and the gradients of the sum of its squares. */
function results(item: OpCase, runtime: Runtime): Tensor[] {
  return withRuntime(runtime, () => {
    const inputs = item.inputs.map((input, i) => {
      const isFloat = typeof input.values !== "number";
      return tensor({ shape: input.shape, data: drawInput(item.name, i, input) }, { requiresGrad: isFloat });
    });
    const output = item.apply(inputs);
    return [output, ...grad(output.square().sum(), inputs.filter((input) => input.requiresGrad))]; // prettier-ignore
  });
}

test(
  "every op and its gradients on the reference device agree with the interpreter",
  { timeout: 120_000 },
  async () => {
    const device = deviceRuntime();
    const oracle = new InterpreterRuntime();
    const wrong: string[] = [];
    for (const item of OP_CASES) {
      setDefaultRuntime(device); // For results that turned out constant.
      const found = await Tensor.readAll(results(item, device)).finally(() => setDefaultRuntime(null));
      const expected = oracle.peek(results(item, oracle).map((result) => result.value.node));
      for (const [i, values] of expected.entries()) {
        const ours = present(found[i], "a result");
        const size = values.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
        const at = values.findIndex((value, j) => !(Math.abs(value - (ours[j] ?? Number.NaN)) <= TOLERANCE * size));
        if (at >= 0 || ours.length !== values.length) {
          wrong.push(`${item.name}: ${i === 0 ? "output" : `gradient ${i - 1}`}[${at}]: ${ours[at]} for ${values[at]}`);
        }
      }
    }
    expect(wrong).toEqual([]);
  },
);

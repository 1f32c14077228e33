/**
 * Gradients of every op, and their own gradients, against central differences in float64.
 *
 * With h = 1e-4 a central difference is off by h^2 / 6 of the third derivative, about 1e-8, and by rounding, 1e-16 / h;
 * constants in formulas are rounded to float32, 6e-8. So 1e-6 of the size of the gradient and of the terms that it
 * sums is far above what is right, and far below what a wrong formula gives.
 */
import { expect, test } from "vitest";
import { Random } from "../../../src/base/random.ts";
import { grad } from "../../../src/compute/tensor/autograd.ts";
import { tensor } from "../../../src/compute/tensor/create.ts";
import { withRuntime } from "../../../src/compute/tensor/runtime-scope.ts";
import type { Tensor } from "../../../src/compute/tensor/tensor.ts";
import { InterpreterRuntime } from "./interpreter-runtime.ts";
import { drawInput, OP_CASES } from "./op-cases.ts";
import type { OpCase } from "./op-cases.ts";

const STEP = 1e-4;
const TOLERANCE = 1e-6;

/** The case on the interpreter: L = sum(w y), dL/dx, and L2 = sum over the inputs of sum(u dL/dx). */
function prepare(item: OpCase): { runtime: InterpreterRuntime; leaves: Tensor[]; losses: Tensor[]; grads: Tensor[][] } {
  const runtime = new InterpreterRuntime();
  return withRuntime(runtime, () => {
    const inputs = item.inputs.map((input, i) => {
      const isFloat = typeof input.values !== "number";
      return tensor({ shape: input.shape, data: drawInput(item.name, i, input) }, { requiresGrad: isFloat });
    });
    const leaves = inputs.filter((input) => input.requiresGrad);
    const weighted = (x: Tensor, label: string): Tensor => {
      const random = new Random(5, item.name, label);
      const data = Float32Array.from({ length: x.size }, () => random.normal());
      return x.mul(tensor({ shape: x.shape, data })).sum();
    };
    const loss = weighted(item.apply(inputs), "output");
    const first = grad(loss, leaves, { createGraph: true });
    const second = first.filter((g) => g.requiresGrad).map((g, i) => weighted(g, `gradient ${i}`));
    if (second.length === 0) return { runtime, leaves, losses: [loss], grads: [first] };
    const loss2 = second.reduce((a, b) => a.add(b));
    return { runtime, leaves, losses: [loss, loss2], grads: [first, grad(loss2, leaves)] };
  });
}

for (const item of OP_CASES) {
  test(`the gradients of ${item.name} agree with finite differences, twice`, () => {
    const { runtime, leaves, losses, grads } = prepare(item);
    for (const [order, loss] of losses.entries()) {
      const analytic = runtime.peek((grads[order] ?? []).map((g) => g.value.node));
      const valueAt = (leaf: Tensor, values: Float64Array): number => {
        runtime.poke(leaf.value.node, values);
        return runtime.peek([loss.value.node])[0]?.[0] ?? Number.NaN;
      };
      for (const [i, leaf] of leaves.entries()) {
        const [at = new Float64Array()] = runtime.peek([leaf.value.node]);
        const numeric = at.map((_, j) => {
          const moved = (by: number): number => valueAt(leaf, at.with(j, (at[j] ?? 0) + by));
          return (moved(STEP) - moved(-STEP)) / (2 * STEP);
        });
        runtime.poke(leaf.value.node, at);
        const size = 1 + numeric.reduce((most, g) => Math.max(most, Math.abs(g)), 0);
        numeric.forEach((g, j) => {
          const off = Math.abs(g - (analytic[i]?.[j] ?? Number.NaN));
          expect(off, `order ${order + 1}, input ${i}, element ${j}: ${analytic[i]?.[j]} for ${g}`).toBeLessThan(
            TOLERANCE * size,
          );
        });
      }
    }
  });
}

/** Optimizers against their formulas in float64 on the host; PyTorch's values are in the fixtures' tests. */
import { expect, test } from "vitest";
import { OptionError } from "../../../src/base/errors.ts";
import { compile } from "../../../src/compute/tensor/compile.ts";
import type { Inputs } from "../../../src/compute/tensor/compile.ts";
import { tensor, zeros } from "../../../src/compute/tensor/create.ts";
import { setDefaultRuntime } from "../../../src/compute/tensor/runtime-scope.ts";
import { Tensor } from "../../../src/compute/tensor/tensor.ts";
import { AdamW } from "../../../src/model/optim/adam.ts";
import { SGD } from "../../../src/model/optim/sgd.ts";
import { adamwUpdate, biasCorrections } from "../../../src/model/optim/rules/adam-rule.ts";
import { deviceRuntime } from "../../compute/tensor/test-runtimes.ts";

setDefaultRuntime(deviceRuntime());

const gradientAt = (step: number): number => Math.sin(step + 1);

/** AdamW on one number, in float64. */
function hostAdamw(
  start: number,
  steps: number,
  lr: (step: number) => number,
  at: (step: number) => number = gradientAt,
): number {
  let [p, m, v] = [start, 0, 0];
  for (let step = 1; step <= steps; step++) {
    const g = at(step);
    m = 0.9 * m + 0.1 * g;
    v = 0.999 * v + 0.001 * g * g;
    p -= lr(step) * 0.01 * p;
    p -= (lr(step) * (m / (1 - 0.9 ** step))) / (Math.sqrt(v / (1 - 0.999 ** step)) + 1e-8);
  }
  return p;
}

test("a compiled AdamW follows the formula, with a learning rate that changes", async () => {
  const weight = tensor([0.5], { requiresGrad: true });
  const optimizer = new AdamW([weight], { lr: 0.1 });
  const lr = (step: number): number => 0.1 / step;
  const update = compile(({ g }: Inputs<"g">) => {
    weight.grad = g;
    optimizer.step();
    return [];
  });
  for (let step = 1; step <= 30; step++) {
    optimizer.lr = lr(step);
    await update({ g: { shape: [1], data: Float32Array.of(gradientAt(step)) } });
  }
  expect(update.explain()).toHaveLength(1);
  // Each of 30 updates, of 0.1 / step, rounds to a few 6e-8.
  expect(Math.abs((await weight.item()) - hostAdamw(0.5, 30, lr))).toBeLessThan(2e-6);
});

test("steps that are not compiled give the same values", async () => {
  const weights = [1, 2].map(() => tensor([0.5, -2], { requiresGrad: true }));
  const [one, two] = weights.map((weight) => new AdamW([weight], { lr: 0.05, amsgrad: true }));
  const step = compile(({ g }: Inputs<"g">) => {
    (weights[0] ?? zeros([2])).grad = g;
    one?.step();
    return [];
  });
  for (let k = 0; k < 6; k++) {
    const data = Float32Array.of(gradientAt(k), gradientAt(-k));
    await step({ g: { shape: [2], data } });
    (weights[1] ?? zeros([2])).grad = tensor(data);
    two?.step();
  }
  const [compiled, eager] = await Tensor.readAll(weights);
  compiled?.forEach((value, i) => {
    // Six updates, whose kernels may round in other places: 1e-7 of values up to 5 each.
    expect(Math.abs(value - (eager?.[i] ?? Number.NaN))).toBeLessThan(3e-6);
  });
});

test("the rule on a flat vector gives what the optimizer gives on its parameters", async () => {
  const values = [0.3, -1, 2, 0.7];
  const g = [0.1, -0.2, 0.3, 0.4];
  const parts = [tensor(values.slice(0, 1), { requiresGrad: true }), tensor(values.slice(1), { requiresGrad: true })];
  const optimizer = new AdamW(parts, { lr: 0.01 });
  let flat = { parameter: tensor(values), expAvg: zeros([4]), expAvgSq: zeros([4]) };
  for (let step = 1; step <= 3; step++) {
    parts.forEach((part, i) => (part.grad = tensor(i === 0 ? g.slice(0, 1) : g.slice(1))));
    optimizer.step();
    flat = adamwUpdate({
      ...flat,
      gradient: tensor(g),
      lr: tensor([0.01]),
      corrections: tensor(biasCorrections(step)),
    });
  }
  const [first, rest, whole] = await Tensor.readAll([...parts, flat.parameter]);
  [...(first ?? []), ...(rest ?? [])].forEach((value, i) => {
    expect(Math.abs(value - (whole?.[i] ?? Number.NaN))).toBeLessThan(5e-7); // Three updates, each rounded to 1e-7 at most.
  });
});

test("SGD without momentum keeps no state and skips parameters without gradient", async () => {
  const [used, unused] = [tensor([1], { requiresGrad: true }), tensor([1], { requiresGrad: true })];
  const optimizer = new SGD([used, unused], { lr: 0.5 });
  used.mul(2).backward();
  optimizer.step();
  expect([await used.item(), await unused.item()]).toEqual([0, 1]);
  optimizer.zeroGrad();
  expect(used.grad).toBeNull();
});

test("options that make no sense are refused", () => {
  expect(() => new SGD([], { lr: 1 })).toThrow(OptionError);
  expect(() => new SGD([zeros([1])], { lr: -1 })).toThrow(OptionError);
  expect(() => new SGD([zeros([1])], { lr: 1, nesterov: true })).toThrow(OptionError);
});

test("parameters that are updated together share their factors, until one of them has been updated less often", async () => {
  const [a, b] = [1, 2].map((start) => tensor([start], { requiresGrad: true })) as [Tensor, Tensor];
  const optimizer = new AdamW([a, b], { lr: 0.1 });
  const both = compile(({ g }: Inputs<"g">) => {
    a.grad = g;
    b.grad = g;
    optimizer.step();
    return [];
  });
  const give = (step: number) => ({ g: { shape: [1], data: Float32Array.of(gradientAt(step)) } });
  const lr = () => 0.1;
  await both(give(1));
  const before = await optimizer.stateDict();
  // Without a gradient for b: its count stays behind, and what follows has to see it.
  a.grad = tensor([gradientAt(2)]);
  b.grad = null;
  optimizer.step();
  await both(give(3));
  expect(Math.abs((await a.item()) - hostAdamw(1, 3, lr))).toBeLessThan(2e-6);
  expect((await optimizer.stateDict()).state[1]?.["step"]?.data[0]).toBe(2);
  expect(Math.abs((await b.item()) - hostAdamw(2, 2, lr, (step) => gradientAt(2 * step - 1)))).toBeLessThan(2e-6);
  expect(before.state[1]?.["step"]?.data[0]).toBe(1);
});

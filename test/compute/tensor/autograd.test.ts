/** What PyTorch's users expect of backward: freed graphs, hooks, kept gradients, recomputation, anomalies, own functions. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { present } from "../../../src/base/assert.ts";
import { NumericError, OptionError, ShapeError } from "../../../src/base/errors.ts";
import { Random } from "../../../src/base/random.ts";
import type { Runtime } from "../../../src/compute/runtime/runtime.ts";
import { detectAnomaly } from "../../../src/compute/tensor/anomaly.ts";
import { grad } from "../../../src/compute/tensor/autograd.ts";
import { checkpoint } from "../../../src/compute/tensor/checkpoint.ts";
import { compile } from "../../../src/compute/tensor/compile.ts";
import { tensor } from "../../../src/compute/tensor/create.ts";
import { customFunction } from "../../../src/compute/tensor/custom-function.ts";
import { Generator } from "../../../src/compute/tensor/generator.ts";
import { dropout } from "../../../src/compute/tensor/ops/dropout.ts";
import { setDefaultRuntime } from "../../../src/compute/tensor/runtime-scope.ts";
import type { Tensor } from "../../../src/compute/tensor/tensor.ts";
import { deviceRuntime } from "./test-runtimes.ts";

let runtime: Runtime;
beforeAll(() => {
  runtime = deviceRuntime();
  setDefaultRuntime(runtime);
});
afterAll(() => setDefaultRuntime(null));

const weights = (values: number[]): Tensor => tensor(values, { requiresGrad: true });
const read = async (x: Tensor | null): Promise<number[]> => [...(await present(x, "a gradient").data())];

test("a second backward through the same graph is an error, unless the first one kept it", async () => {
  const x = weights([1, 2]);
  const loss = x.square().sum();
  loss.backward(null, { retainGraph: true });
  loss.backward();
  expect(await read(x.grad)).toEqual([4, 8]);
  expect(() => loss.backward()).toThrow(OptionError);
  expect(() => loss.backward()).toThrow(/freed by an earlier backward; keep it there with \{ retainGraph: true \}/);
  const shared = x.mul(2);
  shared.sum().backward();
  expect(() => shared.square().sum().backward()).toThrow(/found that of mul freed/);
});

test("backward with createGraph leaves gradients that can be differentiated, and adds to those that were there", async () => {
  const x = weights([1, 2]);
  const loss = x.pow(3).sum();
  loss.backward(null, { createGraph: true });
  const [second] = grad(present(x.grad, "a gradient").sum(), [x]);
  expect(await read(second ?? null)).toEqual([6, 12]);
  x.mul(5).sum().backward();
  expect(await read(x.grad)).toEqual([8, 17]);
});

test("hooks see a gradient complete, in their order, and may replace it; removed ones are not called", async () => {
  const x = weights([1, 2]);
  const seen: string[] = [];
  const hidden = x.mul(3);
  hidden.registerHook((g) => {
    seen.push("hidden");
    return g.mul(10);
  });
  const removed = hidden.registerHook(() => void seen.push("removed"));
  removed.remove();
  x.registerHook((g) => void seen.push(`leaf ${g.shape}`));
  hidden.square().sum().add(hidden.sum()).backward();
  expect(seen).toEqual(["hidden", "leaf 2"]);
  expect(await read(x.grad)).toEqual([(2 * 3 + 1) * 10 * 3, (2 * 6 + 1) * 10 * 3]);
  expect(() => tensor([1]).registerHook(() => {})).toThrow(OptionError);
  x.registerHook((g) => g.reshape([2, 1]));
  expect(() => x.sum().backward()).toThrow(ShapeError);
});

test("a hook of a parameter outlives the parameter's values, and a kept gradient is that of an inner tensor", async () => {
  const x = weights([1, 2]);
  let calls = 0;
  x.registerHook(() => void (calls += 1));
  x.sum().backward();
  x.assign(tensor([5, 6]));
  const inner = x.mul(2);
  inner.retainGrad();
  inner.square().sum().backward();
  expect(calls).toBe(2);
  expect(await read(inner.grad)).toEqual([20, 24]);
});

function deepNet(
  layers: number,
  wide: number,
): { parameters: Tensor[]; run: (x: Tensor, isCheckpointed: boolean) => Tensor } {
  const random = new Random(2);
  const draw = (): Float32Array<ArrayBuffer> => Float32Array.from({ length: wide * wide }, () => random.normal() / Math.sqrt(wide)); // prettier-ignore
  const parameters = Array.from({ length: 3 * layers }, () => tensor({ shape: [wide, wide], data: draw() }, { requiresGrad: true })); // prettier-ignore
  const block = (i: number) => (x: Tensor): Tensor => parameters.slice(3 * i, 3 * i + 3).reduce((h, w) => h.matmul(w).tanh(), x).add(x); // prettier-ignore
  const run = (x: Tensor, isCheckpointed: boolean): Tensor => {
    let h = x;
    for (let i = 0; i < layers; i++) h = isCheckpointed ? checkpoint(block(i), h) : block(i)(h);
    return h.square().mean();
  };
  return { parameters, run };
}

test("checkpoint gives the same gradients, first and second, eager and compiled", async () => {
  const { parameters, run } = deepNet(3, 6);
  const x = tensor({ shape: [4, 6], data: Float32Array.from({ length: 24 }, (_, i) => Math.sin(i)) }, { requiresGrad: true }); // prettier-ignore
  const leaves = [x, ...parameters];
  for (const order of [1, 2]) {
    const gradients = [true, false].map((isCheckpointed) => {
      const first = grad(run(x, isCheckpointed), leaves, { createGraph: order === 2 });
      if (order === 1) return first;
      return grad(first.map((g) => g.square().sum()).reduce((a, b) => a.add(b)), leaves); // prettier-ignore
    });
    for (const [i] of leaves.entries()) {
      const [ours, plain] = await Promise.all(gradients.map((list) => read(list[i] ?? null)));
      present(ours, "ours").forEach((g, j) => expect(g).toBeCloseTo(plain?.[j] ?? Number.NaN, 5));
    }
  }
});

test("a step of checkpointed blocks holds less memory, by half and more for a deep net", async () => {
  const { parameters, run } = deepNet(8, 16);
  const bytes: number[] = [];
  const losses: number[] = [];
  for (const isCheckpointed of [false, true]) {
    const step = compile(({ x }: { x: Tensor }) => {
      const loss = run(x, isCheckpointed);
      loss.backward();
      for (const parameter of parameters) {
        parameter.assign(parameter.detach().sub(present(parameter.grad, "a gradient").mul(0)));
        parameter.grad = null;
      }
      return loss;
    });
    const data = Float32Array.from({ length: 512 * 16 }, (_, i) => Math.sin(i));
    losses.push(await (await step({ x: { shape: [512, 16], data } })).item());
    bytes.push(present(step.scratchBytes()[0], "a plan"));
    step.destroy();
  }
  expect(losses[0]).toBe(losses[1]);
  expect(present(bytes[1], "checkpointed") / present(bytes[0], "plain")).toBeLessThan(0.5);
});

test("a checkpointed dropout drops the second time what it dropped the first time", async () => {
  const generator = new Generator(new Random(5));
  const x = weights(Array.from({ length: 100 }, () => 1));
  const out = checkpoint((h) => dropout(h.mul(1), { p: 0.5, generator, training: true } as never), x);
  out.sum().backward();
  expect(await read(x.grad)).toEqual(await read(out));
});

test("an anomaly is named by the op that first made a NaN, in the forward pass, the backward pass, or from outside", async () => {
  const x = weights([1, -4]);
  const forward = detectAnomaly(() => x.mul(2).sqrt().exp().sum());
  await expect(forward).rejects.toThrow(NumericError);
  await expect(forward).rejects.toThrow(/NaN made by sqrt: element 1 of float32 \[2\].*autograd\.test\.ts/);
  const inf = weights([0, 1]);
  const backward = detectAnomaly(() => {
    const loss = inf.sqrt().mul(0).sum();
    loss.backward();
    return loss;
  });
  await expect(backward).rejects.toThrow(/in the backward pass of sqrt/);
  await expect(detectAnomaly(() => tensor([Number.NaN]).add(1))).rejects.toThrow(/input 0 of add, a tensor \[1\] that was there before/); // prettier-ignore
  expect(await (await detectAnomaly(() => x.square().sum())).item()).toBe(17);
});

test("a custom function uses the user's gradient, once and twice, and says when its shape is wrong", async () => {
  const cube = customFunction<[Tensor]>({
    name: "cube",
    forward: ([x], save) => {
      save(x.square());
      return x.mul(x).mul(x);
    },
    backward: ({ grad: g, inputs: [x], saved: [square] }) => [g.mul(3).mul(x.requiresGrad ? x.mul(x) : present(square, "saved"))], // prettier-ignore
  });
  const x = weights([1, 2]);
  const [first] = grad(cube(x).sum(), [x], { createGraph: true });
  expect(await read(first ?? null)).toEqual([3, 12]);
  const [second] = grad(present(first, "a gradient").sum(), [x]);
  expect(await read(second ?? null)).toEqual([6, 12]);
  const wrong = customFunction<[Tensor]>({
    name: "wrong",
    forward: ([a]) => a.mul(2),
    backward: ({ grad: g }) => [g.sum()],
  });
  expect(() => wrong(x).sum().backward()).toThrow(/wrong: expected a gradient of \[2\] for input 0, found \[\]/);
});

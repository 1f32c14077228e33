/** Hooks of modules: before and after the forward pass, and when gradients pass. */
import { expect, test } from "vitest";
import { UnsupportedError } from "../../../src/base/errors.ts";
import { Random } from "../../../src/base/random.ts";
import { compile } from "../../../src/compute/tensor/compile.ts";
import { tensor } from "../../../src/compute/tensor/create.ts";
import { setDefaultRuntime } from "../../../src/compute/tensor/runtime-scope.ts";
import { Tensor } from "../../../src/compute/tensor/tensor.ts";
import { Tanh } from "../../../src/model/nn/activations.ts";
import { Sequential } from "../../../src/model/nn/containers.ts";
import type { Gradients } from "../../../src/model/nn/hooks.ts";
import { withRandom } from "../../../src/model/nn/init.ts";
import { Linear } from "../../../src/model/nn/linear.ts";
import { Module } from "../../../src/model/nn/module.ts";
import { deviceRuntime } from "../../compute/tensor/test-runtimes.ts";

setDefaultRuntime(deviceRuntime());

class Scale extends Module {
  forward(x: Tensor, factor = 2): Tensor {
    return x.mul(factor);
  }
}

class SumAndProduct extends Module {
  forward(x: Tensor, y: Tensor): { sum: Tensor; product: Tensor; name: string } {
    return { sum: x.add(y), product: x.mul(y), name: "both" };
  }
}

const values = async (gradients: Gradients): Promise<(number | null)[]> =>
  Promise.all(gradients.map(async (gradient) => (gradient === null ? null : gradient.item())));

test("hooks see and replace arguments and outputs of call, in their order, until they are removed", async () => {
  const scale = new Scale();
  const seen: string[] = [];
  const handles = [
    scale.registerForwardPreHook((module, args) => {
      seen.push(`${module === scale} ${args.length}`);
    }),
    scale.registerForwardPreHook((_, [x]) => [(x as Tensor).add(1), 10]),
    scale.registerForwardPreHook((_, [x, factor]) => [x, (factor as number) + 1]),
    scale.registerForwardHook((_, args, output) => {
      seen.push(String(args[1]));
      return (output as Tensor).neg();
    }),
  ];
  expect(await scale.call(tensor([1])).item()).toBe(-22);
  expect(seen).toEqual(["true 1", "11"]);
  expect(await scale.forward(tensor([1])).item()).toBe(2); // Without hooks.
  for (const handle of handles.slice(1)) handle.remove();
  expect(await scale.call(tensor([1]), 3).item()).toBe(3);
  expect(seen).toEqual(["true 1", "11", "true 2"]);
});

test("containers run the hooks of what they hold", async () => {
  const model = withRandom(new Random(1), () => new Sequential(new Linear(2, 3), new Tanh()));
  const shapes: string[] = [];
  for (const module of model.modules()) {
    module.registerForwardHook((_, __, output) => {
      shapes.push((output as Tensor).shape.join());
    });
  }
  model.call(tensor([[1, 2]]));
  expect(shapes).toEqual(["1,3", "1,3", "1,3"]);
});

test("a compiled function is traced again when hooks come and go", async () => {
  const scale = new Scale();
  const x = tensor([1]);
  const run = compile(() => scale.call(x));
  expect(await (await run()).item()).toBe(2);
  const handle = scale.registerForwardHook((_, __, output) => (output as Tensor).add(1));
  expect(await (await run()).item()).toBe(3);
  handle.remove();
  expect(await (await run()).item()).toBe(2);
});

test("backward hooks see what arrives and what leaves, and may replace what leaves", async () => {
  const scale = new Scale();
  const seen: Promise<unknown>[] = [];
  scale.registerFullBackwardHook((_, gradInput, gradOutput) => {
    seen.push(Promise.all([values(gradInput), values(gradOutput)]));
  });
  const x = tensor([3], { requiresGrad: true });
  scale.call(x).mul(5).backward();
  expect(await Promise.all(seen)).toEqual([[[10], [5]]]);
  expect(await x.grad?.item()).toBe(10);
  scale.registerFullBackwardHook((_, [gradInput]) => gradInput?.mul(100));
  const y = tensor([3], { requiresGrad: true });
  scale.call(y).mul(5).backward();
  expect(await y.grad?.item()).toBe(1000);
});

test("backward hooks of several inputs and outputs run once, when all have come", async () => {
  const module = new SumAndProduct();
  let calls = 0;
  let seen: Gradients[] = [];
  const handle = module.registerFullBackwardHook((_, gradInput, gradOutput) => {
    calls += 1;
    seen = [gradInput, gradOutput];
  });
  const [x, y] = [tensor([3], { requiresGrad: true }), tensor([4], { requiresGrad: true })];
  const { sum, product, name } = module.call(x, y);
  expect(name).toBe("both");
  sum.add(product).backward();
  expect(calls).toBe(1);
  expect(await Promise.all(seen.map(values))).toEqual([[5, 4], [1, 1]]); // prettier-ignore
  handle.remove();
  module.registerFullBackwardHook(() => null);
  module.registerFullBackwardHook((_, gradInput) => gradInput);
  expect(() => module.call(x, y).sum.backward()).toThrow(UnsupportedError);
});

test("a backward hook of a first layer runs though no gradient leaves by its input", async () => {
  const linear = withRandom(new Random(2), () => new Linear(1, 1));
  const seen: Promise<unknown>[] = [];
  linear.registerFullBackwardHook((_, gradInput, gradOutput) => {
    seen.push(Promise.all([values(gradInput), values(gradOutput)]));
  });
  linear.call(tensor([[2]])).mul(7).backward(); // prettier-ignore
  expect(await Promise.all(seen)).toEqual([[[null], [7]]]);
  expect(await linear.weight.grad?.item()).toBe(14);
});

test("backward hooks work inside compiled functions", async () => {
  const scale = new Scale();
  scale.registerFullBackwardHook((_, [gradInput]) => gradInput?.mul(3));
  const x = tensor([2], { requiresGrad: true });
  const run = compile(() => {
    scale.call(x).square().sum().backward();
    return [x.grad ?? x];
  });
  // d/dx (2 x)^2 = 8 x = 16, times 3.
  const [gradient] = await run();
  expect(await gradient?.item()).toBe(48);
  expect((await Tensor.readAll([x]))[0]).toEqual(Float32Array.of(2));
});

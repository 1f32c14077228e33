/** Groups of parameters, options that are data, saved state. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { OptionError, ShapeError } from "../../../src/base/errors.ts";
import { present } from "../../../src/base/assert.ts";
import { Random } from "../../../src/base/random.ts";
import { compile } from "../../../src/compute/tensor/compile.ts";
import type { Inputs } from "../../../src/compute/tensor/compile.ts";
import { tensor, zeros } from "../../../src/compute/tensor/create.ts";
import { setDefaultRuntime } from "../../../src/compute/tensor/runtime-scope.ts";
import { Tensor } from "../../../src/compute/tensor/tensor.ts";
import { Embedding } from "../../../src/model/nn/embedding.ts";
import { withRandom } from "../../../src/model/nn/init.ts";
import { Linear } from "../../../src/model/nn/linear.ts";
import { Sequential } from "../../../src/model/nn/containers.ts";
import { AdamW } from "../../../src/model/optim/adam.ts";
import { Muon } from "../../../src/model/optim/muon.ts";
import type { Optimizer } from "../../../src/model/optim/optimizer.ts";
import { SGD } from "../../../src/model/optim/sgd.ts";
import { weightDecayGroups } from "../../../src/model/optim/weight-decay-groups.ts";
import { createOptimizer } from "../../../tools/conformance/optimizers.ts";
import { deviceRuntime } from "../../compute/tensor/test-runtimes.ts";

setDefaultRuntime(deviceRuntime());

const NAMES = ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta", "Adamax", "NAdam", "RAdam", "Lion", "Muon"];
const SHAPES = [[2, 3], [3], [4, 2]] as const;
const OPTIONS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  SGD: { lr: 0.1, momentum: 0.9, dampening: 0.2 },
  Adam: { lr: 0.1, amsgrad: true },
  RMSprop: { lr: 0.1, centered: true, momentum: 0.5 },
};

const leaves = (): Tensor[] =>
  SHAPES.map((shape, i) => {
    const random = new Random(3, i);
    const data = Float32Array.from({ length: shape.reduce((n, size) => n * size, 1) }, () => random.normal());
    return tensor({ shape, data }, { requiresGrad: true });
  });

function setGradients(parameters: readonly Tensor[], step: number): void {
  parameters.forEach((parameter, i) => {
    const random = new Random(7, step, i);
    const data = Float32Array.from({ length: parameter.size }, () => random.normal());
    parameter.grad = tensor({ shape: parameter.shape, data });
  });
}

async function train(optimizer: Optimizer, parameters: readonly Tensor[], from: number, to: number): Promise<void> {
  for (let step = from; step < to; step++) {
    setGradients(parameters, step);
    optimizer.step();
    await Tensor.realizeAll(parameters);
  }
}

for (const name of NAMES) {
  test(`${name} loaded from a saved state goes on with the same bits, as if it had never stopped`, async () => {
    const options = OPTIONS[name] ?? {};
    await fc.assert(
      fc.asyncProperty(fc.nat(3), fc.integer({ min: 1, max: 3 }), async (before, after) => {
        const whole = leaves();
        const straight = createOptimizer(name, whole, options);
        await train(straight, whole, 0, before + after);
        const first = leaves();
        const stopped = createOptimizer(name, first, options);
        await train(stopped, first, 0, before);
        const saved = structuredClone(await stopped.stateDict());
        const second = (await Tensor.readAll(first)).map((data, i) => tensor({ shape: present(SHAPES[i], "a shape"), data }, { requiresGrad: true })); // prettier-ignore
        const resumed = createOptimizer(name, second, {});
        resumed.loadStateDict(saved);
        await train(resumed, second, before, before + after);
        expect(await Tensor.readAll(second)).toEqual(await Tensor.readAll(whole));
        expect(await resumed.stateDict()).toEqual(await straight.stateDict());
      }),
      { numRuns: 4, seed: 5 },
    );
  });
}

test("parameters in groups of the same options go the same way as in one", async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...NAMES.filter((name) => name !== "Muon")), fc.integer({ min: 1, max: 2 }), async (name, cut) => {
      const [one, two] = [leaves(), leaves()];
      const options = OPTIONS[name] ?? {};
      const single = createOptimizer(name, one, options);
      const groups = [{ params: two.slice(0, cut) }, { params: two.slice(cut) }];
      const split = createOptimizer(name, groups as unknown as Tensor[], options);
      await train(single, one, 0, 3);
      await train(split, two, 0, 3);
      expect(await Tensor.readAll(two)).toEqual(await Tensor.readAll(one));
    }),
    { numRuns: 12, seed: 6 },
  ); // prettier-ignore
});

test("a group's options are its own", async () => {
  const [a, b, c] = [1, 1, 1].map((value) => tensor([value], { requiresGrad: true })) as [Tensor, Tensor, Tensor];
  const optimizer = new SGD(
    [
      { params: [a], lr: 0.5 },
      { params: b, weightDecay: 0.1 },
    ],
    { lr: 0.25 },
  );
  optimizer.addParamGroup({ params: [c], maximize: true });
  for (const parameter of [a, b, c]) parameter.grad = tensor([1]);
  optimizer.step();
  expect((await Tensor.readAll([a, b, c])).map(([value]) => value)).toEqual([0.5, Math.fround(1 - 0.25 * 1.1), 1.25]);
  expect(optimizer.paramGroups.map(({ lr, weightDecay, maximize }) => [lr, weightDecay, maximize])).toEqual([
    [0.5, 0, false],
    [0.25, 0.1, false],
    [0.25, 0, true],
  ]);
});

test("a compiled step sees learning rate, decay, momentum and betas change, and is traced again for the rest", async () => {
  const weight = tensor([1], { requiresGrad: true });
  const optimizer = new SGD([weight], { lr: 1, momentum: 0.5, weightDecay: 0.5 });
  const step = compile(({ g }: Inputs<"g">) => {
    weight.grad = g;
    optimizer.step();
    return [];
  });
  const g = { shape: [1], data: Float32Array.of(1) };
  const [group] = optimizer.paramGroups;
  let [p, velocity] = [1, 0];
  for (const [lr, momentum, weightDecay] of [
    [1, 0.5, 0.5],
    [0.5, 0.25, 0.25],
    [0.125, 0.75, 2],
  ] as const) {
    // prettier-ignore
    Object.assign(present(group, "a group"), { lr, momentum, weightDecay });
    await step({ g });
    velocity = momentum * velocity + 1 + weightDecay * p;
    p -= lr * velocity;
    expect(await weight.item()).toBe(p); // Powers of two: no rounding.
  }
  expect(step.explain()).toHaveLength(1);
  Object.assign(present(group, "a group"), { nesterov: true });
  await step({ g });
  velocity = 0.75 * velocity + 1 + 2 * p;
  p -= 0.125 * (1 + 2 * p + 0.75 * velocity);
  expect(await weight.item()).toBe(p);
  expect(step.explain()).toHaveLength(2);
});

test("a step that waits to be computed keeps the learning rate that it was made with", async () => {
  const weight = tensor([0], { requiresGrad: true });
  const optimizer = new SGD([weight], { lr: 1 });
  for (const lr of [1, 0.5, 0.25]) {
    optimizer.lr = lr;
    weight.grad = tensor([1]);
    optimizer.step();
  }
  optimizer.lr = 100;
  expect(await weight.item()).toBe(-1.75);
});

test("momentum that is switched on later gets its state", async () => {
  const weight = tensor([0], { requiresGrad: true });
  const optimizer = new SGD([weight], { lr: 1 });
  const [group] = optimizer.paramGroups;
  for (const momentum of [0, 0.5, 0.5]) {
    present(group, "a group").momentum = momentum;
    weight.grad = tensor([1]);
    optimizer.step();
  }
  expect(await weight.item()).toBe(-(1 + 1 + 1.5));
  expect((await optimizer.stateDict()).state[0]?.["momentumBuffer"]?.data).toEqual(Float32Array.of(1.5));
});

test("a frozen parameter leaves a compiled step", async () => {
  const [a, b] = [tensor([0], { requiresGrad: true }), tensor([0], { requiresGrad: true })];
  const optimizer = new SGD([a, b], { lr: 1 });
  const step = compile(() => {
    const parts = [a, b].filter(({ requiresGrad }) => requiresGrad).map((one) => one.mul(1).sum());
    parts.reduce((sum, part) => sum.add(part)).backward();
    optimizer.step();
    return [];
  });
  await step();
  b.requiresGrad = false;
  await step();
  expect([await a.item(), await b.item()]).toEqual([-2, -1]);
});

test("a step that is to be left out changes nothing, compiled or not", async () => {
  const parameters = leaves();
  const optimizer = new AdamW(parameters, { lr: 0.1 });
  const step = compile(({ skip }: Inputs<"skip">) => {
    setGradients(parameters, 1);
    optimizer.step({ skipIf: skip.gt(0) });
    return [];
  });
  const flag = (value: number): { skip: { shape: number[]; data: Float32Array<ArrayBuffer> } } => ({ skip: { shape: [1], data: Float32Array.of(value) } }); // prettier-ignore
  await step(flag(0));
  const before = [await Tensor.readAll(parameters), await optimizer.stateDict()];
  await step(flag(1));
  expect([await Tensor.readAll(parameters), await optimizer.stateDict()]).toEqual(before);
  await step(flag(0));
  expect(await Tensor.readAll(parameters)).not.toEqual(before[0]);
});

test("an AdamW step takes three kernels a parameter, and three for all of them together", async () => {
  const parameters = [1, 2, 3, 4].map(() => tensor({ shape: [50, 100], data: new Float32Array(5000) }, { requiresGrad: true })); // prettier-ignore
  const optimizer = new AdamW(parameters);
  const step = compile(() => {
    for (const parameter of parameters) parameter.grad = parameter.detach().add(1);
    optimizer.step();
    return [];
  });
  await step();
  expect(step.explain()[0]?.kernels.length).toBeLessThanOrEqual(3 * parameters.length + 3);
});

test("options are not set inside of compiled functions, where it would happen once", async () => {
  const optimizer = new SGD([tensor([0], { requiresGrad: true })], { lr: 1 });
  const step = compile(() => {
    optimizer.lr = 0.5;
    return [];
  });
  await expect(step()).rejects.toThrow(/SGD: expected options to be set outside of compiled functions/);
});

test("vectors, biases and norms do not decay, tables only if asked", () => {
  const model = withRandom(new Random(1), () => new Sequential(new Embedding(5, 4), new Linear(4, 3), new Linear(3, 2, { bias: false }))); // prettier-ignore
  const shapes = (embeddings: boolean): unknown =>
    weightDecayGroups(model, 0.1, { embeddings }).map(({ params, weightDecay }) => [
      weightDecay,
      ...(params as Tensor[]).map(({ shape }) => shape.join()),
    ]);
  expect(shapes(true)).toEqual([[0.1, "5,4", "3,4", "2,3"], [0, "3"]]); // prettier-ignore
  expect(shapes(false)).toEqual([[0.1, "3,4", "2,3"], [0, "5,4", "3"]]); // prettier-ignore
  const optimizer = new AdamW(weightDecayGroups(model, 0.1), { lr: 0.5 });
  expect(optimizer.paramGroups.map(({ lr, weightDecay }) => [lr, weightDecay])).toEqual([[0.5, 0.1], [0.5, 0]]); // prettier-ignore
});

test("Muon's steps have singular values near 1, and vectors follow AdamW", async () => {
  const random = new Random(11);
  const normal = (shape: number[]): Tensor => tensor({ shape, data: Float32Array.from({ length: shape.reduce((n, size) => n * size, 1) }, () => random.normal()) }, { requiresGrad: true }); // prettier-ignore
  const [wide, tall, bias] = [normal([4, 9]), normal([9, 4]), normal([4])];
  const start = await Tensor.readAll([wide, tall]);
  const optimizer = new Muon([wide, tall, bias], { lr: 1, momentum: 0.5, adamwLr: 0.25 });
  expect(optimizer.paramGroups.map(({ useMuon, lr }) => [useMuon, lr])).toEqual([[true, 1], [false, 0.25]]); // prettier-ignore
  const biasBefore = await bias.data();
  for (const parameter of [wide, tall, bias]) parameter.grad = normal([...parameter.shape]).detach();
  const signs = [...(await present(bias.grad, "a gradient").data())].map(Math.sign);
  optimizer.step();
  const after = await Tensor.readAll([wide, tall]);
  [wide, tall].forEach((matrix, i) => {
    const [rows = 0, columns = 0] = matrix.shape;
    const scale = Math.sqrt(Math.max(1, rows / columns));
    const step = [...(after[i] ?? [])].map((value, j) => ((start[i]?.[j] ?? 0) - value) / scale);
    // The squares of all four singular values sum to the square of the Frobenius norm: each is in [0.68, 1.21]^2.
    const squares = step.reduce((sum, value) => sum + value * value, 0);
    expect(squares).toBeGreaterThan(4 * 0.68 ** 2);
    expect(squares).toBeLessThan(4 * 1.21 ** 2);
  });
  // AdamW's first step is lr times the gradient's sign.
  [...(await bias.data())].forEach((value, j) => expect((biasBefore[j] ?? 0) - value).toBeCloseTo(0.25 * (signs[j] ?? 0), 5)); // prettier-ignore
});

test("options, parameters and states that make no sense are refused in words", async () => {
  const weight = (): Tensor => tensor([1, 2], { requiresGrad: true });
  const a = weight();
  expect(() => new AdamW([a, a])).toThrow(/AdamW: expected each parameter once/);
  expect(() => new AdamW([{ params: [] }])).toThrow(/AdamW: expected parameters, found none/);
  expect(() => new AdamW([a.mul(2)])).toThrow(/no differentiable op made, found one of mul/);
  expect(() => new AdamW([a], { betas: [0.9, 1] })).toThrow(/two betas from 0 to below 1, found 0.9,1/);
  expect(() => new AdamW([a], { eps: -1 })).toThrow(OptionError);
  expect(() => new AdamW([a], { learningRate: 1 } as object)).toThrow(/expected the options lr, .* found learningRate/);
  expect(() => new Muon([{ params: [a] }])).toThrow(/Muon: expected matrices .* found a parameter \[2\]/);
  const optimizer = new AdamW([a], { lr: 0.5 });
  expect(() => (optimizer.lr = Number.NaN)).toThrow(/lr to be at least 0, found NaN/);
  const state = await optimizer.stateDict();
  expect(() => new AdamW([weight(), weight()]).loadStateDict(state)).toThrow(/groups of 2 parameters, found 1/);
  expect(() => new SGD([weight()]).loadStateDict(state)).toThrow(/found betas, eps, decoupledWeightDecay, amsgrad too/);
  const other = new AdamW([zeros([3])], { lr: 0.25 });
  expect(() => other.loadStateDict(state)).toThrow(ShapeError);
  expect(() => other.loadStateDict(state)).toThrow(/expAvg of parameter 0: \[2\] for \[3\]; expAvgSq of parameter 0/);
  const { expAvg, ...rest } = present(state.state[0], "state");
  expect(() => optimizer.loadStateDict({ ...state, state: { 0: { ...rest, extra: present(expAvg, "expAvg") } } })).toThrow(/no expAvg of parameter 0; extra of parameter 0 besides/); // prettier-ignore
  expect(other.lr).toBe(0.25);
});

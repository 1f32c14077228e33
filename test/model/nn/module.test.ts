/** Modules find, save and load their parameters; initial values are a function of the seed. */
import { expect, test } from "vitest";
import { OptionError, ShapeError } from "../../../src/base/errors.ts";
import { Random } from "../../../src/base/random.ts";
import { compile } from "../../../src/compute/tensor/compile.ts";
import type { Inputs } from "../../../src/compute/tensor/compile.ts";
import { manualSeed } from "../../../src/compute/tensor/generator.ts";
import { setDefaultRuntime } from "../../../src/compute/tensor/runtime-scope.ts";
import type { Tensor } from "../../../src/compute/tensor/tensor.ts";
import { ReLU } from "../../../src/model/nn/activations.ts";
import { CausalSelfAttention } from "../../../src/model/nn/attention.ts";
import { ModuleList, Sequential } from "../../../src/model/nn/containers.ts";
import { Conv2d } from "../../../src/model/nn/conv.ts";
import { Dropout } from "../../../src/model/nn/dropout.ts";
import { Embedding } from "../../../src/model/nn/embedding.ts";
import { constantValues, withRandom } from "../../../src/model/nn/init.ts";
import { LayerNorm } from "../../../src/model/nn/layer-norm.ts";
import { Linear } from "../../../src/model/nn/linear.ts";
import { Module } from "../../../src/model/nn/module.ts";
import { Buffer } from "../../../src/model/nn/parameter.ts";
import { InterpreterRuntime } from "../../compute/tensor/interpreter-runtime.ts";

setDefaultRuntime(new InterpreterRuntime());

class Model extends Module {
  readonly wte: Embedding = new Embedding(5, 4);
  readonly blocks: ModuleList<CausalSelfAttention> = new ModuleList([
    new CausalSelfAttention(4, { heads: 2 }),
    new CausalSelfAttention(4, { heads: 2 }),
  ]);
  readonly mlp: Sequential = new Sequential(new Linear(4, 3), new ReLU(), new Linear(3, 4, { bias: false }));
  readonly norm: LayerNorm = new LayerNorm(4);
  readonly head: Linear = new Linear(4, 5, { bias: false });
  readonly seen: Buffer = new Buffer(constantValues([1], 7));
  readonly note: string = "not a parameter";

  constructor() {
    super();
    this.head.weight = this.wte.weight;
  }

  forward(tokens: Tensor): Tensor {
    let x = this.wte.forward(tokens);
    for (const block of this.blocks) x = x.add(block.forward(x));
    return this.head.forward(this.norm.forward(this.mlp.forward(x)));
  }
}

const build = (seed: number): Model => withRandom(new Random(seed), () => new Model());

test("parameters have the names of fields, and a shared one its first", () => {
  const model = build(1);
  expect(model.namedParameters().map(([name, { shape }]) => `${name} ${shape}`)).toEqual([
    "wte.weight 5,4",
    "blocks.0.qkv.weight 12,4",
    "blocks.0.qkv.bias 12",
    "blocks.0.proj.weight 4,4",
    "blocks.0.proj.bias 4",
    "blocks.1.qkv.weight 12,4",
    "blocks.1.qkv.bias 12",
    "blocks.1.proj.weight 4,4",
    "blocks.1.proj.bias 4",
    "mlp.0.weight 3,4",
    "mlp.0.bias 3",
    "mlp.2.weight 4,3",
    "norm.weight 4",
    "norm.bias 4",
  ]);
  expect(model.namedBuffers().map(([name]) => name)).toEqual(["seen"]);
  expect(model.parameters().every((parameter) => parameter.requiresGrad)).toBe(true);
  expect(model.seen.requiresGrad).toBe(false);
});

test("modules in a plain array are refused, since they would not be found", () => {
  class Wrong extends Module {
    readonly layers: Linear[] = [new Linear(1, 1)];
  }
  const wrong = withRandom(new Random(1), () => new Wrong());
  expect(() => wrong.parameters()).toThrow(/layers: expected modules in a ModuleList/);
});

test("initial values are the same bits for a seed, and others for another", async () => {
  const [a, b, c] = await Promise.all([1, 1, 2].map((seed) => build(seed).stateDict()));
  expect(a).toEqual(b);
  expect(a?.["wte.weight"]).not.toEqual(c?.["wte.weight"]);
  const weights = [1, 1, 2].map((seed) => {
    manualSeed(seed);
    return new Linear(4, 4).weight;
  });
  const [d, e, f] = await Promise.all(weights.map((weight) => weight.data()));
  expect(d).toEqual(e);
  expect(d).not.toEqual(f);
});

test("layers start in PyTorch's ranges", async () => {
  const [linear, conv, embedding] = withRandom(new Random(3), () => [new Linear(25, 40), new Conv2d(4, 10, [5, 5]), new Embedding(100, 20)]); // prettier-ignore
  for (const [module, bound] of [
    [linear, 1 / 5],
    [conv, 1 / 10],
  ] as const) {
    const data = [...((await module?.stateDict())?.["weight"]?.data ?? [])];
    const most = data.reduce((size, value) => Math.max(size, Math.abs(value)), 0);
    expect(most).toBeLessThanOrEqual(bound);
    expect(most).toBeGreaterThan(0.98 * bound); // All of 1000 draws below: (0.98)^1000 = 2e-9.
  }
  const normal = [...((await embedding?.stateDict())?.["weight"]?.data ?? [])];
  const variance = normal.reduce((sum, value) => sum + value * value, 0) / normal.length;
  expect(Math.abs(variance - 1)).toBeLessThan(0.13); // Four deviations of sqrt(2 / 2000).
});

test("a state dict loads into another model, under any name of what is shared", async () => {
  const from = build(1);
  const to = build(2);
  const state = await from.stateDict();
  to.loadStateDict(state);
  expect(await to.stateDict()).toEqual(state);
  const { "wte.weight": shared, ...rest } = state;
  const again = build(3);
  again.loadStateDict({ ...rest, "head.weight": shared ?? constantValues([5, 4], 0) });
  expect(await again.stateDict()).toEqual(state);
});

test("a state dict that does not fit is refused in words, and changes nothing", async () => {
  const model = build(1);
  const before = await model.stateDict();
  const { "norm.bias": bias, ...rest } = before;
  expect(() => model.loadStateDict(rest)).toThrow(/1 missing \(norm\.bias\)/);
  expect(() => model.loadStateDict({ ...before, extra: constantValues([1], 0) })).toThrow(/1 unexpected \(extra\)/);
  model.loadStateDict(rest, { strict: false });
  const wrong = { ...before, "wte.weight": constantValues([5, 4], 1), "norm.bias": constantValues([3], 1) };
  expect(() => model.loadStateDict(wrong)).toThrow(ShapeError);
  expect(bias?.shape).toEqual([4]);
  expect(await model.stateDict()).toEqual(before);
});

test("every difference of a state dict is listed, with near names and prefixes", async () => {
  const model = build(1);
  const before = await model.stateDict();
  const { "norm.bias": bias = constantValues([4], 0), "mlp.0.weight": _, ...rest } = before;
  const odd = { ...rest, "norm.bais": bias, "wte.weight": constantValues([4, 5], 1), seen: constantValues([2], 1) };
  expect(() => model.loadStateDict(odd)).toThrow(
    "found 2 missing (mlp.0.weight, norm.bias, near to norm.bais); 1 unexpected (norm.bais); " +
      "2 that do not fit (wte.weight: expected float32 [5, 4], found float32 [4, 5], seen: expected float32 [1], found float32 [2])",
  );
  expect(model.loadStateDict({ ...rest, "norm.bais": bias }, { strict: false })).toEqual({
    missingKeys: ["mlp.0.weight", "norm.bias"],
    unexpectedKeys: ["norm.bais"],
  });
  const wrapped = await model.stateDict({ prefix: "module." });
  expect(Object.keys(wrapped)[0]).toBe("module.wte.weight");
  expect(() => model.loadStateDict(wrapped)).toThrow(/the option prefix: "module\." takes it off/);
  const other = build(2);
  other.loadStateDict({ ...wrapped, "decoder.weight": bias }, { prefix: "module." });
  expect(await other.stateDict()).toEqual(before);
});

test("what was computed from the old values keeps them when others are loaded", async () => {
  const model = build(1);
  const [weight] = model.parameters();
  const doubled = weight?.mul(2);
  const state = await model.stateDict();
  const zero = Object.fromEntries(Object.entries(state).map(([name, { shape }]) => [name, constantValues(shape, 0)]));
  const expected = (await model.stateDict())["wte.weight"]?.data.map((value) => 2 * value);
  const lazy = weight?.add(weight);
  model.loadStateDict(zero);
  expect(await doubled?.data()).toEqual(expected);
  expect(await lazy?.data()).toEqual(expected);
});

test("heads must divide the width", () => {
  expect(() => withRandom(new Random(1), () => new CausalSelfAttention(6, { heads: 4 }))).toThrow(OptionError);
});

test("train and eval reach all modules, and a compiled function follows them", async () => {
  const layers = withRandom(new Random(5), () => new Sequential(new Dropout(0.5), new Dropout(0.5)));
  expect(layers.modules()).toHaveLength(3);
  const forward = compile(({ x }: Inputs<"x">) => layers.forward(x));
  const x = { shape: [100], data: new Float32Array(100).fill(1) };
  const zeros = async (): Promise<number> =>
    (await (await forward({ x })).data()).filter((value) => value === 0).length;
  expect(await zeros()).toBeGreaterThan(50);
  layers.eval();
  expect(layers.training).toBe(false);
  expect(await zeros()).toBe(0);
  layers.train();
  expect(await zeros()).toBeGreaterThan(50);
  expect(forward.explain()).toHaveLength(2);
});

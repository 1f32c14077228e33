/** Containers, names, registering, and what modules do to all inside them. */
import { expect, test } from "vitest";
import { OptionError } from "../../../src/base/errors.ts";
import { Random } from "../../../src/base/random.ts";
import { compile } from "../../../src/compute/tensor/compile.ts";
import { ones, tensor } from "../../../src/compute/tensor/create.ts";
import { setDefaultRuntime } from "../../../src/compute/tensor/runtime-scope.ts";
import type { Tensor } from "../../../src/compute/tensor/tensor.ts";
import { GELU, ReLU } from "../../../src/model/nn/activations.ts";
import { ModuleDict, ModuleList, ParameterDict, ParameterList, Sequential } from "../../../src/model/nn/containers.ts";
import { constantValues, withRandom } from "../../../src/model/nn/init.ts";
import { Linear } from "../../../src/model/nn/linear.ts";
import { Module } from "../../../src/model/nn/module.ts";
import { Buffer, Parameter } from "../../../src/model/nn/parameter.ts";
import { SGD } from "../../../src/model/optim/sgd.ts";
import { deviceRuntime } from "../../compute/tensor/test-runtimes.ts";

setDefaultRuntime(deviceRuntime());

const made = <T>(fn: () => T): T => withRandom(new Random(1), fn);
const linear = (from = 2, to = 2): Linear => made(() => new Linear(from, to));
const names = (module: Module): string[] => module.namedParameters().map(([name]) => name);

test("Sequential names its layers by place or by name, and finds them so", async () => {
  const named = new Sequential({ fc: linear(2, 3), act: new ReLU(), out: linear(3, 1) });
  expect(names(named)).toEqual(["fc.weight", "fc.bias", "out.weight", "out.bias"]);
  expect(named.get("act")).toBe(named.at(1));
  expect(named.at(-1)).toBe(named.get("out"));
  expect(() => named.get("fcc")).toThrow(/expected one of fc, act, out, found fcc/);
  expect(() => named.at(3)).toThrow(OptionError);
  const plain = new Sequential(linear(), new GELU()).append(linear(2, 1));
  expect(names(plain)).toEqual(["0.weight", "0.bias", "2.weight", "2.bias"]);
  expect([plain.length, [...plain].length]).toEqual([3, 3]);
  expect(plain.call(ones([4, 2])).shape).toEqual([4, 1]);
  const x = ones([4, 2]);
  const byHand = [...named].reduce((value, layer) => layer.forward(value), x);
  expect(await named.call(x).data()).toEqual(await byHand.data());
});

test("lists and dictionaries of modules and parameters name what they hold", () => {
  const parameter = (): Parameter => new Parameter(constantValues([2], 0));
  class Model extends Module {
    readonly list: ModuleList = new ModuleList([linear()]);
    readonly dict: ModuleDict<Linear> = new ModuleDict({ b: linear(), a: linear() });
    readonly scales: ParameterList = new ParameterList([parameter(), parameter()]);
    readonly shifts: ParameterDict = new ParameterDict([["10", parameter()], ["2", parameter()]]); // prettier-ignore
  }
  const model = new Model();
  model.list.extend([new ReLU()]).insert(0, new ReLU());
  model.dict.set("c", linear()).delete("b");
  expect(names(model)).toEqual([
    ...["list.1.weight", "list.1.bias", "dict.a.weight", "dict.a.bias", "dict.c.weight", "dict.c.bias"],
    ...["scales.0", "scales.1", "shifts.10", "shifts.2"],
  ]);
  expect([model.dict.keys(), model.dict.has("b"), model.dict.size]).toEqual([["a", "c"], false, 2]);
  expect([...model.dict].map(([name, module]) => module === model.dict.get(name))).toEqual([true, true]);
  expect(() => model.dict.get("b")).toThrow(/expected one of a, c, found b/);
  expect(() => model.dict.set("a.b", linear())).toThrow(/names without dots/);
  expect(() => model.list.at(7)).toThrow(/ModuleList: expected an index below 3, found 7/);
  expect(model.scales.at(-1).requiresGrad).toBe(true);
});

test("modules, children and buffers are found by name, each once, and parents do no harm", () => {
  class Child extends Module {
    parent: Module | null = null;
    readonly fc: Linear = linear();
  }
  class Parent extends Module {
    readonly one: Child = new Child();
    readonly two: Child = this.one;
    constructor() {
      super();
      this.one.parent = this;
      this.registerBuffer("mean", constantValues([1], 5));
      this.registerBuffer("scratch", ones([2]), { persistent: false });
      this.registerParameter("scale", new Parameter(ones([3])));
      this.registerParameter("none", null);
      this.addModule("extra", new ReLU());
    }
  }
  const model = new Parent();
  expect(model.namedModules().map(([name]) => name)).toEqual(["", "one", "one.fc", "extra"]);
  expect(model.namedChildren().map(([name]) => name)).toEqual(["one", "extra"]);
  expect(names(model)).toEqual(["one.fc.weight", "one.fc.bias", "scale"]);
  expect(model.buffers().map(({ shape }) => shape)).toEqual([[1], [2]]);
  expect(model.numParameters()).toBe(4 + 2 + 3);
  expect(() => model.registerParameter("forward.x", null)).toThrow(/without dots/);
  expect(() => model.registerBuffer("train", null)).toThrow(/expected a free name, found "train"/);
});

test("buffers that are not persistent are not saved", async () => {
  class Model extends Module {
    readonly kept: Buffer = new Buffer(constantValues([1], 1));
    readonly scratch: Buffer = new Buffer(constantValues([1], 2), { persistent: false });
  }
  expect(Object.keys(await new Model().stateDict())).toEqual(["kept"]);
});

test("freezing, applying and counting reach everything inside", () => {
  const model = new Sequential(linear(), linear());
  model.at(0).requiresGrad(false);
  expect([model.numParameters(), model.numParameters({ trainable: true })]).toEqual([12, 6]);
  model.requiresGrad();
  expect(model.numParameters({ trainable: true })).toBe(12);
  const order: Module[] = [];
  model.apply((module) => order.push(module));
  expect(order).toEqual([model.at(0), model.at(1), model]);
});

test("a parameter made of a tensor has its values and bytes of its own", async () => {
  const source = tensor([1, 2]);
  const parameter = new Parameter(source);
  const frozen = new Parameter(source.mul(2), { requiresGrad: false });
  expect([parameter.requiresGrad, frozen.requiresGrad]).toEqual([true, false]);
  const optimizer = new SGD([parameter], { lr: 1 });
  const step = compile(() => {
    parameter.sum().backward();
    optimizer.step();
    return [];
  });
  await step();
  await step();
  expect(await parameter.data()).toEqual(Float32Array.of(-1, 0));
  expect(await source.data()).toEqual(Float32Array.of(1, 2));
  expect(await frozen.data()).toEqual(Float32Array.of(2, 4));
});

test("a model is trained in float16 and cast back", async () => {
  const model = new Sequential(linear(2, 3), linear(3, 1));
  const before = await model.at(0).stateDict();
  model.half();
  expect(model.parameters().map(({ dtype, requiresGrad }) => [dtype, requiresGrad])).toEqual(Array.from({ length: 4 }, () => ["float16", true])); // prettier-ignore
  const optimizer = new SGD(model.parameters(), { lr: 2 ** -6 });
  const loss = (x: Tensor): Tensor => model.call(x).square().sum();
  loss(ones([1, 2]).cast("float16")).backward();
  optimizer.step();
  model.float();
  const after = await model.at(0).stateDict();
  expect(model.parameters().every(({ dtype }) => dtype === "float32")).toBe(true);
  [...(after["weight"]?.data ?? [])].forEach((value, i) => {
    const start = before["weight"]?.data[i] ?? Number.NaN;
    expect(Math.abs(value - start)).toBeLessThan(0.2);
    expect(value).not.toBe(start);
  });
  expect(() => model.to("int32")).toThrow(/a dtype of floating point numbers, found int32/);
});

/**
 * A batch in parts gives what it gives as a whole, holds less memory, and is what a lack of memory is answered with.
 *
 * Tolerance: sums of up to 16 parts are in another order, each rounded to 2^-24; models of a few layers multiply that by
 * some tens. 1e-5, relative and absolute, is above all of them.
 */
import { beforeEach, expect, test } from "vitest";
import { Gpt } from "../../../examples/gpt.ts";
import { present } from "../../../src/base/assert.ts";
import { OptionError, OutOfMemoryError, ShapeError, UnsupportedError } from "../../../src/base/errors.ts";
import { Random } from "../../../src/base/random.ts";
import type { Node } from "../../../src/compute/compiler/ir.ts";
import type { Plan, Runtime } from "../../../src/compute/runtime/runtime.ts";
import { compile, functional as F, grad, manualSeed, microBatched, nn, noGrad, optim, setDefaultRuntime, Tensor, tensor } from "../../../src/index.ts"; // prettier-ignore
import { hasBatchStatistics } from "../../../src/model/nn/batch-norm.ts";
import { deviceRuntime } from "./test-runtimes.ts";

const TOLERANCE = 1e-5;
const BATCH = 6;

let runtime: Runtime;

beforeEach(() => {
  runtime = deviceRuntime();
  setDefaultRuntime(runtime);
  manualSeed(3);
});

interface Batch {
  readonly x: Tensor;
  readonly y: Tensor;
}

function normal(...shape: number[]): Tensor {
  const random = new Random(7, ...shape);
  const count = shape.reduce((product, size) => product * size, 1);
  return tensor({ shape, data: Float32Array.from({ length: count }, () => random.normal()) });
}

function whole(below: number, ...shape: number[]): Tensor {
  const random = new Random(8, ...shape);
  const count = shape.reduce((product, size) => product * size, 1);
  return tensor({ shape, data: Int32Array.from({ length: count }, () => random.below(below)) });
}

class Cnn extends nn.Module {
  readonly conv: nn.Conv2d = new nn.Conv2d(1, 4, 3, { padding: 1 });
  readonly fc: nn.Linear = new nn.Linear(16, 5);

  forward(x: Tensor): Tensor {
    return this.fc.call(F.maxPool2d(F.relu(this.conv.call(x)), { kernelSize: 2 }).flatten(1));
  }
}

interface Case {
  readonly model: nn.Module;
  readonly batch: Batch;
  readonly loss: (batch: Batch) => Tensor;
}

function mlp(width = 8, batch = BATCH): Case {
  const model = new nn.Sequential(new nn.Linear(4, width), new nn.Tanh(), new nn.Linear(width, 3));
  const loss = ({ x, y }: Batch): Tensor => F.mseLoss(model.call(x), y);
  return { model, batch: { x: normal(batch, 4), y: normal(batch, 3) }, loss };
}

const CASES: Readonly<Record<string, () => Case>> = {
  mlp: () => mlp(),
  gpt: () => {
    const model = new Gpt(11, 8, { width: 16, heads: 2, layers: 2 });
    const loss = ({ x, y }: Batch): Tensor => F.crossEntropy(model.forward(x), y, { axis: -1 });
    return { model, batch: { x: whole(11, BATCH, 8), y: whole(11, BATCH, 8) }, loss };
  },
  conv: () => {
    const model = new Cnn();
    const loss = ({ x, y }: Batch): Tensor => F.crossEntropy(model.call(x), y);
    return { model, batch: { x: normal(BATCH, 1, 4, 4), y: whole(5, BATCH) }, loss };
  },
};

function expectClose(found: ArrayLike<number>[], wanted: ArrayLike<number>[]): void {
  expect(found.map(({ length }) => length)).toEqual(wanted.map(({ length }) => length));
  wanted.forEach((list, i) => {
    Array.from(list).forEach((value, j) => {
      const error = Math.abs((found[i]?.[j] ?? Number.NaN) - value);
      expect(error, `tensor ${i}, element ${j}`).toBeLessThan(TOLERANCE * (1 + Math.abs(value)));
    });
  });
}

const COUNTS = [1, 2, 3, 4, BATCH, 100];

test.each(Object.entries(CASES))("%s: losses and gradients of parts are those of the whole batch", async (_, make) => {
  const { model, batch, loss } = make();
  const inputs = { ...batch };
  if (batch.x.dtype === "float32") inputs.x.requiresGrad = true;
  const leaves = [...model.parameters(), ...(inputs.x.requiresGrad ? [inputs.x] : [])];
  const all = (total: Tensor): Tensor[] => [total, ...grad(total, leaves)];
  const wanted = await Tensor.readAll(all(loss(inputs)));
  for (const parts of COUNTS) {
    expectClose(await Tensor.readAll(all(microBatched(inputs, loss, { parts }))), wanted);
  }
});

test.each(Object.entries(CASES))("%s: compiled steps in parts train as steps on the whole batch", async (_, make) => {
  const train = async (parts: number | null): Promise<ArrayLike<number>[]> => {
    manualSeed(5);
    const { model, batch, loss } = make();
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
    const step = compile<"x" | "y">((inputs) => {
      const total = parts === null ? loss(inputs) : microBatched(inputs, loss, { parts });
      optimizer.zeroGrad();
      total.mul(2).backward();
      optimizer.step();
      return total;
    });
    const losses = [];
    for (let i = 0; i < 3; i++) losses.push(await (await step({ ...batch })).item());
    return [losses, ...(await Tensor.readAll(model.parameters()))];
  };
  const wanted = await train(null);
  for (const parts of [1, 2, 4, BATCH]) expectClose(await train(parts), wanted);
});

test("gradients reach what was computed outside, and hooks of leaves see them once and complete", async () => {
  const { batch } = mlp();
  const w = normal(4, 3);
  w.requiresGrad = true;
  let calls = 0;
  w.registerHook((gradient) => {
    calls += 1;
    return gradient.clamp(-0.01, 0.01);
  });
  const gradientIn = (parts: number): Tensor => {
    const twice = w.mul(2);
    const total = microBatched({ ...batch }, ({ x, y }) => F.mseLoss(x.matmul(twice), y), { parts });
    return present(grad(total.mul(3), [w])[0], "a gradient");
  };
  const [one, three] = await Tensor.readAll([gradientIn(1), gradientIn(3)]);
  expectClose([present(three, "three")], [present(one, "one")]);
  expect(calls).toBe(2);
});

test("without gradients a batch in parts gives the loss, and nothing flows", async () => {
  const { batch, loss } = mlp();
  const total = noGrad(() => microBatched({ ...batch }, loss, { parts: 4 }));
  expect(total.requiresGrad).toBe(false);
  expectClose([await total.data()], [await loss(batch).data()]);
});

test("float16 parameters get float16 gradients, summed in float32", async () => {
  const { model, batch, loss } = mlp();
  model.half();
  const inputs = { x: batch.x.cast("float16"), y: batch.y.cast("float16") };
  const [together, parts] = [loss(inputs), microBatched(inputs, loss, { parts: 3 })].map((total) => grad(total, model.parameters())); // prettier-ignore
  expect(present(parts, "parts").map(({ dtype }) => dtype)).toEqual(model.parameters().map(({ dtype }) => dtype));
  const [wanted, found] = [
    await Tensor.readAll(present(together, "together")),
    await Tensor.readAll(present(parts, "parts")),
  ];
  // A float16 has 11 bits; a few of them are rounded on the way.
  wanted.forEach((list, i) => list.forEach((value, j) => expect(Math.abs((found[i]?.[j] ?? Number.NaN) - value)).toBeLessThan(2 ** -8))); // prettier-ignore
});

test("n parts hold about 1/n of the activations", async () => {
  const bytes: number[] = [];
  for (const parts of [1, 2, 4, 8]) {
    const { model, batch, loss } = mlp(64, 4096);
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
    const step = compile<"x" | "y">((inputs) => {
      optimizer.zeroGrad();
      const total = microBatched(inputs, loss, { parts });
      total.backward();
      optimizer.step();
      return total;
    });
    await step({ ...batch });
    bytes.push(present(step.scratchBytes()[0], "a plan"));
    step.destroy();
  }
  const [one = 0, two = 0, four = 0, eight = 0] = bytes;
  // Inputs of the parts and running sums are beside them.
  expect(two / one).toBeLessThan(0.6);
  expect(four / one).toBeLessThan(0.35);
  expect(eight / one).toBeLessThan(0.25);
});

test("what is wrong is said: losses, batches, parts, and second derivatives", () => {
  const { batch, loss } = mlp();
  const x = normal(BATCH, 4);
  expect(() => microBatched({ x }, (part) => part.x.square())).toThrow(ShapeError);
  expect(() => microBatched({ x }, (part) => part.x.square(), { parts: 2 })).toThrow(/mean loss of one element, found the shape \[3, 4\]/); // prettier-ignore
  expect(() => microBatched({ x, y: normal(4, 3) }, loss)).toThrow(/6 samples on axis 0, found y of the shape \[4, 3\]/); // prettier-ignore
  expect(() => microBatched({ x: tensor(1) }, (part) => part.x)).toThrow(ShapeError);
  expect(() => microBatched({}, () => x.mean())).toThrow(OptionError);
  for (const parts of [0, -1, 1.5, Number.NaN]) expect(() => microBatched({ ...batch }, loss, { parts })).toThrow(OptionError); // prettier-ignore
  x.requiresGrad = true;
  const inParts = (parts: number): Tensor => microBatched({ x }, (part) => part.x.square().mean(), { parts });
  expect(() => grad(inParts(2), [x], { createGraph: true })).toThrow(UnsupportedError);
  expect(present(grad(inParts(1), [x], { createGraph: true })[0], "a gradient").requiresGrad).toBe(true);
});

/** Makes the next `times` plans that compute something fail for a lack of memory; says what was made and released. */
function failing(times: number): { cuts: number; leaves: Set<Node> } {
  const seen = { cuts: 0, leaves: new Set<Node>() };
  const { leaf, release } = runtime;
  const made = runtime.compile;
  let left = times;
  Object.assign(runtime, {
    leaf: (...given: Parameters<Runtime["leaf"]>): Node => {
      const node = leaf.apply(runtime, given);
      seen.leaves.add(node);
      return node;
    },
    release: (node: Node): void => {
      seen.leaves.delete(node);
      release.call(runtime, node);
    },
    noteMicroBatched: () => (seen.cuts += 1),
    compile: (...given: Parameters<Runtime["compile"]>): Promise<Plan> => {
      left -= given[0].length > 0 ? 1 : 0;
      if (left >= 0 && given[0].length > 0) {
        return Promise.reject(new OutOfMemoryError("no room", { smallestBudgetBytes: null, holders: [] }));
      }
      return made.apply(runtime, given);
    },
  });
  return seen;
}

test("a lack of memory is answered by twice the parts, up to the batch, and nothing is left of what failed", async () => {
  const { model, batch, loss } = mlp();
  const wanted = await Tensor.readAll(grad(loss(batch), model.parameters()));
  const host = { x: { shape: [BATCH, 4], data: await batch.x.data() }, y: { shape: [BATCH, 3], data: await batch.y.data() } } as never; // prettier-ignore
  for (const [failures, parts] of [
    [0, 1],
    [1, 2],
    [2, 4],
    [3, 6],
  ] as const) {
    const step = compile<"x" | "y", Tensor[]>((inputs) => grad(microBatched(inputs, loss), model.parameters()));
    const seen = failing(failures);
    expectClose(await Tensor.readAll(await step(host)), wanted);
    expectClose(await Tensor.readAll(await step(host)), wanted);
    expect([step.microBatches(), seen.cuts, seen.leaves.size]).toEqual([[parts], failures, 2]);
    step.destroy();
  }
  const outside = tensor([1]).add(1);
  const step = compile<"x" | "y">((inputs) => microBatched(inputs, loss).mul(outside));
  const seen = failing(4);
  await expect(step(host)).rejects.toThrow(OutOfMemoryError);
  expect([seen.cuts, seen.leaves.size, step.microBatches()]).toEqual([3, 0, []]);
  expect(await outside.data()).toEqual(Float32Array.of(2));
});

test("without a batch that can be cut, and with parts of the caller's own, a lack of memory is an error at once", async () => {
  const { batch, loss } = mlp();
  for (const fn of [loss, (inputs: Batch) => microBatched({ ...inputs }, loss, { parts: 2 })]) {
    const seen = failing(1);
    await expect(compile<"x" | "y">(fn)({ ...batch })).rejects.toThrow(OutOfMemoryError);
    expect(seen.cuts).toBe(0);
  }
});

test("a compiled function that failed leaves alone what was assigned meanwhile", async () => {
  const state = tensor([1]);
  const step = compile(() => {
    state.assign(state.add(1));
    return state.mul(1);
  });
  Object.assign(runtime, {
    compile: () => {
      state.assign(tensor([9]));
      return Promise.reject(new OutOfMemoryError("no room", { smallestBudgetBytes: null, holders: [] }));
    },
  });
  await expect(step()).rejects.toThrow(OutOfMemoryError);
  expect(await state.data()).toEqual(Float32Array.of(9));
});

test("models with batch norms or running statistics are told apart", () => {
  const inside = (layer: nn.Module & { forward(x: Tensor): Tensor }): boolean =>
    hasBatchStatistics(new nn.Sequential(new nn.Linear(2, 2), layer));
  expect(inside(new nn.BatchNorm1d(2))).toBe(true);
  expect(inside(new nn.BatchNorm1d(2, { trackRunningStats: false }))).toBe(true);
  expect(inside(new nn.InstanceNorm1d(2, { trackRunningStats: true }))).toBe(true);
  expect(inside(new nn.InstanceNorm1d(2))).toBe(false);
  expect(inside(new nn.LayerNorm(2))).toBe(false);
});

/** What a tensor is: values, assignment, gradients, errors. On the interpreter, which is exact. */
import { expect, test } from "vitest";
import { OptionError, ShapeError, UnsupportedError } from "../../../src/base/errors.ts";
import { Random } from "../../../src/base/random.ts";
import { grad } from "../../../src/compute/tensor/autograd.ts";
import { full, ones, tensor, zeros } from "../../../src/compute/tensor/create.ts";
import { arange } from "../../../src/compute/tensor/create-ranges.ts";
import { rand } from "../../../src/compute/tensor/create-random.ts";
import { noGrad } from "../../../src/compute/tensor/grad-mode.ts";
import { currentRuntime, setDefaultRuntime, withRuntime } from "../../../src/compute/tensor/runtime-scope.ts";
import { Tensor } from "../../../src/compute/tensor/tensor.ts";
import { isLeaf } from "../../../src/compute/tensor/value.ts";
import { InterpreterRuntime } from "./interpreter-runtime.ts";

setDefaultRuntime(new InterpreterRuntime());

async function values(x: Tensor | null): Promise<number[] | null> {
  return x === null ? null : [...(await x.data())];
}

test("host values come in with the dtype of their arrays", async () => {
  expect([tensor([1, 2]).dtype, tensor([true, false]).dtype]).toEqual(["float32", "bool"]);
  expect(tensor(Int32Array.of(1, 2)).dtype).toBe("int32");
  expect(tensor({ shape: [2, 1], data: Uint32Array.of(1, 2) }).shape).toEqual([2, 1]);
  expect(await values(tensor([1.7, -2.2], { dtype: "int32" }))).toEqual([1, -2]);
  expect(await values(tensor([0, 3], { dtype: "bool" }))).toEqual([0, 1]);
  expect(tensor(3).shape).toEqual([]);
  expect(await tensor(3).item()).toBe(3);
  expect(() => tensor([[1, 2], [3]])).toThrow(ShapeError);
  expect(() => tensor({ shape: [3], data: Float32Array.of(1) })).toThrow(ShapeError);
});

test("arange counts, full fills, and neither stores bytes", async () => {
  expect(await values(arange(3))).toEqual([0, 1, 2]);
  expect(await values(arange(2, 8, 3))).toEqual([2, 5]);
  expect(arange(0, 1, 0.5).dtype).toBe("float32");
  expect(isLeaf(full([2], 4).value.node)).toBe(false);
  expect(await values(ones([2]).add(zeros([2])))).toEqual([1, 1]);
});

test("a tensor without a runtime says what to do", () => {
  const before = currentRuntime("test");
  setDefaultRuntime(null);
  try {
    expect(() => tensor([1])).toThrow(/expected a runtime, found none; call setDefaultRuntime/);
  } finally {
    setDefaultRuntime(before);
  }
});

test("tensors of two runtimes do not mix, constants go with both", async () => {
  const other = new InterpreterRuntime();
  const here = tensor([1]);
  const there = withRuntime(other, () => tensor([2]));
  expect(() => here.add(there)).toThrow(OptionError);
  const constant = full([1], 3);
  expect(await values(here.add(constant))).toEqual([4]);
  expect(await values(there.add(constant))).toEqual([5]);
});

test("backward sums what arrives over every path", async () => {
  const x = tensor([2, 3], { requiresGrad: true });
  const y = x.mul(x);
  y.add(y).add(x).sum().backward();
  expect(await values(x.grad)).toEqual([9, 13]);
});

test("backward accumulates into grad until it is taken away", async () => {
  const x = tensor([2], { requiresGrad: true });
  x.square().backward();
  x.square().backward();
  expect(await values(x.grad)).toEqual([8]);
  x.grad = null;
  x.mul(3).backward();
  expect(await values(x.grad)).toEqual([3]);
});

test("grad gives gradients of inputs and of what is between, zeros where nothing depends", async () => {
  const x = tensor([2], { requiresGrad: true });
  const unused = tensor([[1]], { requiresGrad: true });
  const y = x.mul(5);
  const [dx, dy, du] = grad(y.square().sum(), [x, y, unused]);
  expect(await values(dx ?? null)).toEqual([100]);
  expect(await values(dy ?? null)).toEqual([20]);
  expect(await values(du ?? null)).toEqual([0]);
  expect(x.grad).toBeNull();
});

test("a loss of several elements takes the gradient that arrives at it", async () => {
  const x = tensor([1, 2], { requiresGrad: true });
  x.square().backward(tensor([10, 1]));
  expect(await values(x.grad)).toEqual([20, 4]);
  expect(() => x.square().backward()).toThrow(ShapeError);
  expect(() => x.square().backward(tensor([1]))).toThrow(ShapeError);
});

test("nothing flows through detach, noGrad, integers or tensors that require none", () => {
  const x = tensor([1, 2], { requiresGrad: true });
  expect(x.detach().mul(2).requiresGrad).toBe(false);
  expect(noGrad(() => x.mul(2)).requiresGrad).toBe(false);
  expect(x.cast("int32").requiresGrad).toBe(false);
  expect(x.gt(1).requiresGrad).toBe(false);
  expect(tensor([1]).mul(2).requiresGrad).toBe(false);
  expect(x.mul(2).requiresGrad).toBe(true);
  expect(() => tensor([1]).backward()).toThrow(OptionError);
  expect(() => tensor(Int32Array.of(1), { requiresGrad: true })).toThrow(OptionError);
  expect(() => (x.mul(2).requiresGrad = false)).toThrow(OptionError);
});

test("what was computed before an assignment keeps the old value, gradients too", async () => {
  const w = tensor([3], { requiresGrad: true });
  const y = w.square();
  w.assign(tensor([10]));
  y.backward();
  expect(await y.item()).toBe(9);
  expect(await values(w.grad)).toEqual([6]);
  expect(await values(w)).toEqual([10]);
  expect(w.requiresGrad).toBe(true);
});

test("assigned tensors are computed with the next ones, so that a long loop stays short", async () => {
  const state = tensor([1]);
  for (let i = 0; i < 5; i++) {
    state.assign(state.mul(2));
    await tensor([0]).add(1).item();
    expect(isLeaf(state.value.node)).toBe(true);
  }
  expect(await state.item()).toBe(32);
});

test("write overwrites bytes in place, and gives a lazy tensor bytes of its own", async () => {
  const x = tensor([1, 2]);
  const { node } = x.value;
  expect(await values(x.write(Float32Array.of(3, 4)))).toEqual([3, 4]);
  expect(x.value.node).toBe(node);
  const lazy = zeros([2]);
  expect(await values(lazy.write(Float32Array.of(5, 6)))).toEqual([5, 6]);
  expect(() => x.write(Float32Array.of(1))).toThrow(ShapeError);
  expect(() => x.write(Int32Array.of(1, 2))).toThrow(OptionError);
});

test("assign does not tie two tensors together", async () => {
  const a = tensor([1]);
  const b = tensor([2]);
  a.assign(b);
  b.write(Float32Array.of(9));
  a.write(Float32Array.of(5));
  expect([await a.item(), await b.item()]).toEqual([5, 9]);
});

test("two tensors realized from one constant do not share bytes", async () => {
  const a = zeros([1]);
  const b = a.detach();
  await Tensor.realizeAll([a, b]);
  a.write(Float32Array.of(7));
  expect([await a.item(), await zeros([1]).add(0).item()]).toEqual([7, 0]);
});

test("readAll reads many in their order", async () => {
  const x = tensor([1, 2]);
  const read = await Tensor.readAll([x.mul(2), x, tensor(Int32Array.of(7)), x.gt(1)]);
  expect(read.map((data) => [...data])).toEqual([[2, 4], [1, 2], [7], [0, 1]]); // prettier-ignore
  expect(read[2]).toBeInstanceOf(Int32Array);
});

test("gradients of gradients flow when they are asked for", async () => {
  const x = tensor([2], { requiresGrad: true });
  const [dx] = grad(x.pow(3).sum(), [x], { createGraph: true });
  const [d2x] = grad(dx?.sum() ?? x, [x]);
  expect(await values(d2x ?? null)).toEqual([12]);
});

test("wrong shapes, axes and dtypes are refused with what was expected", () => {
  const x = rand([2, 3], new Random(1));
  expect(() => x.add(rand([2], new Random(1)))).toThrow(
    /add: expected shapes that broadcast, found \[2, 3\] and \[2\]/,
  );
  expect(() => x.matmul(x)).toThrow(ShapeError);
  expect(() => x.sum(2)).toThrow(OptionError);
  expect(() => x.sum([0, -2])).toThrow(OptionError);
  expect(() => x.reshape([4, -1])).toThrow(ShapeError);
  expect(x.squeeze(0).shape).toEqual([2, 3]);
  expect(() => x.permute([0])).toThrow(OptionError);
  expect(() => x.slice([[0, 1, 0]])).toThrow(OptionError);
  expect(() => x.narrow(1, 2, 2)).toThrow(ShapeError);
  expect(() => x.split([1, 1], 1)).toThrow(ShapeError);
  expect(() => x.expand([3, 3])).toThrow(ShapeError);
  expect(() => x.gather(1, x)).toThrow(UnsupportedError);
  expect(() => x.clamp({})).toThrow(OptionError);
  expect(() => x.assign(zeros([3]))).toThrow(ShapeError);
});

test("a clone has bytes of its own, and passes its gradient on", async () => {
  const x = tensor([1, 2], { requiresGrad: true });
  const copy = await x.clone().realize();
  x.write(Float32Array.of(5, 6));
  expect([...(await copy.data())]).toEqual([1, 2]);
  x.clone().square().sum().backward();
  expect([...((await x.grad?.data()) ?? [])]).toEqual([10, 12]);
});

test("host values of other array types are converted, and what is no number is refused", async () => {
  const read = async (values: unknown): Promise<[string, number[]]> => {
    const made = tensor(values as never);
    return [made.dtype, [...(await made.data())]];
  };
  expect(await read(Float64Array.of(0.5, 2))).toEqual(["float32", [0.5, 2]]);
  expect(await read(Uint8Array.of(255, 2))).toEqual(["int32", [255, 2]]);
  expect(await read({ shape: [1], data: Int16Array.of(-3) })).toEqual(["int32", [-3]]);
  for (const values of [null, undefined, "1", [1, "2"], {}, [null], BigInt64Array.of(1n), { shape: [1], data: 1 }]) {
    expect(() => tensor(values as never)).toThrow(
      /tensor: expected numbers, booleans, nested arrays or a typed array, found/,
    );
  }
});

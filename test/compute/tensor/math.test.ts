/** Mathematics at its edges: small and large arguments, NaN, infinities, zeros' signs, all dtypes, ties, and errors. */
import { afterAll, describe, expect, test } from "vitest";
import { OptionError, ShapeError, UnsupportedError } from "../../../src/base/errors.ts";
import { ReferenceDevice } from "../../../src/compute/device/reference/reference-device.ts";
import type { DType } from "../../../src/compute/layout/dtype.ts";
import { createRuntime } from "../../../src/compute/runtime/graph-runtime.ts";
import type { Runtime } from "../../../src/compute/runtime/runtime.ts";
import { grad } from "../../../src/compute/tensor/autograd.ts";
import { tensor, zeros } from "../../../src/compute/tensor/create.ts";
import { glu } from "../../../src/compute/tensor/ops/glu.ts";
import { hardtanh } from "../../../src/compute/tensor/ops/hardtanh.ts";
import { prelu } from "../../../src/compute/tensor/ops/prelu.ts";
import { setDefaultRuntime } from "../../../src/compute/tensor/runtime-scope.ts";
import type { Tensor } from "../../../src/compute/tensor/tensor.ts";
import { openNodeWebGpu, openWasm, webGpuMissing } from "../device/devices.ts";

const { NaN: NAN, POSITIVE_INFINITY: INF } = Number;

const devices: readonly (readonly [string, () => Promise<Runtime>])[] = [
  ["reference", async () => createRuntime(new ReferenceDevice())],
  ["wasm", async () => createRuntime(await openWasm())],
  ...(webGpuMissing === undefined ? [["webgpu", async () => createRuntime(await openNodeWebGpu())] as const] : []),
];

async function values(x: Tensor): Promise<number[]> {
  return [...(await x.data())];
}

function int32(data: readonly number[]): Tensor {
  return tensor(Int32Array.from(data));
}

/** Largest |found - expected| / |expected|. */
async function relativeError(found: Tensor, expected: readonly number[]): Promise<number> {
  const ours = await values(found);
  return Math.max(...expected.map((x, i) => Math.abs((ours[i] ?? NAN) - x) / Math.abs(x)));
}

describe.each(devices)("on %s", (_, open) => {
  let runtime: Runtime | undefined;
  const ready = async (): Promise<void> => {
    runtime ??= await open();
    setDefaultRuntime(runtime);
  };
  afterAll(() => {
    setDefaultRuntime(null);
    runtime?.destroy();
  });

  // A float32 rounds to 6e-8; a formula here has some ten roundings: 1e-6.
  test("log1p and expm1 keep the digits of small arguments", async () => {
    await ready();
    const small = [-1e-3, -1e-7, 1e-20, 1e-10, 3e-8, 1e-6, 1e-4, 0.03].map(Math.fround);
    expect(await relativeError(tensor(small).log1p(), small.map(Math.log1p))).toBeLessThan(1e-6);
    expect(await relativeError(tensor(small).expm1(), small.map(Math.expm1))).toBeLessThan(1e-6);
    expect(await relativeError(tensor(small).asinh(), small.map(Math.asinh))).toBeLessThan(1e-6);
    const nearOne = [0.99, 0.9999, 1.00001, 1.001, 1.2].map(Math.fround);
    expect(await relativeError(tensor(nearOne).log(), nearOne.map(Math.log))).toBeLessThan(1e-6);
    expect(await relativeError(tensor(nearOne).log2(), nearOne.map(Math.log2))).toBeLessThan(1e-6);
  });

  test("log2 and exp2 are exact for powers of two", async () => {
    await ready();
    const exponents = [-126, -60, -1, 0, 1, 10, 64, 127];
    const powers = exponents.map((n) => 2 ** n);
    expect(await values(tensor(powers).log2())).toEqual(exponents);
    expect(await values(tensor(exponents).exp2())).toEqual(powers);
  });

  test("large arguments neither overflow early nor lose the rest of a division", async () => {
    await ready();
    expect(await relativeError(tensor([1e30]).hypot(1e30), [Math.SQRT2 * 1e30])).toBeLessThan(1e-6);
    expect(await relativeError(tensor([1e30, 3e4]).asinh(), [Math.asinh(1e30), Math.asinh(3e4)])).toBeLessThan(1e-6);
    const [a, b] = [[1e6, 16_777_215, 3e10, -1e6, 5].map(Math.fround), [0.3, 0.7, 7.1, 0.3, INF].map(Math.fround)];
    expect(await values(tensor(a).fmod(tensor(b)))).toEqual(a.map((x, i) => x % (b[i] ?? 1)));
    expect(await values(tensor([50, -50, 1000]).logAddExp(tensor([50, -50, -1000])))).toEqual(
      [50 + Math.LN2, -50 + Math.LN2, 1000].map(Math.fround),
    );
  });

  test("NaN and infinities are found by their bits, in results too", async () => {
    await ready();
    const x = tensor([NAN, INF, -INF, 0, -1]);
    expect(await values(x.isNaN())).toEqual([1, 0, 0, 0, 0]);
    expect(await values(x.isInf())).toEqual([0, 1, 1, 0, 0]);
    expect(await values(x.isFinite())).toEqual([0, 0, 0, 1, 1]);
    expect(await values(x.mul(2).add(1).isNaN())).toEqual([1, 0, 0, 0, 0]);
    expect(await values(x.cast("float16").isNaN())).toEqual([1, 0, 0, 0, 0]);
    expect(await values(x.nanToNum({ nan: 7, posInf: 8, negInf: -9 }))).toEqual([7, 8, -9, 0, -1]);
    expect(await values(int32([1, 2]).isNaN())).toEqual([0, 0]);
    expect(await values(int32([1, 2]).isFinite())).toEqual([1, 1]);
  });

  test("the sign of zero counts for atan2, copysign and signbit, not for comparisons", async () => {
    await ready();
    const zerosOfBothSigns = tensor([0, -0]);
    expect(await values(zerosOfBothSigns.atan2(tensor([-1, -1])))).toEqual([Math.PI, -Math.PI].map(Math.fround));
    expect(await values(zerosOfBothSigns.signbit())).toEqual([0, 1]);
    expect(await values(tensor([2, 2]).copysign(zerosOfBothSigns))).toEqual([2, -2]);
    expect(await values(zerosOfBothSigns.eq(0))).toEqual([1, 1]);
    expect(await values(zerosOfBothSigns.lt(0))).toEqual([0, 0]);
    expect(await values(tensor([3e38, -3e38, 16_777_217]).gt(tensor([2.9e38, -2.9e38, 16_777_216])))).toEqual([
      1, 0, 0,
    ]);
  });

  test("integers of 32 bits are compared, shifted and combined whole", async () => {
    await ready();
    const x = int32([-(2 ** 31), -1, 0, 2 ** 31 - 1]);
    expect(await values(x.lt(int32([-(2 ** 31) + 1, -1, 1, 2 ** 31 - 2])))).toEqual([1, 0, 1, 0]);
    expect(await values(x.bitwiseXor(-1))).toEqual([2 ** 31 - 1, 0, -1, -(2 ** 31)]);
    expect(await values(x.bitwiseRightShift(31))).toEqual([-1, -1, 0, 0]);
    expect(await values(x.bitwiseLeftShift(31))).toEqual([0, -(2 ** 31), 0, -(2 ** 31)]);
    expect(await values(x.cummin(0).values)).toEqual([-(2 ** 31), -(2 ** 31), -(2 ** 31), -(2 ** 31)]);
    const words = tensor(Uint32Array.of(2 ** 32 - 1, 2 ** 31, 5));
    expect(await values(words.bitwiseRightShift(1))).toEqual([2 ** 31 - 1, 2 ** 30, 2]);
    expect(await values(words.bitwiseNot())).toEqual([0, 2 ** 31 - 1, 2 ** 32 - 6]);
    expect(await values(words.max())).toEqual([2 ** 32 - 1]);
    expect(await values(words.argmin(0))).toEqual([2]);
  });
});

test("bools are compared, combined and counted", async () => {
  setDefaultRuntime(createRuntime(new ReferenceDevice()));
  const [a, b] = [tensor([true, true, false, false]), tensor([true, false, true, false])];
  expect(await values(a.lt(b))).toEqual([0, 0, 1, 0]);
  expect(await values(a.ge(b))).toEqual([1, 1, 0, 1]);
  expect(await values(a.logicalXor(b))).toEqual([0, 1, 1, 0]);
  expect(await values(a.bitwiseXor(b))).toEqual([0, 1, 1, 0]);
  const results: [Tensor, DType, number[]][] = [
    [a.add(b), "bool", [1, 1, 1, 0]],
    [a.mul(b), "bool", [1, 0, 0, 0]],
    [a.maximum(b), "bool", [1, 1, 1, 0]],
    [a.minimum(b), "bool", [1, 0, 0, 0]],
    [a.max(), "bool", [1]],
    [a.min(0), "bool", [0]],
    [a.sum(), "int32", [2]],
    [a.prod(), "int32", [0]],
    [a.cumsum(0), "int32", [1, 2, 2, 2]],
    [a.argmin(0), "int32", [2]],
    [a.cummin(0).values, "bool", [1, 1, 0, 0]],
  ];
  for (const [found, dtype, expected] of results) {
    expect(found.dtype).toBe(dtype);
    expect(await values(found)).toEqual(expected);
  }
});

test("rounding and powers leave integers integers", async () => {
  setDefaultRuntime(createRuntime(new ReferenceDevice()));
  const x = int32([-3, 4]);
  for (const same of [x.floor(), x.ceil(), x.round(), x.trunc()]) expect(same).toBe(x);
  expect(x.pow(0).dtype).toBe("int32");
  expect(await values(x.pow(11))).toEqual([-177_147, 4_194_304]);
  expect(x.abs().dtype).toBe("int32");
  expect(x.clamp(-0.5, 2).dtype).toBe("float32");
  expect(x.clamp(-1, 2).dtype).toBe("int32");
  expect(await values(x.floorDivide(2))).toEqual([-2, 2]);
  expect(await values(x.div(2, { roundingMode: "trunc" }))).toEqual([-1, 2]);
});

test("equal elements share the gradient of amax and of max over all; along an axis the first has it", async () => {
  setDefaultRuntime(createRuntime(new ReferenceDevice()));
  const x = tensor([[2, 1, 2]], { requiresGrad: true });
  const gradientOf = async (y: Tensor): Promise<number[]> => values(grad(y.sum(), [x])[0] ?? x);
  expect(await gradientOf(x.amax(1))).toEqual([0.5, 0, 0.5]);
  expect(await gradientOf(x.max())).toEqual([0.5, 0, 0.5]);
  expect(await gradientOf(x.max(1))).toEqual([1, 0, 0]);
  expect(await gradientOf(x.cummax(1).values)).toEqual([2, 0, 1]);
});

test("gradients at kinks and at zeros are PyTorch's and finite", async () => {
  setDefaultRuntime(createRuntime(new ReferenceDevice()));
  const x = tensor([0, 0], { requiresGrad: true });
  const gradientOf = async (y: Tensor): Promise<number[]> => values(grad(y.sum(), [x])[0] ?? x);
  expect(await gradientOf(x.norm())).toEqual([0, 0]);
  expect(await gradientOf(x.norm(0.5))).toEqual([0, 0]);
  expect(await gradientOf(x.std())).toEqual([0, 0]);
  expect(await gradientOf(x.hypot(0))).toEqual([0, 0]);
  expect(await gradientOf(x.abs())).toEqual([0, 0]);
  expect(await gradientOf(x.sinc())).toEqual([0, 0]);
  expect(await gradientOf(x.pow(0))).toEqual([0, 0]);
  expect(await gradientOf(x.clamp(0, 1))).toEqual([1, 1]);
  expect(await gradientOf(hardtanh(x, { minVal: 0 }))).toEqual([0, 0]);
});

test("a long running product has the gradient of its formula", async () => {
  setDefaultRuntime(createRuntime(new ReferenceDevice()));
  const data = Array.from({ length: 300 }, (_, i) => (i === 100 || i === 250 ? 0 : 1 + 0.01 * Math.sin(i)));
  const x = tensor(data, { requiresGrad: true });
  const found = await values(grad(x.cumprod(0).sum(), [x])[0] ?? x);
  const expected = data.map((_, k) => {
    let [product, total] = [1, 0];
    data.forEach((factor, i) => {
      product *= i === k ? 1 : factor;
      if (i >= k) total += product;
    });
    return total;
  });
  const size = Math.max(...expected.map(Math.abs));
  found.forEach((value, k) => expect(Math.abs(value - (expected[k] ?? NAN)) / size).toBeLessThan(1e-5));
});

test("closeness and equality are read back as booleans", async () => {
  setDefaultRuntime(createRuntime(new ReferenceDevice()));
  const x = tensor([1, NAN, INF]);
  expect(await x.allClose(x)).toBe(false);
  expect(await x.allClose(x, { equalNan: true })).toBe(true);
  expect(await values(x.isClose(tensor([1.1, NAN, -INF]), { rtol: 0.2 }))).toEqual([1, 0, 0]);
  expect(await tensor([1, 2]).equal(tensor([1, 2]))).toBe(true);
  expect(await tensor([1, 2]).equal(tensor([[1, 2]]))).toBe(false);
  expect(await zeros([0]).equal(zeros([0]))).toBe(true);
});

describe("bad input", () => {
  const x = (): Tensor => tensor([[1, 2, 3]]);
  test.each([
    ["mean of integers", () => int32([1]).mean(), UnsupportedError, "mean: expected floats, found int32"],
    ["the largest of nothing", () => zeros([2, 0]).max(1), ShapeError, "max: expected axes that are not empty"],
    ["the place of the largest of nothing", () => zeros([0]).argmax(), ShapeError, "argmax: expected axes"],
    ["bits of floats", () => x().bitwiseAnd(1), UnsupportedError, "bitwiseAnd: expected integers or bools, found float32"],
    ["a negative power of integers", () => int32([2]).pow(-1), OptionError, "pow: expected an exponent from 0"],
    ["decimals of integers", () => int32([2]).round({ decimals: 1 }), UnsupportedError, "round: expected floats"],
    ["a fraction of a decimal", () => x().round({ decimals: 0.5 }), OptionError, "round: expected whole decimals"],
    ["half of an odd axis", () => glu(x()), ShapeError, "glu: expected an even size of axis 1, found 3"],
    ["slopes for other channels", () => prelu(x(), tensor([1, 2])), ShapeError, "prelu: expected a weight of 1 or 3"],
    ["bounds the wrong way round", () => hardtanh(x(), { minVal: 2 }), OptionError, "hardtanh: expected minVal"],
    ["no bounds", () => x().clamp({}), OptionError, "clamp: expected min, max or both, found neither"],
    ["no such norm", () => x().norm(NAN), OptionError, "norm: expected p to be a number or fro, found NaN"],
    ["no such axis", () => x().cumprod(2), OptionError, "cumprod: expected an axis from -2 to 1, found 2"],
    ["an axis twice", () => x().prod([0, -2]), OptionError, "prod: expected distinct axes"],
    ["no such derivative", () => x().polygamma(-1), OptionError, "polygamma: expected an order from 0 to 20"],
    ["shapes that do not broadcast", () => x().atan2(tensor([1, 2])), ShapeError, "atan2: expected shapes that broadcast"],
  ] as const)("%s is refused", (_, run, kind, message) => {
    setDefaultRuntime(createRuntime(new ReferenceDevice()));
    expect(run).toThrow(kind);
    expect(run).toThrow(message);
  });
}); // prettier-ignore

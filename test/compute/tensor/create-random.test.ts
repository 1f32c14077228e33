import { afterEach, describe, expect, test } from "vitest";
import { exponentialOf, normalOf, philox, Random } from "../../../src/base/random.ts";
import { OptionError } from "../../../src/base/errors.ts";
import { ReferenceDevice } from "../../../src/compute/device/reference/reference-device.ts";
import type { Shape } from "../../../src/compute/compiler/ir.ts";
import { createRuntime } from "../../../src/compute/runtime/graph-runtime.ts";
import { compile } from "../../../src/compute/tensor/compile.ts";
import * as create from "../../../src/compute/tensor/create-random.ts";
import { tensor, zeros } from "../../../src/compute/tensor/create.ts";
import { Generator, manualSeed } from "../../../src/compute/tensor/generator.ts";
import { dropout } from "../../../src/compute/tensor/ops/dropout.ts";
import { multinomial } from "../../../src/compute/tensor/ops/multinomial.ts";
import { permutation } from "../../../src/compute/tensor/ops/permutation.ts";
import { setDefaultRuntime, withRuntime } from "../../../src/compute/tensor/runtime-scope.ts";
import { Tensor } from "../../../src/compute/tensor/tensor.ts";
import { testDevices } from "../compiler/devices.ts";

afterEach(() => setDefaultRuntime(null));

type Draw = (shape: Shape) => Tensor;
const WEIGHTS = [0.5, 0, 3, 1, 0.25, 2];

/** Every function that draws, for a shape (of which multinomial and permutation take the first size). */
const DRAWS: Readonly<Record<string, Draw>> = {
  rand: (shape) => create.rand(shape),
  "rand float16": (shape) => create.rand(shape, { dtype: "float16" }),
  randn: (shape) => create.randn(shape),
  randInt: (shape) => create.randInt(-3, 11, shape),
  "randInt of all": (shape) => create.randInt(-(2 ** 31), 2 ** 31, shape),
  randLike: (shape) => create.randLike(zeros(shape)),
  randnLike: (shape) => create.randnLike(zeros(shape)),
  randIntLike: (shape) => create.randIntLike(zeros(shape), 0, 7),
  normal: (shape) => create.normal(0, 2.5, shape),
  exponential: (shape) => create.exponential(shape, 0.7),
  bernoulli: (shape) => create.bernoulli(0.3, shape),
  "bernoulli of a tensor": (shape) => create.bernoulli(create.rand(shape)),
  dropout: (shape) => dropout(zeros(shape).add(1), { p: 0.25 }),
  multinomial: (shape) => multinomial(tensor(WEIGHTS), Math.max(1, shape[0] ?? 1), { replacement: true }),
  "multinomial without replacement": () => multinomial(tensor([WEIGHTS, [...WEIGHTS].reverse()]), 4),
  permutation: (shape) => permutation(shape[0] ?? 1),
};

/** Two draws after `manualSeed(seed)` on a new runtime. */
async function stream(
  runtime: ReturnType<typeof createRuntime>,
  draw: Draw,
  shape: Shape,
  seed: number,
): Promise<unknown[]> {
  const drawn = withRuntime(runtime, () => {
    manualSeed(seed);
    return [draw(shape), draw(shape)];
  });
  return (await Tensor.readAll(drawn)).map((data) => [...new Uint32Array(data.buffer)]);
}

for (const { name, missing, open } of testDevices.filter((device) => device.name !== "reference")) {
  describe.skipIf(missing !== undefined)(`reference and ${name}`, () => {
    for (const [fn, draw] of Object.entries(DRAWS)) {
      test(`${fn} gives the same bits on both, for seeds 0, 7 and 2^40 and several shapes`, async () => {
        const [ours, theirs] = [createRuntime(new ReferenceDevice()), await open()];
        const sorted = name === "webgpu" ? 300 : 2000;
        const large = fn.startsWith("permutation") ? [sorted] : [3, 70_001];
        // Each shape is a kernel, which the driver in software compiles for a quarter of a second and more.
        const small = name === "webgpu" ? [[40, 3]] : [[], [5], [2, 0, 3], [40, 3]];
        for (const shape of [...small, large]) {
          for (const seed of shape === large ? [7] : [0, 7, 2 ** 40]) {
            const expected = await stream(ours, draw, shape, seed);
            expect(await stream(theirs, draw, shape, seed)).toEqual(expected);
          }
        }
      });
    }
  });
}

for (const [fn, draw] of Object.entries(DRAWS)) {
  test(`${fn} gives the same numbers eagerly and compiled, in any order of the two, on reference`, async () => {
    const runtime = createRuntime(new ReferenceDevice());
    setDefaultRuntime(runtime);
    for (const seed of [1, 99]) {
      manualSeed(seed);
      const eager: unknown[] = [];
      for (let i = 0; i < 4; i++) eager.push([...(await draw([6]).data())]);
      const compiled = compile(() => draw([6]));
      manualSeed(seed);
      const mixed: unknown[] = [];
      for (let i = 0; i < 4; i++) mixed.push([...(await (i === 1 ? draw([6]) : await compiled()).data())]);
      expect(mixed).toEqual(eager);
      if (fn !== "permutation") expect(new Set(eager.map(String)).size).toBeGreaterThan(1);
      compiled.destroy();
    }
  });
}

describe("on reference", () => {
  const start = (): void => setDefaultRuntime(createRuntime(new ReferenceDevice()));

  test("numbers are those of the host: words, uniform, normal and exponential ones under the key of the draw", async () => {
    start();
    const generator = new Generator(5);
    const [uniform, gauss, expo, whole] = (await Tensor.readAll([
      create.rand([300], generator),
      create.randn([300], { generator }),
      create.exponential([300], 1, generator),
      create.randInt(10, [300], generator),
    ])) as [Float32Array, Float32Array, Float32Array, Int32Array];
    for (let i = 0; i < 300; i++) {
      expect(uniform[i]).toBe((philox([i, 0, 0, 0], [5, 0])[0] >>> 8) / 2 ** 24);
      const [first, second] = philox([i, 0, 0, 0], [5, 1]);
      expect(gauss[i]).toBe(normalOf(first, second));
      expect(expo[i]).toBe(exponentialOf(philox([i, 0, 0, 0], [5, 2])[0]));
      expect(whole[i]).toBe(philox([i, 0, 0, 0], [5, 3])[0] % 10);
    }
  });

  test("a million normal numbers have normal moments, tails and distances (seed 3)", { timeout: 60_000 }, async () => {
    start();
    const n = 2 ** 20;
    const x = (await create.randn([n], new Generator(3)).data()) as Float32Array;
    const moments = [0, 0, 0, 0];
    for (const v of x) for (let k = 0; k < 4; k++) moments[k] = (moments[k] ?? 0) + v ** (k + 1) / n;
    // Deviations of the moments' means: sqrt(var(x^k) / n), with var 1, 2, 15, 96; five of them.
    for (const [k, [expected, variance]] of (
      [
        [0, 1],
        [1, 2],
        [0, 15],
        [3, 96],
      ] as const
    ).entries()) {
      expect(Math.abs((moments[k] ?? 0) - expected)).toBeLessThan(5 * Math.sqrt(variance / n));
    }
    // Kolmogorov and Smirnov: the distance exceeds 2.2 / sqrt(n) once in 8,000 draws.
    const sorted = x.slice().sort();
    let distance = 0;
    for (let i = 0; i < n; i++) distance = Math.max(distance, Math.abs(normalCdf(sorted[i] ?? 0) - (i + 0.5) / n));
    expect(distance).toBeLessThan(2.2 / Math.sqrt(n));
    // Beyond 4 sigma there are 2 * 3.167e-5 n = 66, give or take 8.
    const far = x.filter((v) => Math.abs(v) > 4).length;
    expect(Math.abs(far - 66.4)).toBeLessThan(41);
  });

  test("shares are right: bernoulli, randInt, multinomial with zeros, dropout (seed 11)", async () => {
    start();
    manualSeed(11);
    const n = 40_000;
    const [ones, whole, picks] = (await Tensor.readAll([
      create.bernoulli(0.3, [n]),
      create.randInt(5, [n]),
      multinomial(tensor(WEIGHTS), n, { replacement: true }),
    ])) as [Float32Array, Int32Array, Int32Array];
    const near = (count: number, p: number): void =>
      expect(Math.abs(count - n * p)).toBeLessThanOrEqual(5 * Math.sqrt(n * p * (1 - p)));
    near(
      ones.reduce((sum, v) => sum + v, 0),
      0.3,
    );
    for (let v = 0; v < 5; v++) near(whole.filter((w) => w === v).length, 0.2);
    const total = WEIGHTS.reduce((sum, w) => sum + w, 0);
    WEIGHTS.forEach((w, i) => near(picks.filter((pick) => pick === i).length, w / total));
  });

  test("multinomial without replacement picks distinct indices, none of weight 0, in proportion (seed 12)", async () => {
    start();
    manualSeed(12);
    const rows = 4000;
    const picks = (await multinomial(tensor(WEIGHTS).reshape([1, 6]).expand([rows, 6]), 5).data()) as Int32Array;
    const total = WEIGHTS.reduce((sum, w) => sum + w, 0);
    const first = [0, 0, 0, 0, 0, 0];
    for (let row = 0; row < rows; row++) {
      const own = [...picks.subarray(5 * row, 5 * row + 5)];
      expect(own.toSorted((a, b) => a - b)).toEqual([0, 2, 3, 4, 5]);
      first[own[0] ?? 0] = (first[own[0] ?? 0] ?? 0) + 1;
    }
    WEIGHTS.forEach((w, i) => {
      const p = w / total;
      expect(Math.abs((first[i] ?? 0) - rows * p)).toBeLessThanOrEqual(5 * Math.sqrt(rows * p * (1 - p)));
    });
  });

  test("a permutation has every number once, and all orders of three come alike (seed 13)", async () => {
    start();
    manualSeed(13);
    for (const n of [0, 1, 2, 17, 1000]) {
      const data = (await permutation(n).data()) as Int32Array;
      expect([...data].sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i));
    }
    const orders = new Map<string, number>();
    const draws = await Tensor.readAll(Array.from({ length: 600 }, () => permutation(3)));
    for (const data of draws) orders.set(data.join(), (orders.get(data.join()) ?? 0) + 1);
    expect(orders.size).toBe(6);
    for (const count of orders.values()) expect(Math.abs(count - 100)).toBeLessThan(5 * Math.sqrt(100));
  });

  test("a host Random names a key, and is refused inside compiled functions", async () => {
    start();
    const draw = (): Tensor => create.randn([3], new Random("host"));
    expect(await draw().data()).toEqual(await draw().data());
    await expect(compile(() => draw())()).rejects.toThrow(OptionError);
  });

  test("bad options are refused", () => {
    start();
    const bad: (() => unknown)[] = [
      () => create.rand([2], { dtype: "int32" }),
      () => create.randInt(3, 3, [2]),
      () => create.randInt(0.5, [2]),
      () => create.normal(0, -1, [2]),
      () => create.normal(0, 1),
      () => create.exponential([2], 0),
      () => create.bernoulli(1.5, [2]),
      () => manualSeed(-1),
      () => new Generator(0.5),
      () => multinomial(tensor([1, 2]), 3),
      () => multinomial(tensor([1, 2]), 0),
      () => permutation(-1),
    ];
    for (const call of bad) expect(call).toThrow(OptionError);
  });
});

/** By the Taylor series of erf near 0, and its continued fraction beyond, in float64. */
function normalCdf(x: number): number {
  const z = Math.abs(x) / Math.SQRT2;
  let tail: number;
  if (z < 2.5) {
    let [term, sum] = [z, z];
    for (let k = 1; k < 80; k++) {
      term *= (-z * z) / k;
      sum += term / (2 * k + 1);
    }
    tail = (1 - (2 / Math.sqrt(Math.PI)) * sum) / 2;
  } else {
    let fraction = z;
    for (let k = 60; k > 0; k--) fraction = z + k / 2 / fraction;
    tail = Math.exp(-z * z) / Math.sqrt(Math.PI) / fraction / 2;
  }
  return x < 0 ? tail : 1 - tail;
}

/** Clipping against float64 loops, inside and outside of compiled functions. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { OptionError } from "../../../src/base/errors.ts";
import { compile } from "../../../src/compute/tensor/compile.ts";
import { tensor } from "../../../src/compute/tensor/create.ts";
import { setDefaultRuntime } from "../../../src/compute/tensor/runtime-scope.ts";
import { Tensor } from "../../../src/compute/tensor/tensor.ts";
import { clipGradNorm, clipGradValue } from "../../../src/model/optim/clip-grad.ts";
import { deviceRuntime } from "../../compute/tensor/test-runtimes.ts";

setDefaultRuntime(deviceRuntime());

const values = fc.array(fc.double({ min: -3, max: 3, noNaN: true }).map(Math.fround), { maxLength: 5 });
const optional = fc.option(values, { nil: null, freq: 4 });

function owners(gradients: readonly (readonly number[] | null)[]): Tensor[] {
  return gradients.map((gradient) => {
    const owner = tensor(new Float32Array(gradient?.length ?? 2), { requiresGrad: true });
    owner.grad = gradient && tensor(Float32Array.from(gradient));
    return owner;
  });
}

test("gradients longer than the norm are scaled to it, all alike, and the norm before is returned", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(optional, { maxLength: 4 }), fc.constantFrom(1, 2, 3, 0.5, Infinity), fc.constantFrom(0, 0.5, 4, 100), async (gradients, normType, maxNorm) => {
      const parameters = owners(gradients);
      const norm = clipGradNorm(parameters, maxNorm, { normType });
      expect(norm.shape).toEqual([]);
      const all = gradients.flatMap((gradient) => gradient ?? []).map(Math.abs);
      const expected = normType === Infinity ? Math.max(0, ...all) : all.reduce((sum, value) => sum + value ** normType, 0) ** (1 / normType);
      expect(Math.abs((await norm.item()) - expected)).toBeLessThanOrEqual(3e-6 * (1 + expected));
      const share = Math.min(1, maxNorm / (expected + 1e-6));
      for (const [i, gradient] of gradients.entries()) {
        const found = parameters[i]?.grad ?? null;
        expect(found === null).toBe(gradient === null);
        [...((await found?.data()) ?? [])].forEach((value, j) => {
          expect(Math.abs(value - share * (gradient?.[j] ?? 0))).toBeLessThan(3e-5);
        });
      }
    }),
    { numRuns: 60, seed: 4 },
  ); // prettier-ignore
});

test("each element is bounded", async () => {
  const [a, b] = owners([[-3, 0.5, 3], null]) as [Tensor, Tensor];
  clipGradValue([a, b], 1);
  expect(await a.grad?.data()).toEqual(Float32Array.of(-1, 0.5, 1));
  expect(b.grad).toBeNull();
});

test("a compiled step clips and returns the norm in one plan, without a readback", async () => {
  const weight = tensor([3, 4], { requiresGrad: true });
  const step = compile(() => {
    weight.square().sum().mul(0.5).backward();
    const norm = clipGradNorm([weight], 1);
    weight.assign(weight.detach().sub(weight.grad ?? 0));
    return norm;
  });
  expect(await (await step()).item()).toBe(5);
  const [x = 0, y = 0] = await weight.data();
  expect(x).toBeCloseTo(3 - 0.6, 5);
  expect(y).toBeCloseTo(4 - 0.8, 5);
  expect(await (await step()).item()).toBeCloseTo(4, 5);
  expect(step.explain()).toHaveLength(1);
});

test("gradients that two parameters share are scaled once each", async () => {
  const [a, b] = [tensor([3], { requiresGrad: true }), tensor([4], { requiresGrad: true })];
  a.add(b).sum().backward();
  clipGradNorm([a, b], 0.5);
  const [first, second] = await Tensor.readAll([a.grad, b.grad].filter((grad) => grad !== null));
  expect(first?.[0]).toBeCloseTo(0.5 / Math.SQRT2, 5);
  expect(second?.[0]).toBeCloseTo(0.5 / Math.SQRT2, 5);
});

test("bounds that make no sense are refused", () => {
  expect(() => clipGradNorm([], -1)).toThrow(OptionError);
  expect(() => clipGradNorm([], 1, { normType: 0 })).toThrow(/normType above 0, found 0/);
  expect(() => clipGradValue([], Number.NaN)).toThrow(/found NaN/);
});

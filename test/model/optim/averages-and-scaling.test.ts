/** Averages of weights, and dynamic loss scaling. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { OptionError, ShapeError } from "../../../src/base/errors.ts";
import { createRuntime } from "../../../src/compute/runtime/graph-runtime.ts";
import { compile } from "../../../src/compute/tensor/compile.ts";
import type { Inputs } from "../../../src/compute/tensor/compile.ts";
import { tensor } from "../../../src/compute/tensor/create.ts";
import { setDefaultRuntime, withRuntime } from "../../../src/compute/tensor/runtime-scope.ts";
import type { Tensor } from "../../../src/compute/tensor/tensor.ts";
import { AdamW } from "../../../src/model/optim/adam.ts";
import { clipGradNorm } from "../../../src/model/optim/clip-grad.ts";
import { ExponentialMovingAverage } from "../../../src/model/optim/exponential-moving-average.ts";
import { GradScaler } from "../../../src/model/optim/grad-scaler.ts";
import { SGD } from "../../../src/model/optim/sgd.ts";
import { openNodeWebGpu, webGpuMissing } from "../../compute/device/devices.ts";
import { deviceRuntime } from "../../compute/tensor/test-runtimes.ts";

setDefaultRuntime(deviceRuntime());

const leaf = (...values: number[]): Tensor => tensor(values, { requiresGrad: true });

test("averages follow their formula, compiled or not, with and without a warm-up", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(0, 0.5, 0.999, 1),
      fc.boolean(),
      fc.boolean(),
      fc.array(fc.double({ min: -2, max: 2, noNaN: true }).map(Math.fround), { minLength: 1, maxLength: 6 }),
      async (decay, warmup, isCompiled, values) => {
        const weight = leaf(0.25);
        const ema = new ExponentialMovingAverage([weight], { decay, warmup });
        const body = (to: Tensor): void => {
          weight.assign(to);
          ema.update();
        };
        const step = compile(({ to }: Inputs<"to">) => (body(to), []));
        let expected = 0.25;
        for (const [n, value] of values.entries()) {
          if (isCompiled) await step({ to: { shape: [1], data: Float32Array.of(value) } });
          else body(tensor([value]));
          const d = warmup ? Math.min(decay, (1 + n) / (10 + n)) : decay;
          expected = d * expected + (1 - d) * value;
        }
        const [average] = ema.averages();
        // Six updates of values up to 2, each rounded to 1.2e-7.
        expect(Math.abs(((await average?.item()) ?? Number.NaN) - expected)).toBeLessThan(2e-6);
      },
    ),
    { numRuns: 25, seed: 3 },
  );
});

test("averages are swapped in and out, copied, saved and loaded", async () => {
  const weight = leaf(1, 2);
  const ema = new ExponentialMovingAverage([weight], { decay: 0.5 });
  weight.assign(tensor([3, 4]));
  ema.update();
  ema.swap();
  expect(await weight.data()).toEqual(Float32Array.of(2, 3));
  ema.swap();
  expect(await weight.data()).toEqual(Float32Array.of(3, 4));
  const other = leaf(0, 0);
  ema.copyTo([other]);
  const saved = await ema.stateDict();
  expect(saved).toEqual({ updates: 1, averages: [{ shape: [2], data: Float32Array.of(2, 3) }] });
  const again = new ExponentialMovingAverage([leaf(0, 0)], { decay: 0.5 });
  again.loadStateDict(saved);
  expect(await again.stateDict()).toEqual(saved);
  ema.update(); // Does not reach what was copied.
  expect(await other.data()).toEqual(Float32Array.of(2, 3));
  ema.copyTo();
  expect(await weight.data()).toEqual(Float32Array.of(2.5, 3.5));
  expect(() => ema.copyTo([])).toThrow(/expected 1 parameters, found 0/);
  expect(() => new ExponentialMovingAverage([leaf(1)]).loadStateDict(saved)).toThrow(ShapeError);
  expect(() => new ExponentialMovingAverage([leaf(1)], { decay: 2 })).toThrow(OptionError);
});

test("weights that a compiled step trains are averaged in the same plan, and swapped between its runs", async () => {
  const weight = leaf(0);
  const optimizer = new SGD([weight], { lr: 1 });
  const ema = new ExponentialMovingAverage([weight], { decay: 0.5 });
  const step = compile(() => {
    weight.mul(1).sum().backward();
    optimizer.step();
    ema.update();
    return [];
  });
  await step();
  await step();
  expect(await weight.item()).toBe(-2);
  ema.swap();
  expect(await weight.item()).toBe(-1.25);
  ema.swap();
  await step();
  expect(await weight.item()).toBe(-3);
  expect(await ema.averages()[0]?.item()).toBe(-2.125);
});

/** What PyTorch's scaler does, on the host: gradient, or infinity where one overflows. */
function hostScaler(overflows: readonly boolean[], interval: number): { scales: number[]; steps: number } {
  let [scale, tracker, steps] = [8, 0, 0];
  const scales = overflows.map((overflow) => {
    if (overflow) [scale, tracker] = [scale / 4, 0];
    else {
      steps += 1;
      tracker += 1;
      if (tracker === interval) [scale, tracker] = [scale * 2, 0];
    }
    return scale;
  });
  return { scales, steps };
}

for (const isCompiled of [false, true]) {
  test(`steps whose gradients overflow are left out and the scale follows, ${isCompiled ? "compiled" : "eagerly"}`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom("fine", "infinite", "nan"), { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: 3 }),
        async (kinds, growthInterval) => {
          const [a, b] = [leaf(0), leaf(0, 0)];
          const optimizer = new AdamW([a, b], { lr: 1, weightDecay: 0, betas: [0, 0.5] });
          const scaler = new GradScaler({ initScale: 8, growthFactor: 2, backoffFactor: 0.25, growthInterval });
          const body = (x: Tensor): void => {
            optimizer.zeroGrad();
            scaler.scale(a.mul(x).sum().add(b.sum())).backward();
            scaler.step(optimizer);
            scaler.update();
          };
          const step = compile(({ x }: Inputs<"x">) => (body(x), []));
          const { scales, steps } = hostScaler(kinds.map((kind) => kind !== "fine"), growthInterval); // prettier-ignore
          for (const [i, kind] of kinds.entries()) {
            const value = kind === "fine" ? 1 : kind === "nan" ? Number.NaN : Number.POSITIVE_INFINITY;
            const x = { shape: [1], data: Float32Array.of(value) };
            if (isCompiled) await step({ x });
            else body(tensor(x));
            expect(await scaler.getScale()).toBe(scales[i]);
          }
          // Equal gradients: Adam moves by lr a step.
          for (const value of [await a.item(), ...(await b.data())]) expect(value).toBeCloseTo(-steps, 4);
          const state = await optimizer.stateDict();
          expect(state.state[0]?.["step"]?.data).toEqual(Float32Array.of(steps));
        },
      ),
      { numRuns: 12, seed: 9 },
    );
  });
}

test("unscaled gradients can be clipped before the step, once for each optimizer", async () => {
  const [a, b] = [leaf(0), leaf(0)];
  const [one, two] = [new SGD([a], { lr: 1 }), new SGD([b], { lr: 1 })];
  const scaler = new GradScaler({ initScale: 1024 });
  scaler.scale(a.mul(3).add(b.mul(Number.POSITIVE_INFINITY)).sum()).backward();
  scaler.unscale(one);
  expect(() => scaler.unscale(one)).toThrow(/expected once/);
  expect(await clipGradNorm([a], 2).item()).toBe(3);
  scaler.step(one);
  scaler.step(two);
  scaler.update();
  expect(await a.item()).toBeCloseTo(-2, 5);
  expect(await b.item()).toBe(0); // Its own gradient overflowed, the other's did not.
  expect(await scaler.getScale()).toBe(512);
  const saved = await scaler.stateDict();
  const again = new GradScaler();
  again.loadStateDict(saved);
  expect(await again.stateDict()).toEqual({ scale: 512, growthTracker: 0 });
});

test("a scaler that is off passes everything on; one without steps, or with odd options, is refused", async () => {
  const weight = leaf(1);
  const optimizer = new SGD([weight], { lr: 1 });
  const off = new GradScaler({ enabled: false });
  off.scale(weight.sum()).backward();
  off.step(optimizer);
  off.update();
  expect([await weight.item(), await off.getScale()]).toEqual([0, 1]);
  expect(() => new GradScaler().update()).toThrow(/a step before it, found none/);
  expect(() => new GradScaler({ growthFactor: 1 })).toThrow(OptionError);
  expect(() => new GradScaler().loadStateDict({ scale: 0, growthTracker: 0 })).toThrow(OptionError);
});

test("what a compiled function that fails had found does not reach the next one", async () => {
  const weight = leaf(1);
  const optimizer = new SGD([weight], { lr: 1 });
  const scaler = new GradScaler({ initScale: 4 });
  let fails = true;
  const step = compile(() => {
    scaler.scale(weight.sum()).backward();
    scaler.unscale(optimizer);
    if (fails) throw new OptionError("stop");
    scaler.step(optimizer);
    scaler.update();
    return [];
  });
  await expect(step()).rejects.toThrow("stop");
  fails = false;
  await step();
  expect(await weight.item()).toBe(0);
});

test.skipIf(webGpuMissing !== undefined)(
  `a step that overflows is left out on WebGPU, whose compilers take numbers to be finite ${webGpuMissing ?? ""}`,
  async () => {
    const runtime = createRuntime(await openNodeWebGpu());
    const [weight, scaler] = withRuntime(runtime, () => [leaf(0), new GradScaler({ initScale: 8 })] as const);
    const optimizer = withRuntime(runtime, () => new AdamW([weight], { lr: 1, weightDecay: 0, betas: [0, 0.5] }));
    const step = compile(
      ({ x }: Inputs<"x">) => {
        scaler.scale(weight.mul(x).sum()).backward();
        scaler.step(optimizer);
        scaler.update();
        return [];
      },
      { runtime },
    );
    for (const value of [1, Number.NaN, 1, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1]) {
      await step({ x: { shape: [1], data: Float32Array.of(value) } });
    }
    expect(await weight.item()).toBeCloseTo(-3, 4);
    expect(await scaler.getScale()).toBe(1);
    runtime.destroy();
  },
);

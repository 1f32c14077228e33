/** Explaining compiled functions: measured on every device, without leaving a trace. */
import { describe, expect, test } from "vitest";
import { OptionError } from "../../../src/base/errors.ts";
import {
  compile,
  explain,
  functional as F,
  manualSeed,
  nn,
  optim,
  Random,
  tensor,
  withRuntime,
} from "../../../src/index.ts";
import type { CompiledFunction, Inputs, Runtime, Tensor } from "../../../src/index.ts";
import { testDevices } from "../compiler/devices.ts";

interface Training {
  readonly step: CompiledFunction<"x" | "y", Tensor>;
  readonly parameters: readonly Tensor[];
}

/** A classifier of four features, trained by SGD with momentum; dropout draws random numbers. */
function trainingOn(runtime: Runtime): Training {
  return withRuntime(runtime, () => {
    const model = nn.withRandom(
      new Random(3),
      () => new nn.Sequential(new nn.Linear(4, 8), new nn.ReLU(), new nn.Dropout(0.5), new nn.Linear(8, 3)),
    );
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
    const step = compile(
      ({ x, y }: Inputs<"x" | "y">) => {
        const loss = F.crossEntropy(model.call(x), y);
        optimizer.zeroGrad();
        loss.backward();
        optimizer.step();
        return loss;
      },
      { runtime },
    );
    return { step, parameters: [...model.parameters()] };
  });
}

const batch = {
  x: { shape: [2, 4], data: Float32Array.of(1, 0, -1, 2, 0, 1, 1, -1) },
  y: { shape: [2], data: Int32Array.of(0, 2) },
};

async function stateOf({ parameters }: Training): Promise<number[][]> {
  return await Promise.all(parameters.map(async (parameter) => [...(await parameter.data())]));
}

for (const device of testDevices) {
  describe.skipIf(device.missing !== undefined)(`${device.name}${device.missing ? ` (${device.missing})` : ""}`, () => {
    test("an explained step has times, and goes on as if nobody had asked", async () => {
      const runtime = await device.open();
      const trained = async (look: (step: Training["step"], loss: Tensor) => Promise<void>): Promise<number[][]> => {
        // Dropout draws from the runtime's generator, which the plan advances.
        manualSeed(5);
        const training = trainingOn(runtime);
        await look(training.step, await training.step(batch));
        for (let i = 0; i < 2; i++) await training.step(batch);
        return await stateOf(training);
      };
      const undisturbed = await trained(async () => {});
      const explained = await trained(async (step, loss) => {
        const [before, { liveBytes }] = [await loss.item(), runtime.memory];
        const { plans } = await explain(step, { runs: 3 });
        for (const { ms } of plans[0]?.kernels ?? []) expect(ms).toBeGreaterThanOrEqual(0);
        expect(await loss.item()).toBe(before);
        expect(runtime.memory.liveBytes).toBe(liveBytes);
      });
      expect(explained).toEqual(undisturbed);
    });

    test("the text of a small step names its kernels, and its sources on demand", async () => {
      const runtime = await device.open();
      const double = compile(({ x }: Inputs<"x">) => x.mul(2).sum(), { runtime });
      await double({ x: { shape: [4], data: Float32Array.of(1, 2, 3, 4) } });
      const explained = await explain(double);
      expect(String(explained)).toMatch(
        /^plan 0: 1 kernel, \d+\.\d+ ms, 16 B read, 4 B written, 8 FLOP, 0 B in between\n/,
      );
      expect(String(explained)).toMatch(/ 1 +20 +8 .* sum \[4\] -> \[1\] of multiply; reshape$/);
      expect(explained.text({ sources: true })).toContain("fn main(");
      expect(String(await explain(double, { runs: 0, sources: true }))).toContain("fn main(");
    });
  });
}

test("a function that has not been called cannot be explained, and runs are whole numbers", async () => {
  const double = compile(({ x }: Inputs<"x">) => x.mul(2));
  await expect(explain(double)).rejects.toThrow(
    "explain: expected a compiled function that has been called, found one without a plan",
  );
  await expect(explain(double, { runs: 1.5 })).rejects.toThrow(OptionError);
  await expect(explain(double, { runs: -1 })).rejects.toThrow("expected a whole number of runs from 0, found -1");
});

test("runs: 0 runs nothing, and shows the times of the last profile", async () => {
  const runtime = await (testDevices[0]?.open() ?? Promise.reject(new OptionError("no device")));
  const double = compile(({ x }: Inputs<"x">) => x.mul(2), { runtime });
  await double({ x: withRuntime(runtime, () => tensor([1, 2])) });
  expect((await explain(double, { runs: 0 })).plans[0]?.kernels[0]?.ms).toBe(null);
  await double.profile(1);
  expect((await explain(double, { runs: 0 })).plans[0]?.kernels[0]?.ms).toBeGreaterThanOrEqual(0);
});

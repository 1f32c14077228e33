/** What the plans of real training steps hold for values between inputs and results, next to the least they could. */
import { beforeEach, expect, test, vi } from "vitest";
import { compile, functional as F, nn, optim, setDefaultRuntime, tensor, type Inputs, type Tensor } from "hearth";
import { Gpt } from "../../../examples/gpt.ts";
import { NullDevice } from "../../../src/compute/device/null/null-device.ts";
import type { Placement, planPlacement } from "../../../src/compute/memory/placement.ts";
import { createRuntime } from "../../../src/compute/runtime/graph-runtime.ts";

const placements = vi.hoisted((): Placement[] => []);

vi.mock("../../../src/compute/memory/placement.ts", async (importOriginal) => {
  const original = await importOriginal<{ planPlacement: typeof planPlacement }>();
  const recording: typeof planPlacement = (...all) => {
    const placement = original.planPlacement(...all);
    placements.push(placement);
    return placement;
  };
  return { ...original, planPlacement: recording };
});

beforeEach(() => {
  placements.length = 0;
  setDefaultRuntime(createRuntime(new NullDevice()));
});

class TextClassifier extends nn.Module {
  readonly lstm = new nn.LSTM(16, 32, { batchFirst: true });
  readonly out = new nn.Linear(32, 4);

  forward(x: Tensor): Tensor {
    const [outputs] = this.lstm.forward(x);
    return this.out.forward(outputs.select(1, -1));
  }
}

function convolutions(): nn.Sequential {
  const [first, second] = [new nn.Conv2d(1, 8, 3, { padding: 1 }), new nn.Conv2d(8, 16, 3, { padding: 1 })];
  return new nn.Sequential(
    ...[first, new nn.ReLU(), new nn.MaxPool2d(2)],
    ...[second, new nn.ReLU(), new nn.MaxPool2d(2)],
    ...[new nn.Flatten(), new nn.Linear(16 * 7 * 7, 10)],
  );
}

interface Case {
  readonly model: () => nn.Module & { forward(x: Tensor): Tensor };
  readonly input: { readonly shape: number[]; readonly data: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> };
  readonly labels: number[];
}

const CASES: Readonly<Record<string, Case>> = {
  GPT: {
    model: () => new Gpt(65, 64),
    input: { shape: [8, 64], data: new Int32Array(8 * 64) },
    labels: [8, 64],
  },
  CNN: {
    model: convolutions,
    input: { shape: [16, 1, 28, 28], data: new Float32Array(16 * 28 * 28) },
    labels: [16],
  },
  LSTM: {
    model: () => new TextClassifier(),
    input: { shape: [8, 20, 16], data: new Float32Array(8 * 20 * 16) },
    labels: [8],
  },
};

for (const [name, { model: make, input, labels }] of Object.entries(CASES)) {
  test(`a training step of a ${name} plans at most 1.05 of the least memory`, async () => {
    const model = make();
    const optimizer = new optim.AdamW(model.parameters(), { lr: 1e-3 });
    const step = compile(({ x, y }: Inputs<"x" | "y">) => {
      const loss = F.crossEntropy(model.call(x), y);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      return loss;
    });
    const y = tensor({ shape: labels, data: new Int32Array(labels.reduce((product, size) => product * size, 1)) });
    await step({ x: tensor(input), y });
    expect(placements.length).toBeGreaterThan(0);
    for (const { blockBytes, boundBytes } of placements) {
      expect(blockBytes.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThanOrEqual(1.05 * boundBytes);
    }
  }, 60_000);
}

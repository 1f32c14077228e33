/** Training steps to be made to fit: a GPT, a convolutional net with norms and dropout, an LSTM, a deep MLP. */
import { crossEntropy } from "../../../../src/compute/tensor/ops/cross-entropy.ts";
import { zeros } from "../../../../src/compute/tensor/create.ts";
import type { Tensor } from "../../../../src/compute/tensor/tensor.ts";
import { ReLU, Tanh } from "../../../../src/model/nn/activations.ts";
import { BatchNorm2d } from "../../../../src/model/nn/batch-norm.ts";
import { Sequential } from "../../../../src/model/nn/containers.ts";
import { Conv2d } from "../../../../src/model/nn/conv.ts";
import { Dropout } from "../../../../src/model/nn/dropout.ts";
import { Linear } from "../../../../src/model/nn/linear.ts";
import type { Module } from "../../../../src/model/nn/module.ts";
import { MaxPool2d } from "../../../../src/model/nn/pool.ts";
import { LSTM } from "../../../../src/model/nn/recurrent.ts";
import { Flatten } from "../../../../src/model/nn/reshaping.ts";
import { Gpt, type GptOptions } from "../../../../examples/gpt.ts";
import type { TracedStep } from "../../tensor/traced-graph.ts";
import { trainingStep } from "./captured-steps.ts";

type Step = () => TracedStep<"x">;

/** Tokens are their own targets: what is learned is of no concern here. */
export function gptStep(batch: number, context: number, options: GptOptions = {}): Step {
  const tokens = (): Tensor => zeros([batch, context], { dtype: "int32" });
  return trainingStep(() => new Gpt(96, context, options), tokens, (model, x) => crossEntropy(model.forward(x), x, { axis: -1 })); // prettier-ignore
}

/** `blocks` of two convolutions at half of the size of those before. */
export function imageStep(batch: number, size: number, blocks: number): Step {
  const layers = (): Sequential => {
    const all: (Module & { forward(x: Tensor): Tensor })[] = [];
    let channels = 3;
    for (let block = 0; block < blocks; block++) {
      const wide = 16 * 2 ** block;
      for (const from of [channels, wide]) all.push(new Conv2d(from, wide, 3, { padding: 1 }), new BatchNorm2d(wide), new ReLU()); // prettier-ignore
      all.push(new MaxPool2d(2));
      channels = wide;
    }
    const features = channels * (size / 2 ** blocks) ** 2;
    return new Sequential(...all, new Flatten(), new Dropout(0.5), new Linear(features, 10));
  };
  return trainingStep(layers, () => zeros([batch, 3, size, size]), (model, x) => model.forward(x).square().mean()); // prettier-ignore
}

export function recurrentStep(batch: number, time: number, width: number): Step {
  const loss = (model: LSTM, x: Tensor): Tensor => model.forward(x).output.square().mean();
  return trainingStep(() => new LSTM(width, width), () => zeros([time, batch, width]), loss); // prettier-ignore
}

export function deepStep(batch: number, width: number, layers: number): Step {
  const model = (): Sequential => new Sequential(...Array.from({ length: layers }, () => [new Linear(width, width), new Tanh()]).flat()); // prettier-ignore
  return trainingStep(model, () => zeros([batch, width]), (all, x) => all.forward(x).square().mean()); // prettier-ignore
}

/** Other ways to train: schedules and averages, recomputation, noise, steps that have no derivative, half precision. */
import {
  checkpoint,
  customFunction,
  functional as F,
  Generator,
  nn,
  noGrad,
  optim,
  randnLike,
  where,
} from "../../../src/index.ts";
import type { Tensor } from "../../../src/index.ts";
import { integers, normals, text } from "../data.ts";
import { training } from "../mutation.ts";
import type { Mutation } from "../mutation.ts";
import { Block, Gpt } from "./stock-gpt.ts";

/** What a large model is trained with. */
export const fullRecipe: Mutation = {
  name: "label smoothing, weight decay for matrices only, clipping, warm-up and cosine, averaged weights",
  make: () => {
    const model = new Gpt(16, () => new Block(16));
    const optimizer = new optim.AdamW(optim.weightDecayGroups(model, 0.1), { lr: 2e-2, betas: [0.9, 0.95] });
    const warmUp = new optim.LinearLR(optimizer, { startFactor: 0.25, totalIters: 3 });
    const cosine = new optim.CosineAnnealingLR(optimizer, { tMax: 7, etaMin: 1e-4 });
    const schedule = new optim.SequentialLR(optimizer, { schedulers: [warmUp, cosine], milestones: [3] });
    const average = new optim.ExponentialMovingAverage(model.parameters(), { decay: 0.8 });
    return training({
      batch: text(37),
      step({ x, y }) {
        optimizer.zeroGrad();
        const loss = F.crossEntropy(model.forward(x), y, { labelSmoothing: 0.1 });
        loss.backward();
        const norm = optim.clipGradNorm(model.parameters(), 1);
        optimizer.step();
        average.update();
        return { loss, norm };
      },
      between: () => schedule.step(),
      after({ x, y }) {
        average.swap();
        return { averaged: noGrad(() => F.crossEntropy(model.forward(x), y)) };
      },
    });
  },
  goals: { loss: 0.8 },
};

/** Matrices by Muon, the rest by AdamW: two optimizers for one model. */
export const twoOptimizers: Mutation = {
  name: "Muon for hidden matrices and AdamW for all else",
  make: () => {
    const model = new Gpt(16, () => new Block(16), 1);
    const hidden = model.blocks.parameters().filter(({ shape }) => shape.length === 2);
    const rest = model.parameters().filter((parameter) => !hidden.includes(parameter));
    const optimizers = [new optim.Muon(hidden, { lr: 2e-2 }), new optim.AdamW(rest, { lr: 1e-2 })];
    return training({
      batch: text(38),
      step({ x, y }) {
        model.zeroGrad();
        const loss = F.crossEntropy(model.forward(x), y);
        loss.backward();
        for (const optimizer of optimizers) optimizer.step();
        return { loss };
      },
    });
  },
  goals: { loss: 0.8 },
};

/** Blocks that are computed again in the backward pass, dropout and all. */
export const recomputed: Mutation = {
  name: "gradient checkpointing around blocks with dropout",
  make: () => {
    const model = new Gpt(16, () => new Block(16));
    const dropout = new nn.Dropout(0.1);
    const optimizer = new optim.AdamW(model.parameters(), { lr: 1e-2 });
    return training({
      batch: text(39),
      step({ x, y }) {
        optimizer.zeroGrad();
        let hidden = model.tokens.forward(x).add(model.places.weight);
        for (const block of model.blocks) hidden = checkpoint((h) => dropout.forward(block.forward(h)), hidden);
        const loss = F.crossEntropy(model.head.forward(model.norm.forward(hidden)), y);
        loss.backward();
        optimizer.step();
        return { loss };
      },
    });
  },
  goals: { loss: 0.8 },
};

/** Dropout of elements and of whole channels, noise on the input from a generator, and evaluation without them. */
export const seededNoise: Mutation = {
  name: "dropout of elements and of channels, noise from a seeded generator, and evaluation without them",
  make: () => {
    const model = new nn.Sequential(
      new nn.Conv1d(3, 8, 3, { padding: 1 }),
      new nn.Dropout1d(0.2),
      new nn.GELU(),
      new nn.Flatten(),
      new nn.Dropout(0.3),
      new nn.Linear(64, 4),
    );
    const optimizer = new optim.Adam(model.parameters(), { lr: 1e-2 });
    const generator = new Generator(8);
    return training({
      batch: { x: normals(40, [6, 3, 8]), y: integers(41, [6], 4) },
      step({ x, y }) {
        model.train();
        optimizer.zeroGrad();
        const noisy = F.dropout(x.add(randnLike(x, { generator }).mul(0.1)), { p: 0.1, generator });
        const loss = F.crossEntropy(model.forward(noisy), y);
        loss.backward();
        optimizer.step();
        return { loss };
      },
      after({ x, y }) {
        model.eval();
        return { evaluated: noGrad(() => F.crossEntropy(model.forward(x), y)) };
      },
    });
  },
  goals: { loss: 0.8 },
};

/** Signs going forward, the identity where |x| <= 1 going backward (Bengio et al., 2013). */
const binarize = customFunction<[Tensor]>({
  name: "binarize",
  forward: ([x]) => where(x.ge(0), 1, -1),
  backward: ({ grad, inputs: [x] }) => [where(x.abs().le(1), grad, 0)],
});

export const straightThrough: Mutation = {
  name: "binary weights and activations by a straight-through estimator",
  make: () => {
    const [first, second] = [new nn.Linear(6, 16), new nn.Linear(16, 3)];
    const optimizer = new optim.Adam([...first.parameters(), ...second.parameters()], { lr: 2e-2 });
    return training({
      batch: { x: normals(42, [8, 6]), y: integers(43, [8], 3) },
      step({ x, y }) {
        optimizer.zeroGrad();
        const gain = first.weight.abs().mean(1);
        const hidden = F.linear(x, binarize(first.weight).mul(gain.unsqueeze(1)), first.bias);
        const loss = F.crossEntropy(second.forward(binarize(hidden)), y);
        loss.backward();
        optimizer.step();
        return { loss };
      },
    });
  },
  goals: { loss: 0.9 },
};

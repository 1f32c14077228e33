/** Models that learn what is alike: shared encoders with losses over pairs, triples and whole batches. */
import { arange, functional as F, nn, optim, tensor } from "../../../src/index.ts";
import type { Tensor } from "../../../src/index.ts";
import { integers, normals } from "../data.ts";
import { training } from "../mutation.ts";
import type { Mutation } from "../mutation.ts";

/** One encoder for all; its weights are directions times lengths, written by hand (Salimans & Kingma, 2016). */
class Encoder extends nn.Module {
  readonly directions: nn.Linear = new nn.Linear(6, 8);
  readonly lengths: nn.Parameter = new nn.Parameter(this.directions.weight.norm(2, 1, { keepDim: true }));
  readonly out: nn.Linear = new nn.Linear(8, 4);

  forward(x: Tensor): Tensor {
    const v = this.directions.weight;
    const weight = v.div(v.norm(2, 1, { keepDim: true })).mul(this.lengths);
    return this.out.forward(F.linear(x, weight, this.directions.bias).tanh());
  }
}

export const siameseTriplets: Mutation = {
  name: "a Siamese encoder with weight normalisation by hand and a triplet loss",
  make: () => {
    const encoder = new Encoder();
    const optimizer = new optim.AdamW(encoder.parameters(), { lr: 2e-2 });
    return training({
      batch: { anchor: normals(25, [6, 6]), positive: normals(26, [6, 6]), negative: normals(27, [6, 6]) },
      step({ anchor, positive, negative }) {
        optimizer.zeroGrad();
        const near = anchor.add(positive.mul(0.3));
        const [a, p, n] = [anchor, near, negative].map((x) => encoder.forward(x)) as [Tensor, Tensor, Tensor];
        const loss = F.tripletMarginLoss(a, p, n, { margin: 1 });
        loss.backward();
        optimizer.step();
        return { loss };
      },
    });
  },
  goals: { loss: 0.8 },
};

export const siamesePairs: Mutation = {
  name: "a Siamese encoder with the contrastive loss, and cosine similarity beside it",
  make: () => {
    const encoder = new Encoder();
    const optimizer = new optim.SGD(encoder.parameters(), { lr: 0.1 });
    return training({
      batch: { left: normals(28, [8, 6]), right: normals(29, [8, 6]), same: integers(30, [8], 2) },
      step({ left, right, same }) {
        optimizer.zeroGrad();
        const [a, b] = [encoder.forward(left), encoder.forward(right)];
        const distance = F.pairwiseDistance(a, b);
        const apart = F.relu(distance.neg().add(1)).square();
        const loss = same.mul(distance.square()).add(same.neg().add(1).mul(apart)).mean();
        const alike = F.cosineSimilarity(a, b).mean();
        loss.add(alike.square().mul(0.1)).backward();
        optimizer.step();
        return { loss, alike };
      },
    });
  },
  goals: { loss: 0.9 },
};

/** Two encoders, a temperature that is learned, and each picture's text among all (Radford et al., "CLIP", 2021). */
export const clip: Mutation = {
  name: "CLIP: two encoders, a learned temperature, a loss from logSumExp and the diagonal",
  make: () => {
    const [pictures, texts] = [new nn.Linear(6, 5), new nn.Linear(7, 5, { bias: false })];
    const temperature = new nn.Parameter(tensor(Math.log(10)));
    const parameters = [...pictures.parameters(), ...texts.parameters(), temperature];
    const optimizer = new optim.AdamW(parameters, { lr: 2e-2, weightDecay: 0.2 });
    return training({
      batch: { picture: normals(31, [6, 6]), text: normals(32, [6, 7]) },
      step({ picture, text }) {
        optimizer.zeroGrad();
        const left = F.normalize(pictures.forward(picture), 2, -1);
        const right = F.normalize(texts.forward(text), 2, -1);
        const logits = left.matmul(right.t()).mul(temperature.exp());
        const byPicture = logits.logSumExp(1).sub(logits.diagonal()).mean();
        const byText = F.crossEntropy(logits.t(), arange(6, { dtype: "int32" }));
        const loss = byPicture.add(byText).div(2);
        loss.backward();
        optimizer.step();
        return { loss, temperature: temperature.exp() };
      },
    });
  },
  goals: { loss: 0.8 },
};

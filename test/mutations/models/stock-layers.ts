/** Edits around the library's own transformer layers: another activation, padding, latents that read a sequence. */
import { arange, cat, functional as F, nn, optim, randn } from "../../../src/index.ts";
import type { Tensor } from "../../../src/index.ts";
import { indices, integers, normals } from "../data.ts";
import { training } from "../mutation.ts";
import type { Mutation } from "../mutation.ts";

/** A class token before the sequence, and texts of several lengths. */
class Classifier extends nn.Module {
  readonly tokens: nn.Embedding = new nn.Embedding(11, 12);
  readonly first: nn.Parameter = new nn.Parameter(randn([1, 1, 12]).mul(0.02));
  readonly encoder: nn.TransformerEncoder = new nn.TransformerEncoder(
    new nn.TransformerEncoderLayer(12, 3, {
      dimFeedforward: 20,
      dropout: 0,
      activation: (x) => x.relu().square(),
      batchFirst: true,
      normFirst: true,
    }),
    2,
  );
  readonly head: nn.Linear = new nn.Linear(12, 4);

  /** Tokens [B, T] and lengths [B] -> logits [B, 4]. */
  forward(tokens: Tensor, lengths: Tensor): Tensor {
    const [batch = 0, time = 0] = tokens.shape;
    const x = cat([this.first.expand(batch, 1, 12), this.tokens.forward(tokens)], 1);
    const srcKeyPaddingMask = arange(time + 1).gt(lengths.unsqueeze(1));
    return this.head.forward(this.encoder.forward(x, { srcKeyPaddingMask }).select(1, 0));
  }
}

export const paddedClassifier: Mutation = {
  name: "an encoder with an activation of one's own, a class token, and padding that nobody attends to",
  make: () => {
    const model = new Classifier();
    const optimizer = new optim.AdamW(model.parameters(), { lr: 5e-3 });
    return training({
      batch: { tokens: integers(48, [4, 7], 11), lengths: indices([7, 3, 5, 1]), labels: integers(49, [4], 4) },
      step({ tokens, lengths, labels }) {
        optimizer.zeroGrad();
        const loss = F.crossEntropy(model.forward(tokens, lengths), labels);
        loss.backward();
        optimizer.step();
        return { loss };
      },
    });
  },
  goals: { loss: 0.8 },
};

/** Three latents read a sequence and each other (Jaegle et al., "Perceiver", 2021); one layer, applied twice. */
class Perceiver extends nn.Module {
  readonly latents: nn.Parameter = new nn.Parameter(randn([3, 10]));
  readonly read: nn.MultiheadAttention = new nn.MultiheadAttention(10, 2, { kdim: 6, vdim: 6, batchFirst: true });
  readonly think: nn.TransformerEncoderLayer = new nn.TransformerEncoderLayer(10, 2, {
    dimFeedforward: 16,
    dropout: 0,
    activation: "gelu",
    batchFirst: true,
  });
  readonly out: nn.Bilinear = new nn.Bilinear(10, 10, 2);

  /** [B, T, 6] -> [B, 2] */
  forward(x: Tensor): Tensor {
    const [batch = 0] = x.shape;
    let z = this.latents.unsqueeze(0).expand(batch, -1, -1);
    for (let pass = 0; pass < 2; pass++) z = this.think.forward(z.add(this.read.forward(z, x, x).output));
    return this.out.forward(z.select(1, 0), z.narrow(1, 1, 2).mean(1));
  }
}

export const perceiver: Mutation = {
  name: "latents that read a sequence of another width by cross-attention, twice with the same weights",
  make: () => {
    const model = new Perceiver();
    const optimizer = new optim.Lion(model.parameters(), { lr: 3e-3, weightDecay: 0.1 });
    return training({
      batch: { x: normals(50, [4, 8, 6]), y: normals(51, [4, 2]) },
      step({ x, y }) {
        optimizer.zeroGrad();
        const loss = F.mseLoss(model.forward(x), y);
        loss.backward();
        optim.clipGradValue(model.parameters(), 0.5);
        optimizer.step();
        return { loss };
      },
    });
  },
  goals: { loss: 0.8 },
};

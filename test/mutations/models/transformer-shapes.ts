/** Transformers with other shapes and other wiring: odd head sizes, shared weights, blocks that run side by side. */
import { functional as F, nn, ones } from "../../../src/index.ts";
import type { Tensor } from "../../../src/index.ts";
import type { Mutation } from "../mutation.ts";
import { Block, Gpt, Mlp, trainOnText, VOCABULARY } from "./stock-gpt.ts";

/** Every block sees the embeddings again, as much of them as it learns to want. */
class ResidualGpt extends Gpt {
  readonly gains: nn.ParameterList = new nn.ParameterList(
    Array.from({ length: this.blocks.length }, () => new nn.Parameter(ones([30]).mul(0.1))),
  );

  override forward(tokens: Tensor): Tensor {
    const embedded = this.tokens.forward(tokens).add(this.places.weight);
    let x = embedded;
    let before = embedded;
    [...this.blocks].forEach((block, i) => {
      const next = block.forward(x.add(embedded.mul(this.gains.at(i))));
      [before, x] = [x, next.add(before)];
    });
    return this.head.forward(this.norm.forward(x));
  }
}

export const oddHeads: Mutation = {
  name: "a width of 30 in 3 heads of 10, a residual around two blocks and one from the embeddings",
  make: () =>
    trainOnText(
      new ResidualGpt(30, () => new Block(30, { attention: new nn.CausalSelfAttention(30, { heads: 3 }) }), 3),
    ),
  goals: { loss: 0.7 },
};

/** One matrix embeds tokens and tells them apart at the end. */
class TiedGpt extends Gpt {
  constructor(width: number) {
    super(width, () => new Block(width));
    this.head.weight = this.tokens.weight;
  }
}

export const tiedWeights: Mutation = {
  name: "embedding and head of one matrix",
  make: () => trainOnText(new TiedGpt(16), 0.05),
  goals: { loss: 0.7 },
};

/** ALBERT: small embeddings that one Linear widens, and one block for all layers (Lan et al., 2020). */
class Albert extends nn.Module {
  readonly tokens: nn.Embedding = new nn.Embedding(VOCABULARY, 6);
  readonly widen: nn.Linear = new nn.Linear(6, 16, { bias: false });
  readonly block: Block = new Block(16);
  readonly head: nn.Linear = new nn.Linear(16, VOCABULARY);

  forward(tokens: Tensor): Tensor {
    let x = this.widen.forward(this.tokens.forward(tokens));
    for (let layer = 0; layer < 3; layer++) x = this.block.forward(x);
    return this.head.forward(x);
  }
}

export const sharedBlock: Mutation = {
  name: "one block for all three layers, factorised embeddings",
  make: () => trainOnText(new Albert(), 0.1),
  goals: { loss: 0.9 },
};

/** Attention and MLP beside each other under one norm, as in GPT-J. */
class ParallelBlock extends nn.Module {
  readonly norm: nn.LayerNorm = new nn.LayerNorm(16);
  readonly attention: nn.CausalSelfAttention = new nn.CausalSelfAttention(16, { heads: 2, bias: false });
  readonly mlp: Mlp = new Mlp(16);

  forward(x: Tensor): Tensor {
    const normed = this.norm.forward(x);
    return x.add(this.attention.forward(normed)).add(this.mlp.forward(normed));
  }
}

export const parallelBlock: Mutation = {
  name: "attention and MLP in parallel",
  make: () => trainOnText(new Gpt(16, () => new ParallelBlock())),
  goals: { loss: 0.7 },
};

/** LayerNorm before, RMSNorm after each part, and a scale for each branch (CaiT's LayerScale). */
class SandwichBlock extends nn.Module {
  readonly before: nn.LayerNorm = new nn.LayerNorm(16, { bias: false });
  readonly attention: nn.CausalSelfAttention = new nn.CausalSelfAttention(16, { heads: 4 });
  readonly after: nn.RMSNorm = new nn.RMSNorm(16);
  readonly mlp: Mlp = new Mlp(16);
  readonly scale: nn.Parameter = new nn.Parameter(ones([16]).mul(0.5));

  forward(x: Tensor): Tensor {
    const attended = x.add(this.after.forward(this.attention.forward(this.before.forward(x))).mul(this.scale));
    return F.rmsNorm(attended.add(this.mlp.forward(this.before.forward(attended))), [16]);
  }
}

export const twoNorms: Mutation = {
  name: "LayerNorm before and RMSNorm after, one of them shared by both branches",
  make: () => trainOnText(new Gpt(16, () => new SandwichBlock())),
  goals: { loss: 0.7 },
};

/** What the transformers here are edits of: a small GPT whose block is given, and the parts that edits leave alone. */
import { functional as F, nn, optim } from "../../../src/index.ts";
import type { Tensor } from "../../../src/index.ts";
import { text } from "../data.ts";
import { training } from "../mutation.ts";
import type { Training } from "../mutation.ts";

export const VOCABULARY = 11;
export const TIME = 8;

/** Token and place embeddings, blocks, a norm and a head: tokens [B, T] -> logits [B, T, V]. */
export class Gpt extends nn.Module {
  readonly tokens: nn.Embedding;
  readonly places: nn.Embedding;
  readonly blocks: nn.ModuleList;
  readonly norm: nn.LayerNorm;
  readonly head: nn.Linear;

  constructor(width: number, block: () => nn.Layer, layers = 2) {
    super();
    this.tokens = new nn.Embedding(VOCABULARY, width);
    this.places = new nn.Embedding(TIME, width);
    this.blocks = new nn.ModuleList(Array.from({ length: layers }, block));
    this.norm = new nn.LayerNorm(width);
    this.head = new nn.Linear(width, VOCABULARY, { bias: false });
  }

  forward(tokens: Tensor): Tensor {
    let x = this.tokens.forward(tokens).add(this.places.weight);
    for (const block of this.blocks) x = block.forward(x);
    return this.head.forward(this.norm.forward(x));
  }
}

/** Linear, GELU, Linear. */
export class Mlp extends nn.Module {
  readonly up: nn.Linear;
  readonly down: nn.Linear;

  constructor(width: number) {
    super();
    this.up = new nn.Linear(width, 2 * width);
    this.down = new nn.Linear(2 * width, width);
  }

  forward(x: Tensor): Tensor {
    return this.down.forward(F.gelu(this.up.forward(x)));
  }
}

/** The pre-norm block; edits put other parts into it. */
export class Block extends nn.Module {
  readonly norm1: nn.LayerNorm;
  readonly attention: nn.Layer;
  readonly norm2: nn.LayerNorm;
  readonly mlp: nn.Layer;

  constructor(width: number, { attention, mlp }: { attention?: nn.Layer; mlp?: nn.Layer } = {}) {
    super();
    this.norm1 = new nn.LayerNorm(width);
    this.attention = attention ?? new nn.CausalSelfAttention(width, { heads: 2 });
    this.norm2 = new nn.LayerNorm(width);
    this.mlp = mlp ?? new Mlp(width);
  }

  forward(x: Tensor): Tensor {
    const attended = x.add(this.attention.forward(this.norm1.forward(x)));
    return attended.add(this.mlp.forward(this.norm2.forward(attended)));
  }
}

/** [B, T, H * D] -> [B, H, T, D] */
export function splitHeads(x: Tensor, heads: number): Tensor {
  const [batch = 0, time = 0] = x.shape;
  return x.reshape([batch, time, heads, -1]).transpose(1, 2);
}

/** [B, H, T, D] -> [B, T, H * D] */
export function joinHeads(x: Tensor): Tensor {
  return x.transpose(1, 2).flatten(2);
}

/** Next tokens of one batch of text, by gradient descent with momentum. */
export function trainOnText(model: nn.Layer, lr = 0.3): Training {
  const optimizer = new optim.SGD(model.parameters(), { lr, momentum: 0.9 });
  return training({
    batch: text(1, { batch: 4, time: TIME, vocabulary: VOCABULARY }),
    step({ x, y }) {
      optimizer.zeroGrad();
      const loss = F.crossEntropy(model.forward(x), y);
      loss.backward();
      optimizer.step();
      return { loss };
    },
  });
}

/** GPT-2's shape, small: token and position embeddings, blocks, a norm and a head. */
import { functional as F, nn, type Tensor } from "hearth";

class Block extends nn.Module {
  readonly ln1: nn.LayerNorm;
  readonly attention: nn.CausalSelfAttention;
  readonly ln2: nn.LayerNorm;
  readonly fc: nn.Linear;
  readonly out: nn.Linear;

  constructor(width: number, heads: number) {
    super();
    this.ln1 = new nn.LayerNorm(width);
    this.attention = new nn.CausalSelfAttention(width, { heads });
    this.ln2 = new nn.LayerNorm(width);
    this.fc = new nn.Linear(width, 4 * width);
    this.out = new nn.Linear(4 * width, width);
  }

  forward(x: Tensor): Tensor {
    const attended = x.add(this.attention.forward(this.ln1.forward(x)));
    return attended.add(this.out.forward(F.gelu(this.fc.forward(this.ln2.forward(attended)), { approximate: "tanh" })));
  }
}

export interface GptOptions {
  readonly width?: number;
  readonly heads?: number;
  readonly layers?: number;
}

export class Gpt extends nn.Module {
  readonly wte: nn.Embedding;
  readonly wpe: nn.Embedding;
  readonly blocks: nn.ModuleList<Block>;
  readonly lnf: nn.LayerNorm;
  readonly head: nn.Linear;

  constructor(vocabulary: number, context: number, { width = 64, heads = 4, layers = 2 }: GptOptions = {}) {
    super();
    this.wte = new nn.Embedding(vocabulary, width);
    this.wpe = new nn.Embedding(context, width);
    this.blocks = new nn.ModuleList(Array.from({ length: layers }, () => new Block(width, heads)));
    this.lnf = new nn.LayerNorm(width);
    this.head = new nn.Linear(width, vocabulary, { bias: false });
  }

  /** Tokens [batch, time] -> logits [batch, time, vocabulary]. */
  forward(tokens: Tensor): Tensor {
    const time = tokens.shape[1] ?? 0;
    let x = this.wte.forward(tokens).add(this.wpe.weight.narrow(0, 0, time));
    for (const block of this.blocks) x = block.forward(x);
    return this.head.forward(this.lnf.forward(x));
  }
}

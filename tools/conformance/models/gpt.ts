/** The GPT of the fixtures, with PyTorch's names for its parameters. */
import { present } from "../../../src/base/assert.ts";
import { UnsupportedError } from "../../../src/base/errors.ts";
import { arange } from "../../../src/compute/tensor/create-ranges.ts";
import { scaledDotProductAttention } from "../../../src/compute/tensor/ops/scaled-dot-product-attention.ts";
import type { Tensor } from "../../../src/compute/tensor/tensor.ts";
import { ModuleList } from "../../../src/model/nn/containers.ts";
import { Embedding } from "../../../src/model/nn/embedding.ts";
import { LayerNorm } from "../../../src/model/nn/layer-norm.ts";
import { Linear } from "../../../src/model/nn/linear.ts";
import { Module } from "../../../src/model/nn/module.ts";

/** V vocabulary, T context, C width, L layers, H heads; `parallel`: attention and feed-forward read the same x. */
export interface GptShape {
  readonly V: number;
  readonly T: number;
  readonly C: number;
  readonly L: number;
  readonly H: number;
  readonly act: "gelu" | "silu" | "relu2";
  readonly tied: boolean;
  readonly parallel: boolean;
}

class Block extends Module {
  readonly ln1: LayerNorm;
  readonly ln2: LayerNorm;
  readonly qkv: Linear;
  readonly proj: Linear;
  readonly fc: Linear;
  readonly out: Linear;
  readonly shape: GptShape;

  constructor(shape: GptShape) {
    super();
    const { C } = shape;
    this.ln1 = new LayerNorm(C);
    this.ln2 = new LayerNorm(C);
    this.qkv = new Linear(C, 3 * C);
    this.proj = new Linear(C, C);
    this.fc = new Linear(C, 4 * C);
    this.out = new Linear(4 * C, C);
    this.shape = shape;
  }

  forward(x: Tensor): Tensor {
    if (this.shape.parallel) return x.add(this.attend(x)).add(this.feed(x));
    const y = x.add(this.attend(x));
    return y.add(this.feed(y));
  }

  private attend(x: Tensor): Tensor {
    const [B = 0, T = 0, C = 0] = x.shape;
    const { H } = this.shape;
    const heads = this.qkv.forward(this.ln1.forward(x)).split(C, -1).map((part) => part.reshape([B, T, H, C / H]).transpose(1, 2)); // prettier-ignore
    const [q, k, v] = heads.map((head) => present(head, "a third of qkv"));
    const y = scaledDotProductAttention(present(q, "q"), present(k, "k"), present(v, "v"), { causal: true });
    return this.proj.forward(y.transpose(1, 2).reshape([B, T, C]));
  }

  private feed(x: Tensor): Tensor {
    const hidden = this.fc.forward(this.ln2.forward(x));
    return this.out.forward(activated(hidden, this.shape.act));
  }
}

function activated(x: Tensor, act: GptShape["act"]): Tensor {
  switch (act) {
    case "gelu":
      return x.gelu({ approximate: "tanh" });
    case "silu":
      return x.silu();
    case "relu2":
      return x.relu().square();
    default:
      act satisfies never;
      throw new UnsupportedError(`hearth has no activation ${String(act)} yet`);
  }
}

export class Gpt extends Module {
  readonly wte: Embedding;
  readonly wpe: Embedding;
  readonly blocks: ModuleList<Block>;
  readonly lnf: LayerNorm;
  readonly head: Linear;

  constructor(shape: GptShape) {
    super();
    this.wte = new Embedding(shape.V, shape.C);
    this.wpe = new Embedding(shape.T, shape.C);
    this.blocks = new ModuleList(Array.from({ length: shape.L }, () => new Block(shape)));
    this.lnf = new LayerNorm(shape.C);
    this.head = new Linear(shape.C, shape.V, { bias: false });
    if (shape.tied) this.head.weight = this.wte.weight;
  }

  forward(tokens: Tensor): Tensor {
    let x = this.wte.forward(tokens).add(this.wpe.forward(arange(tokens.shape[1] ?? 0)));
    for (const block of this.blocks) x = block.forward(x);
    return this.head.forward(this.lnf.forward(x));
  }
}

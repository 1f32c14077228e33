/** Transformers whose attention sees less, or shares more: windows, blocks of places, grouped heads, rotated pairs. */
import { arange, cat, functional as F, nn, ones, where } from "../../../src/index.ts";
import type { Tensor } from "../../../src/index.ts";
import type { Mutation } from "../mutation.ts";
import { Block, Gpt, joinHeads, splitHeads, TIME, trainOnText } from "./stock-gpt.ts";

/** Attention written out, with scores that a function changes before the softmax. */
class OpenAttention extends nn.Module {
  readonly qkv: nn.Linear = new nn.Linear(16, 48);
  readonly proj: nn.Linear = new nn.Linear(16, 16);
  readonly #change: (scores: Tensor) => Tensor;

  constructor(change: (scores: Tensor) => Tensor) {
    super();
    this.#change = change;
  }

  forward(x: Tensor): Tensor {
    const [q, k, v] = this.qkv.forward(x).split(16, -1).map((part) => splitHeads(part, 2)) as [Tensor, Tensor, Tensor]; // prettier-ignore
    const scores = q.matmul(k.transpose(-2, -1)).div(Math.sqrt(8));
    return this.proj.forward(joinHeads(this.#change(scores).softmax(-1).matmul(v)));
  }
}

/** A place and the two before it. Minus infinity is what everybody writes. */
function slidingWindow(scores: Tensor): Tensor {
  const visible = ones([TIME, TIME]).tril().triu(-2);
  return scores.maskedFill(visible.eq(0), Number.NEGATIVE_INFINITY);
}

export const windowedAttention: Mutation = {
  name: "a sliding window of three places, masked with minus infinity",
  make: () => trainOnText(new Gpt(16, () => new Block(16, { attention: new OpenAttention(slidingWindow) }))),
  goals: { loss: 0.7 },
};

/** Linear biases in place of learned places: ALiBi (Press et al., 2022). */
function alibi(scores: Tensor): Tensor {
  const distance = arange(TIME).unsqueeze(1).sub(arange(TIME));
  const slopes = arange(1, 3).neg().mul(4).exp2().reshape(2, 1, 1);
  const hidden = distance.lt(0);
  return where(hidden, -1e9, scores.sub(distance.mul(slopes)));
}

export const linearBiases: Mutation = {
  name: "ALiBi: scores that fall with the distance",
  make: () => trainOnText(new Gpt(16, () => new Block(16, { attention: new OpenAttention(alibi) }))),
  goals: { loss: 0.7 },
};

/** Blocks of two places see themselves, and every fourth place is seen by all after it. */
class BlockSparseAttention extends nn.Module {
  readonly qkv: nn.Linear = new nn.Linear(16, 48);
  readonly proj: nn.Linear = new nn.Linear(16, 16);
  readonly mask: nn.Buffer;

  constructor() {
    super();
    const row = arange(TIME, { dtype: "int32" }).unsqueeze(1);
    const column = arange(TIME, { dtype: "int32" });
    const sameBlock = row.floorDivide(2).eq(column.floorDivide(2));
    const landmark = column.remainder(4).eq(0);
    this.mask = new nn.Buffer(sameBlock.logicalOr(landmark).logicalAnd(column.le(row)), { persistent: false });
  }

  forward(x: Tensor): Tensor {
    const [q, k, v] = this.qkv.forward(x).chunk(3, -1).map((part) => splitHeads(part, 2)) as [Tensor, Tensor, Tensor]; // prettier-ignore
    return this.proj.forward(joinHeads(F.scaledDotProductAttention(q, k, v, { attnMask: this.mask })));
  }
}

export const blockSparseAttention: Mutation = {
  name: "a block-sparse mask of bool, kept as a buffer",
  make: () => trainOnText(new Gpt(16, () => new Block(16, { attention: new BlockSparseAttention() }))),
  goals: { loss: 0.7 },
};

/** Four heads of queries share two of keys and values (Ainslie et al., "GQA", 2023). */
class GroupedQueryAttention extends nn.Module {
  readonly q: nn.Linear = new nn.Linear(16, 16, { bias: false });
  readonly kv: nn.Linear = new nn.Linear(16, 16, { bias: false });
  readonly proj: nn.Linear = new nn.Linear(16, 16, { bias: false });

  forward(x: Tensor): Tensor {
    const [k, v] = this.kv.forward(x).chunk(2, -1) as [Tensor, Tensor];
    const y = F.scaledDotProductAttention(splitHeads(this.q.forward(x), 4), splitHeads(k, 2), splitHeads(v, 2), {
      isCausal: true,
      enableGqa: true,
    });
    return this.proj.forward(joinHeads(y));
  }
}

export const groupedQueries: Mutation = {
  name: "grouped-query attention: four heads of queries, two of keys",
  make: () => trainOnText(new Gpt(16, () => new Block(16, { attention: new GroupedQueryAttention() }))),
  goals: { loss: 0.7 },
};

/** Pairs of features turned by angles that grow with the place (Su et al., "RoFormer", 2021): [.., T, D] -> the same. */
function rotate(x: Tensor): Tensor {
  const [time = 0, size = 0] = x.shape.slice(-2);
  const frequencies = arange(0, size, 2).div(-size).mul(Math.log(100)).exp();
  const angles = arange(time).unsqueeze(1).mul(frequencies);
  const [cos, sin] = [cat([angles.cos(), angles.cos()], -1), cat([angles.sin(), angles.sin()], -1)];
  const [a, b] = x.chunk(2, -1) as [Tensor, Tensor];
  return x.mul(cos).add(cat([b.neg(), a], -1).mul(sin));
}

/** One head of keys and values for all queries, places by rotation. */
class MultiQueryAttention extends nn.Module {
  readonly q: nn.Linear = new nn.Linear(16, 16);
  readonly kv: nn.Linear = new nn.Linear(16, 8);
  readonly proj: nn.Linear = new nn.Linear(16, 16);

  forward(x: Tensor): Tensor {
    const q = rotate(splitHeads(this.q.forward(x), 4));
    const [k, v] = this.kv.forward(x).unsqueeze(1).chunk(2, -1) as [Tensor, Tensor];
    const scores = q.matmul(rotate(k).transpose(-2, -1)).mul(0.5);
    const future = ones([TIME, TIME]).triu(1).cast("bool");
    return this.proj.forward(joinHeads(scores.maskedFill(future, Number.NEGATIVE_INFINITY).softmax(-1).matmul(v)));
  }
}

export const multiQueryRotary: Mutation = {
  name: "multi-query attention with rotary embeddings",
  make: () => trainOnText(new Gpt(16, () => new Block(16, { attention: new MultiQueryAttention() }))),
  goals: { loss: 0.7 },
};

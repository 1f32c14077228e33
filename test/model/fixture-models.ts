/** The models of the fixtures, with PyTorch's names for their parameters. */
import { present } from "../../src/base/assert.ts";
import { arange, zeros } from "../../src/compute/tensor/create.ts";
import { stack } from "../../src/compute/tensor/ops/cat.ts";
import { linear } from "../../src/compute/tensor/ops/linear.ts";
import { maxPool2d } from "../../src/compute/tensor/ops/pool2d.ts";
import { scaledDotProductAttention } from "../../src/compute/tensor/ops/scaled-dot-product-attention.ts";
import type { Tensor } from "../../src/compute/tensor/tensor.ts";
import { ModuleList } from "../../src/model/nn/containers.ts";
import { Conv2d } from "../../src/model/nn/conv2d.ts";
import { Embedding } from "../../src/model/nn/embedding.ts";
import { constantValues } from "../../src/model/nn/init.ts";
import { LayerNorm } from "../../src/model/nn/layer-norm.ts";
import { Linear } from "../../src/model/nn/linear.ts";
import { Module } from "../../src/model/nn/module.ts";
import { Parameter } from "../../src/model/nn/parameter.ts";

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
    const { act } = this.shape;
    const active = act === "gelu" ? hidden.gelu({ approximate: "tanh" }) : act === "silu" ? hidden.silu() : hidden.relu().square(); // prettier-ignore
    return this.out.forward(active);
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

/** conv 1->6 k3 p1, relu, maxpool 2, conv 6->8 k3 s2 p1, relu, flatten, linear 32->10 */
export class Cnn extends Module {
  readonly c1: Conv2d = new Conv2d(1, 6, 3, { padding: 1 });
  readonly c2: Conv2d = new Conv2d(6, 8, 3, { stride: 2, padding: 1 });
  readonly fc: Linear = new Linear(32, 10);

  forward(x: Tensor): Tensor {
    const pooled = maxPool2d(this.c1.forward(x).relu(), { kernelSize: 2 });
    return this.fc.forward(this.c2.forward(pooled).relu().flatten(1));
  }
}

/** One LSTM layer out of ops: PyTorch's names, and its gate order i, f, g, o. */
class LstmLayer extends Module {
  readonly weight_ih_l0: Parameter;
  readonly weight_hh_l0: Parameter;
  readonly bias_ih_l0: Parameter;
  readonly bias_hh_l0: Parameter;
  readonly width: number;

  constructor(inputs: number, width: number) {
    super();
    this.weight_ih_l0 = new Parameter(constantValues([4 * width, inputs], 0));
    this.weight_hh_l0 = new Parameter(constantValues([4 * width, width], 0));
    this.bias_ih_l0 = new Parameter(constantValues([4 * width], 0));
    this.bias_hh_l0 = new Parameter(constantValues([4 * width], 0));
    this.width = width;
  }

  /** [B, T, in] -> [B, T, width] */
  forward(x: Tensor): Tensor {
    const [B = 0, T = 0] = x.shape;
    let h = zeros([B, this.width]);
    let c = zeros([B, this.width]);
    const outputs: Tensor[] = [];
    for (let t = 0; t < T; t++) {
      const fromInput = linear(x.select(1, t), this.weight_ih_l0, this.bias_ih_l0);
      const gates = fromInput.add(linear(h, this.weight_hh_l0, this.bias_hh_l0)).chunk(4, 1);
      const [i, f, g, o] = gates.map((gate, n) => (n === 2 ? gate.tanh() : gate.sigmoid()));
      c = present(f, "f")
        .mul(c)
        .add(present(i, "i").mul(present(g, "g")));
      h = present(o, "o").mul(c.tanh());
      outputs.push(h);
    }
    return stack(outputs, 1);
  }
}

/** embedding 17x8, LSTM 8->12, linear 12->17 */
export class Lstm extends Module {
  readonly emb: Embedding = new Embedding(17, 8);
  readonly lstm: LstmLayer = new LstmLayer(8, 12);
  readonly head: Linear = new Linear(12, 17);

  forward(tokens: Tensor): Tensor {
    return this.head.forward(this.lstm.forward(this.emb.forward(tokens)));
  }
}

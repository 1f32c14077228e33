/** Transformers whose MLP is another: gated, with squared ReLU, of experts. */
import { functional as F, nn } from "../../../src/index.ts";
import type { Tensor } from "../../../src/index.ts";
import type { Mutation } from "../mutation.ts";
import { Block, Gpt, trainOnText } from "./stock-gpt.ts";

/** SwiGLU (Shazeer, "GLU Variants Improve Transformer", 2020), with LLaMA's names. */
class SwiGlu extends nn.Module {
  readonly w1: nn.Linear = new nn.Linear(16, 22, { bias: false });
  readonly w2: nn.Linear = new nn.Linear(22, 16, { bias: false });
  readonly w3: nn.Linear = new nn.Linear(16, 22, { bias: false });

  forward(x: Tensor): Tensor {
    return this.w2.forward(F.silu(this.w1.forward(x)).mul(this.w3.forward(x)));
  }
}

export const swiGlu: Mutation = {
  name: "a SwiGLU in place of the MLP",
  make: () => trainOnText(new Gpt(16, () => new Block(16, { mlp: new SwiGlu() }))),
  goals: { loss: 0.7 },
};

/** GEGLU out of one matrix, whose output is halved. */
class GeGlu extends nn.Module {
  readonly up: nn.Linear = new nn.Linear(16, 44);
  readonly down: nn.Linear = new nn.Linear(22, 16);

  forward(x: Tensor): Tensor {
    const [value, gate] = this.up.forward(x).chunk(2, -1) as [Tensor, Tensor];
    return this.down.forward(value.mul(F.gelu(gate, { approximate: "tanh" })));
  }
}

export const geGlu: Mutation = {
  name: "a GEGLU from one matrix that is cut in two",
  make: () => trainOnText(new Gpt(16, () => new Block(16, { mlp: new GeGlu() }))),
  goals: { loss: 0.7 },
};

/** max(x, 0)^2 (So et al., "Primer", 2021). */
class SquaredRelu extends nn.Module {
  forward(x: Tensor): Tensor {
    return x.relu().pow(2);
  }
}

export const squaredRelu: Mutation = {
  name: "squared ReLU",
  make: () =>
    trainOnText(
      new Gpt(16, () => {
        const mlp = new nn.Sequential(new nn.Linear(16, 32), new SquaredRelu(), new nn.Linear(32, 16));
        return new Block(16, { mlp });
      }),
    ),
  goals: { loss: 0.7 },
};

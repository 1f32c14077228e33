/** Experts of which a gate picks two for each token (Shazeer et al., 2017), with a loss that spreads the load. */
import { functional as F, nn, optim, stack, zeros } from "../../../src/index.ts";
import type { Tensor } from "../../../src/index.ts";
import { text } from "../data.ts";
import { training } from "../mutation.ts";
import type { Mutation } from "../mutation.ts";

const EXPERTS = 4;

class Experts extends nn.Module {
  readonly gate: nn.Linear = new nn.Linear(16, EXPERTS, { bias: false });
  readonly experts: nn.ModuleList = new nn.ModuleList(
    Array.from({ length: EXPERTS }, () => new nn.Sequential(new nn.Linear(16, 8), new nn.ReLU(), new nn.Linear(8, 16))),
  );

  /** Tokens [N, C] -> [N, C], and how unevenly the experts are used: 1 when evenly. */
  forward(x: Tensor): { y: Tensor; load: Tensor } {
    const probabilities = this.gate.forward(x).softmax(-1);
    const { values, indices } = probabilities.topK(2, -1);
    const shares = values.div(values.sum(-1, { keepDim: true }));
    const weights = zeros([...probabilities.shape]).scatter(-1, indices, shares);
    const outputs = stack(
      [...this.experts].map((expert) => expert.forward(x)),
      1,
    );
    const used = F.oneHot(indices, EXPERTS).cast("float32").mean([0, 1]);
    const load = used.mul(probabilities.mean(0)).sum().mul(EXPERTS);
    return { y: weights.unsqueeze(-1).mul(outputs).sum(1), load };
  }
}

class Model extends nn.Module {
  readonly tokens: nn.Embedding = new nn.Embedding(11, 16);
  readonly norm: nn.RMSNorm = new nn.RMSNorm(16);
  readonly experts: Experts = new Experts();
  readonly head: nn.Linear = new nn.Linear(16, 11);

  forward(tokens: Tensor): { logits: Tensor; load: Tensor } {
    const x = this.tokens.forward(tokens);
    const { y, load } = this.experts.forward(this.norm.forward(x).flatten(0, 1));
    return { logits: this.head.forward(x.add(y.viewAs(x))), load };
  }
}

export const mixtureOfExperts: Mutation = {
  name: "a mixture of four experts with top-2 gating and a load loss",
  make: () => {
    const model = new Model();
    const optimizer = new optim.AdamW(model.parameters(), { lr: 2e-2 });
    return training({
      batch: text(2),
      step({ x, y }) {
        optimizer.zeroGrad();
        const { logits, load } = model.forward(x);
        const loss = F.crossEntropy(logits.flatten(0, 1), y.flatten());
        loss.add(load.mul(0.01)).backward();
        optimizer.step();
        return { loss, load };
      },
    });
  },
  goals: { loss: 0.8 },
};

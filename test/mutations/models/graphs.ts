/** Networks over graphs: messages along edges, gathered at one end and summed up at the other. */
import { cat, functional as F, nn, ones, optim, zeros } from "../../../src/index.ts";
import type { Tensor } from "../../../src/index.ts";
import { indices, integers, normals } from "../data.ts";
import { training } from "../mutation.ts";
import type { Mutation } from "../mutation.ts";

const NODES = 7;
const SOURCES = [0, 1, 2, 3, 4, 5, 6, 0, 2, 5, 1];
const TARGETS = [1, 2, 3, 4, 5, 6, 0, 3, 5, 1, 4];

class MessageLayer extends nn.Module {
  readonly message: nn.Sequential = new nn.Sequential(new nn.Linear(16, 8), new nn.ReLU());
  readonly update: nn.Linear = new nn.Linear(16, 8);

  /** Nodes [N, 8] and edges [E] -> [N, 8]: the mean of the messages that arrive. */
  forward(x: Tensor, source: Tensor, target: Tensor): Tensor {
    const messages = this.message.forward(cat([x.indexSelect(0, source), x.indexSelect(0, target)], 1));
    const sums = zeros([NODES, 8]).indexAdd(0, target, messages);
    const degrees = zeros([NODES]).scatterAdd(0, target, ones([SOURCES.length]));
    const means = sums.div(degrees.clamp({ min: 1 }).unsqueeze(1));
    return x.add(this.update.forward(cat([x, means], 1)).tanh());
  }
}

export const messagePassing: Mutation = {
  name: "a graph network: messages by indexSelect, sums by indexAdd, degrees by scatterAdd",
  make: () => {
    const layers = new nn.ModuleList<MessageLayer>([new MessageLayer(), new MessageLayer()]);
    const head = new nn.Linear(8, 3);
    const optimizer = new optim.Adam([...layers.parameters(), ...head.parameters()], { lr: 1e-2 });
    return training({
      batch: {
        nodes: normals(33, [NODES, 8]),
        source: indices(SOURCES),
        target: indices(TARGETS),
        labels: integers(34, [NODES], 3),
      },
      step({ nodes, source, target, labels }) {
        optimizer.zeroGrad();
        let x = nodes;
        for (const layer of layers) x = layer.forward(x, source, target);
        const loss = F.crossEntropy(head.forward(x), labels);
        loss.backward();
        optimizer.step();
        return { loss };
      },
    });
  },
  goals: { loss: 0.8 },
};

/** Attention over the edges that arrive (Velickovic et al., "Graph Attention Networks", 2018). */
export const graphAttention: Mutation = {
  name: "graph attention: a softmax over the edges of each node, by scatterReduce and gather",
  make: () => {
    const project = new nn.Linear(8, 8, { bias: false });
    const score = new nn.Linear(16, 1, { bias: false });
    const head = new nn.Linear(8, 1);
    const model = new nn.ModuleList([project, score, head]);
    const optimizer = new optim.Adagrad(model.parameters(), { lr: 5e-2 });
    return training({
      batch: {
        nodes: normals(35, [NODES, 8]),
        source: indices(SOURCES),
        target: indices(TARGETS),
        wanted: normals(36, [NODES, 1]),
      },
      step({ nodes, source, target, wanted }) {
        optimizer.zeroGrad();
        const x = project.forward(nodes);
        const from = x.indexSelect(0, source);
        const scores = F.leakyRelu(score.forward(cat([from, x.indexSelect(0, target)], 1)).squeeze(1), 0.2);
        const highest = zeros([NODES]).scatterReduce(0, target, scores.detach(), "amax", { includeSelf: false });
        const weights = scores.sub(highest.gather(0, target)).exp();
        const totals = zeros([NODES]).indexAdd(0, target, weights);
        const shares = weights.div(totals.indexSelect(0, target));
        const gathered = zeros([NODES, 8]).indexAdd(0, target, from.mul(shares.unsqueeze(1)));
        const loss = F.mseLoss(head.forward(F.elu(gathered)), wanted);
        loss.backward();
        optimizer.step();
        return { loss };
      },
    });
  },
  goals: { loss: 0.8 },
};

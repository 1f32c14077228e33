/** Recurrent and convolutional networks over sequences. */
import { cat, functional as F, nn, optim, stack, tensor } from "../../../src/index.ts";
import type { Tensor } from "../../../src/index.ts";
import { integers, normals, text } from "../data.ts";
import { training } from "../mutation.ts";
import type { Mutation } from "../mutation.ts";

/** Which outputs matter is asked by the last hidden state (Bahdanau et al., 2015). */
class AttentiveLstm extends nn.Module {
  readonly lstm: nn.LSTM = new nn.LSTM(5, 12, { batchFirst: true });
  readonly keys: nn.Linear = new nn.Linear(12, 8);
  readonly query: nn.Linear = new nn.Linear(12, 8, { bias: false });
  readonly energy: nn.Linear = new nn.Linear(8, 1, { bias: false });
  readonly head: nn.Linear = new nn.Linear(24, 3);

  /** [B, T, 5] -> logits [B, 3]. */
  forward(x: Tensor): Tensor {
    const { output: outputs, hidden } = this.lstm.forward(x);
    const last = hidden.select(0, -1);
    const energies = this.energy.forward(this.keys.forward(outputs).add(this.query.forward(last).unsqueeze(1)).tanh());
    const context = energies.squeeze(-1).softmax(1).unsqueeze(1).matmul(outputs).squeeze(1);
    return this.head.forward(cat([context, last], -1));
  }
}

export const attentiveLstm: Mutation = {
  name: "an LSTM with additive attention over its outputs",
  make: () => {
    const model = new AttentiveLstm();
    const optimizer = new optim.Adam(model.parameters(), { lr: 2e-2 });
    return training({
      batch: { x: normals(9, [4, 6, 5]), y: integers(10, [4], 3) },
      step({ x, y }) {
        optimizer.zeroGrad();
        const loss = F.nllLoss(model.forward(x).logSoftmax(-1), y);
        loss.backward();
        optimizer.step();
        return { loss };
      },
    });
  },
  goals: { loss: 0.8 },
};

/** An encoder reads, a decoder's cell writes; in training it is shown what it should have written. */
class Translator extends nn.Module {
  readonly source: nn.Embedding = new nn.Embedding(11, 8, { paddingIdx: 0 });
  readonly target: nn.Embedding = new nn.Embedding(11, 8);
  readonly encoder: nn.GRU = new nn.GRU(8, 12, { batchFirst: true });
  readonly decoder: nn.GRUCell = new nn.GRUCell(8, 12);
  readonly head: nn.Linear = new nn.Linear(12, 11);

  /** Tokens [B, S] and the target's [B, T] -> logits [B, T, V]. */
  forward(source: Tensor, target: Tensor): Tensor {
    let hidden = this.encoder.forward(this.source.forward(source)).hidden.squeeze(0);
    const logits = this.target
      .forward(target)
      .unbind(1)
      .map((shown) => {
        hidden = this.decoder.forward(shown, hidden);
        return this.head.forward(hidden);
      });
    return stack(logits, 1);
  }
}

export const translator: Mutation = {
  name: "a GRU that translates, with teacher forcing and padding that does not count",
  make: () => {
    const model = new Translator();
    const optimizer = new optim.NAdam(model.parameters(), { lr: 1e-2 });
    const { x, y } = text(11, { time: 4 });
    return training({
      batch: { source: integers(12, [4, 4], 11), shown: x, wanted: y },
      step({ source, shown, wanted }) {
        optimizer.zeroGrad();
        const logits = model.forward(source, shown);
        const loss = F.crossEntropy(logits.reshape(-1, 11), wanted.reshape(-1), { ignoreIndex: 0 });
        loss.backward();
        optimizer.step();
        return { loss };
      },
    });
  },
  goals: { loss: 0.9 },
};

/** Dilated causal convolutions with gates, residuals and skips (van den Oord et al., "WaveNet", 2016). */
class WaveNet extends nn.Module {
  readonly first: nn.Conv1d = new nn.Conv1d(1, 8, 1);
  readonly gates: nn.ModuleList<nn.Conv1d> = new nn.ModuleList(
    [1, 2, 4].map((dilation) => new nn.Conv1d(8, 16, 2, { dilation })),
  );
  readonly mixes: nn.ModuleList<nn.Conv1d> = new nn.ModuleList([1, 2, 4].map(() => new nn.Conv1d(8, 16, 1)));
  readonly out: nn.Conv1d = new nn.Conv1d(8, 1, 1);

  /** [B, 1, T] -> what comes next, [B, 1, T]. */
  forward(wave: Tensor): Tensor {
    let x = this.first.forward(wave);
    const skips = [1, 2, 4].map((dilation, i) => {
      const [value, gate] = this.gates
        .at(i)
        .forward(F.pad(x, [dilation, 0]))
        .chunk(2, 1) as [Tensor, Tensor];
      const [residual, skip] = this.mixes.at(i).forward(value.tanh().mul(gate.sigmoid())).chunk(2, 1) as [Tensor, Tensor]; // prettier-ignore
      x = x.add(residual);
      return skip;
    });
    return this.out.forward(F.elu(skips.reduce((sum, skip) => sum.add(skip))));
  }
}

export const waveNet: Mutation = {
  name: "a WaveNet: dilated causal convolutions with gates and skips",
  make: () => {
    const model = new WaveNet();
    const optimizer = new optim.Adamax(model.parameters(), { lr: 2e-2 });
    return training({
      batch: { wave: normals(13, [4, 1, 12]) },
      step({ wave }) {
        optimizer.zeroGrad();
        const predicted = model.forward(wave.narrow(-1, 0, 11));
        const loss = F.huberLoss(predicted, wave.slice([null, null, [1, null]]));
        loss.backward();
        optimizer.step();
        return { loss };
      },
    });
  },
  goals: { loss: 0.9 },
};

/** Minimal gated unit, written out: weights are plain parameters, the loop is a loop. */
class HandWrittenCell extends nn.Module {
  readonly forget: nn.Parameter = new nn.Parameter(nn.init.orthogonal(tensor({ shape: [8, 12], data: new Float32Array(96) }))); // prettier-ignore
  readonly update: nn.Parameter = new nn.Parameter(nn.init.xavierUniform(tensor({ shape: [8, 12], data: new Float32Array(96) }))); // prettier-ignore
  readonly bias: nn.Parameter = new nn.Parameter(tensor(new Float32Array(8).fill(1)));

  forward(sequence: Tensor): Tensor {
    const [batch = 0] = sequence.shape;
    let hidden = tensor({ shape: [batch, 8], data: new Float32Array(batch * 8) });
    for (const x of sequence.unbind(1)) {
      const gate = F.linear(cat([x, hidden], -1), this.forget, this.bias).sigmoid();
      const candidate = F.linear(cat([x, hidden.mul(gate)], -1), this.update).tanh();
      hidden = hidden.lerp(candidate, gate);
    }
    return hidden;
  }
}

export const handWrittenCell: Mutation = {
  name: "a recurrent cell written out, with weights from the initialisers",
  make: () => {
    const [cell, head] = [new HandWrittenCell(), new nn.Linear(8, 2)];
    const optimizer = new optim.RAdam(new nn.ModuleList<nn.Module>([cell, head]).parameters(), { lr: 5e-2 });
    return training({
      batch: { x: normals(14, [6, 6, 4]), y: normals(15, [6, 2]) },
      step({ x, y }) {
        optimizer.zeroGrad();
        const loss = F.mseLoss(head.forward(cell.forward(x)), y);
        loss.backward();
        optimizer.step();
        return { loss };
      },
    });
  },
  goals: { loss: 0.9 },
};

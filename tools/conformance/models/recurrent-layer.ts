/**
 * LSTM, GRU and RNN out of ops, with PyTorch's parameters (weight_ih_l0, weight_hh_l0, bias_ih_l0_reverse, ...), formulas
 * and orders of gates: i, f, g, o and r, z, n. How many layers and directions there are, the parameters' names say.
 */
import { UnsupportedError } from "../../../src/base/errors.ts";
import { present } from "../../../src/base/assert.ts";
import { zeros } from "../../../src/compute/tensor/create.ts";
import { cat, stack } from "../../../src/compute/tensor/ops/cat.ts";
import { linear } from "../../../src/compute/tensor/ops/linear.ts";
import type { Tensor } from "../../../src/compute/tensor/tensor.ts";
import type { LayerText } from "./parse-layers.ts";
import { Weights } from "./weights.ts";
import type { Shapes } from "./weights.ts";

/** h, and c for an LSTM: [B, width] each. */
type State = readonly Tensor[];

/** The next state from what the input and the last h give, [B, gates * width] each. */
type Cell = (input: Tensor, hidden: Tensor, state: State) => State;

const lstm: Cell = (input, hidden, [, c]) => {
  const [i, f, g, o] = input.add(hidden).chunk(4, 1) as [Tensor, Tensor, Tensor, Tensor];
  const next = f.sigmoid().mul(present(c, "c")).add(i.sigmoid().mul(g.tanh())); // prettier-ignore
  return [o.sigmoid().mul(next.tanh()), next];
};

const gru: Cell = (input, hidden, [h]) => {
  const [ri, zi, ni] = input.chunk(3, 1) as [Tensor, Tensor, Tensor];
  const [rh, zh, nh] = hidden.chunk(3, 1) as [Tensor, Tensor, Tensor];
  const z = zi.add(zh).sigmoid();
  const n = ni.add(ri.add(rh).sigmoid().mul(nh)).tanh(); // prettier-ignore
  return [n.add(z.mul(present(h, "h").sub(n)))];
};

const rnn =
  (isRelu: boolean): Cell =>
  (input, hidden) => {
    const sum = input.add(hidden);
    return [isRelu ? sum.relu() : sum.tanh()];
  };

/** [B, T, in] -> [B, T, width], or twice the width for both directions. @throws UnsupportedError */
export function recurrentLayer(kind: string, { text, options }: LayerText, shapes: Shapes) {
  const cell = kind === "lstm" ? lstm : kind === "gru" ? gru : rnn(options["nonlinearity"] === "relu");
  if ([...shapes.keys()].some((name) => !/^(weight|bias)_[ih]h_l\d+(_reverse)?$/.test(name)) || shapes.size === 0) {
    throw new UnsupportedError(`model: expected weight_ih_l0 and its like for "${text}", found ${[...shapes.keys()].join(", ")}`); // prettier-ignore
  }
  const module = new Weights(shapes);
  const step = (x: Tensor): Tensor => {
    let out = x;
    for (let layer = 0; shapes.has(`weight_ih_l${layer}`); layer++) {
      const ways = ["", "_reverse"].filter((way) => shapes.has(`weight_ih_l${layer}${way}`));
      const input = out;
      out = cat(
        ways.map((way) => unrolled(cell, kind === "lstm" ? 2 : 1, module, `l${layer}${way}`, input)),
        2,
      );
    }
    return out;
  };
  return { module, step };
}

/** The h of every step of one layer in one direction, in the order of time. */
function unrolled(cell: Cell, states: number, module: Weights, name: string, x: Tensor): Tensor {
  const [B = 0, T = 0] = x.shape;
  const fromHidden = present(module.get(`weight_hh_${name}`), "weight_hh");
  const width = fromHidden.shape[1] ?? 0;
  // What the inputs give does not wait for the states: one product for all steps.
  const inputs = linear(x, present(module.get(`weight_ih_${name}`), "weight_ih"), module.get(`bias_ih_${name}`));
  let state: State = Array.from({ length: states }, () => zeros([B, width]));
  const outputs: Tensor[] = [];
  for (let step = 0; step < T; step++) {
    const t = name.endsWith("_reverse") ? T - 1 - step : step;
    const [h] = state;
    state = cell(inputs.select(1, t), linear(present(h, "h"), fromHidden, module.get(`bias_hh_${name}`)), state);
    outputs[t] = present(state[0], "h");
  }
  return stack(outputs, 1);
}

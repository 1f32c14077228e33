/** The LSTM of the fixtures, out of ops. */
import { present } from "../../../src/base/assert.ts";
import { zeros } from "../../../src/compute/tensor/create.ts";
import { stack } from "../../../src/compute/tensor/ops/cat.ts";
import { linear } from "../../../src/compute/tensor/ops/linear.ts";
import type { Tensor } from "../../../src/compute/tensor/tensor.ts";
import { constantValues } from "../../../src/model/nn/init.ts";
import { Module } from "../../../src/model/nn/module.ts";
import { Parameter } from "../../../src/model/nn/parameter.ts";

/** One LSTM layer out of ops: PyTorch's names, and its gate order i, f, g, o. */
export class LstmLayer extends Module {
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

import type { Tensor } from "../../compute/tensor/tensor.ts";
import { Linear } from "./linear.ts";
import { Module } from "./module.ts";

/** Options of `Mlp`. */
export interface MlpOptions {
  /** Four times the width by default. */
  readonly hidden?: number;
}

/** out(gelu(fc(x))), the feed-forward part of a transformer block: [.., C] -> [.., C]. */
export class Mlp extends Module {
  readonly fc: Linear;
  readonly out: Linear;

  constructor(width: number, { hidden = 4 * width }: MlpOptions = {}) {
    super();
    this.fc = new Linear(width, hidden);
    this.out = new Linear(hidden, width);
  }

  forward(x: Tensor): Tensor {
    return this.out.call(this.fc.call(x).gelu({ approximate: "tanh" }));
  }
}

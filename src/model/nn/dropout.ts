import { Generator } from "../../compute/tensor/generator.ts";
import { dropout } from "../../compute/tensor/ops/dropout.ts";
import type { Tensor } from "../../compute/tensor/tensor.ts";
import { nextRandom } from "./init.ts";
import { Module } from "./module.ts";

/** While training, zeroes elements with probability p and scales the others by 1 / (1 - p). */
export class Dropout extends Module {
  readonly p: number;
  readonly generator: Generator;

  constructor(p = 0.5) {
    super();
    this.p = p;
    this.generator = new Generator(nextRandom());
  }

  forward(x: Tensor): Tensor {
    return dropout(x, { p: this.p, training: this.training, generator: this.generator });
  }
}

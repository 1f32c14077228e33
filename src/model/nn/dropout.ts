import { OptionError } from "../../base/errors.ts";
import { Generator } from "../../compute/tensor/generator.ts";
import { dropout } from "../../compute/tensor/ops/dropout.ts";
import type { Tensor } from "../../compute/tensor/tensor.ts";
import { nextRandom } from "./init.ts";
import { Module } from "./module.ts";

/** While training, zeroes elements with probability p (0.5) and scales the others by 1 / (1 - p): [..] -> the same shape. */
export class Dropout extends Module {
  readonly p: number;
  readonly generator: Generator;

  constructor(p = 0.5) {
    super();
    if (!(p >= 0 && p <= 1)) throw new OptionError(`Dropout: expected p from 0 to 1, found ${p}`);
    this.p = p;
    this.generator = new Generator(nextRandom());
  }

  forward(x: Tensor): Tensor {
    return dropout(x, { p: this.p, training: this.training, generator: this.generator });
  }
}

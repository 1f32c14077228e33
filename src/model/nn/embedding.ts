import { embedding } from "../../compute/tensor/ops/gather.ts";
import type { Tensor } from "../../compute/tensor/tensor.ts";
import { normalValues } from "./init.ts";
import { Module } from "./module.ts";
import { Parameter } from "./parameter.ts";

/** A row of `weight` [count, width] for each index: [..] -> [.., width]. Rows start normal, with deviation 1. */
export class Embedding extends Module {
  weight: Parameter;

  constructor(count: number, width: number) {
    super();
    this.weight = new Parameter(normalValues("Embedding", [count, width], 1));
  }

  forward(indices: Tensor): Tensor {
    return embedding(indices, this.weight);
  }
}

/** Elementwise layers without parameters, for `Sequential`. */
import type { GeluOptions } from "../../compute/tensor/ops/gelu.ts";
import type { Tensor } from "../../compute/tensor/tensor.ts";
import { Module } from "./module.ts";

/** max(x, 0) */
export class ReLU extends Module {
  forward(x: Tensor): Tensor {
    return x.relu();
  }
}

/** x * Phi(x), exactly or by tanh. */
export class GELU extends Module {
  readonly options: GeluOptions;

  constructor(options: GeluOptions = {}) {
    super();
    this.options = options;
  }

  forward(x: Tensor): Tensor {
    return x.gelu(this.options);
  }
}

/** x * sigmoid(x) */
export class SiLU extends Module {
  forward(x: Tensor): Tensor {
    return x.silu();
  }
}

/** tanh(x) */
export class Tanh extends Module {
  forward(x: Tensor): Tensor {
    return x.tanh();
  }
}

/** 1 / (1 + e^-x) */
export class Sigmoid extends Module {
  forward(x: Tensor): Tensor {
    return x.sigmoid();
  }
}

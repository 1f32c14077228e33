/** Activations along an axis, and those with parameters: Softmax and its relatives, GLU, PReLU. */
import { glu } from "../../compute/tensor/ops/glu.ts";
import { prelu } from "../../compute/tensor/ops/prelu.ts";
import { softmin } from "../../compute/tensor/ops/softmin.ts";
import type { Tensor } from "../../compute/tensor/tensor.ts";
import { constantValues } from "./init.ts";
import { Module } from "./module.ts";
import { Parameter } from "./parameter.ts";

abstract class AlongAxis extends Module {
  readonly axis: number;

  constructor(axis = -1) {
    super();
    this.axis = axis;
  }
}

/** e^x / sum(e^x) along `axis`, the last by default: [..] -> the same shape. */
export class Softmax extends AlongAxis {
  forward(x: Tensor): Tensor {
    return x.softmax(this.axis);
  }
}

/** log(softmax(x)) along `axis`, the last by default: [..] -> the same shape. */
export class LogSoftmax extends AlongAxis {
  forward(x: Tensor): Tensor {
    return x.logSoftmax(this.axis);
  }
}

/** softmax(-x) along `axis`, the last by default: [..] -> the same shape. */
export class Softmin extends AlongAxis {
  forward(x: Tensor): Tensor {
    return softmin(x, this.axis);
  }
}

/** The first half of `axis`, the last by default, times sigmoid of the second: [.., 2n, ..] -> [.., n, ..]. */
export class GLU extends AlongAxis {
  forward(x: Tensor): Tensor {
    return glu(x, this.axis);
  }
}

/** Softmax over the channels of an image: [B, C, H, W] or [C, H, W] -> the same. */
export class Softmax2d extends Module {
  forward(x: Tensor): Tensor {
    return x.softmax(-3);
  }
}

/** Options of `PReLU`. */
export interface PReLUOptions {
  /** 1 for all channels together, the default, or one for each. */
  readonly numParameters?: number;
  /** Where the slopes start; 0.25 by default. */
  readonly init?: number;
}

/** x where x > 0, else weight * x, with a slope that is learnt: [B, C, ..] -> the same, `weight` [1] or [C]. */
export class PReLU extends Module {
  weight: Parameter;

  constructor({ numParameters = 1, init = 0.25 }: PReLUOptions = {}) {
    super();
    this.weight = new Parameter(constantValues([numParameters], init));
  }

  forward(x: Tensor): Tensor {
    return prelu(x, this.weight);
  }
}

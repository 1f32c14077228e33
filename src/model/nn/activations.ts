/** Elementwise layers without parameters: each is the function of its name. */
import { celu, elu, selu } from "../../compute/tensor/ops/elu.ts";
import type { EluOptions } from "../../compute/tensor/ops/elu.ts";
import type { GeluOptions } from "../../compute/tensor/ops/gelu.ts";
import { hardsigmoid, hardswish, hardtanh, relu6 } from "../../compute/tensor/ops/hardtanh.ts";
import type { HardtanhOptions } from "../../compute/tensor/ops/hardtanh.ts";
import { logSigmoid } from "../../compute/tensor/ops/log-sigmoid.ts";
import { mish } from "../../compute/tensor/ops/mish.ts";
import { softplus } from "../../compute/tensor/ops/softplus.ts";
import type { SoftplusOptions } from "../../compute/tensor/ops/softplus.ts";
import { hardshrink, softshrink, tanhshrink } from "../../compute/tensor/ops/softshrink.ts";
import { softsign } from "../../compute/tensor/ops/softsign.ts";
import { threshold } from "../../compute/tensor/ops/threshold.ts";
import type { Tensor } from "../../compute/tensor/tensor.ts";
import { Module } from "./module.ts";

/** max(x, 0): [..] -> the same shape. */
export class ReLU extends Module {
  forward(x: Tensor): Tensor {
    return x.relu();
  }
}

/** min(max(x, 0), 6): [..] -> the same shape. */
export class ReLU6 extends Module {
  forward(x: Tensor): Tensor {
    return relu6(x);
  }
}

/** x where x > 0, else negativeSlope * x (0.01 by default): [..] -> the same shape. */
export class LeakyReLU extends Module {
  readonly negativeSlope: number;

  constructor(negativeSlope = 0.01) {
    super();
    this.negativeSlope = negativeSlope;
  }

  forward(x: Tensor): Tensor {
    return x.leakyRelu(this.negativeSlope);
  }
}

/** x where x > 0, else alpha * (e^x - 1): [..] -> the same shape. */
export class ELU extends Module {
  readonly options: EluOptions;

  constructor(options: EluOptions | number = {}) {
    super();
    this.options = typeof options === "number" ? { alpha: options } : options;
  }

  forward(x: Tensor): Tensor {
    return elu(x, this.options);
  }
}

/** x where x > 0, else alpha * (e^(x / alpha) - 1): [..] -> the same shape. */
export class CELU extends Module {
  readonly options: EluOptions;

  constructor(options: EluOptions | number = {}) {
    super();
    this.options = typeof options === "number" ? { alpha: options } : options;
  }

  forward(x: Tensor): Tensor {
    return celu(x, this.options);
  }
}

/** ELU, scaled so that mean 0 and variance 1 are kept: [..] -> the same shape. */
export class SELU extends Module {
  forward(x: Tensor): Tensor {
    return selu(x);
  }
}

/** x * Phi(x), exactly or by tanh: [..] -> the same shape. */
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

/** x * sigmoid(x): [..] -> the same shape. */
export class SiLU extends Module {
  forward(x: Tensor): Tensor {
    return x.silu();
  }
}

/** x * tanh(softplus(x)): [..] -> the same shape. */
export class Mish extends Module {
  forward(x: Tensor): Tensor {
    return mish(x);
  }
}

/** x * relu6(x + 3) / 6: [..] -> the same shape. */
export class Hardswish extends Module {
  forward(x: Tensor): Tensor {
    return hardswish(x);
  }
}

/** relu6(x + 3) / 6: [..] -> the same shape. */
export class Hardsigmoid extends Module {
  forward(x: Tensor): Tensor {
    return hardsigmoid(x);
  }
}

/** x limited to [minVal, maxVal], -1 and 1 by default: [..] -> the same shape. */
export class Hardtanh extends Module {
  readonly options: HardtanhOptions;

  constructor(options: HardtanhOptions = {}) {
    super();
    this.options = options;
  }

  forward(x: Tensor): Tensor {
    return hardtanh(x, this.options);
  }
}

/** tanh(x): [..] -> the same shape. */
export class Tanh extends Module {
  forward(x: Tensor): Tensor {
    return x.tanh();
  }
}

/** x - tanh(x): [..] -> the same shape. */
export class Tanhshrink extends Module {
  forward(x: Tensor): Tensor {
    return tanhshrink(x);
  }
}

/** 1 / (1 + e^-x): [..] -> the same shape. */
export class Sigmoid extends Module {
  forward(x: Tensor): Tensor {
    return x.sigmoid();
  }
}

/** log(1 / (1 + e^-x)): [..] -> the same shape. */
export class LogSigmoid extends Module {
  forward(x: Tensor): Tensor {
    return logSigmoid(x);
  }
}

/** log(1 + e^(beta x)) / beta: [..] -> the same shape. */
export class Softplus extends Module {
  readonly options: SoftplusOptions;

  constructor(options: SoftplusOptions = {}) {
    super();
    this.options = options;
  }

  forward(x: Tensor): Tensor {
    return softplus(x, this.options);
  }
}

/** x / (1 + |x|): [..] -> the same shape. */
export class Softsign extends Module {
  forward(x: Tensor): Tensor {
    return softsign(x);
  }
}

/** x moved toward 0 by lambda (0.5 by default), 0 where |x| <= lambda: [..] -> the same shape. */
export class Softshrink extends Module {
  readonly lambda: number;

  constructor(lambda = 0.5) {
    super();
    this.lambda = lambda;
  }

  forward(x: Tensor): Tensor {
    return softshrink(x, this.lambda);
  }
}

/** x, but 0 where |x| <= lambda (0.5 by default): [..] -> the same shape. */
export class Hardshrink extends Module {
  readonly lambda: number;

  constructor(lambda = 0.5) {
    super();
    this.lambda = lambda;
  }

  forward(x: Tensor): Tensor {
    return hardshrink(x, this.lambda);
  }
}

/** x where it is above `threshold`, else `value`: [..] -> the same shape. */
export class Threshold extends Module {
  readonly threshold: number;
  readonly value: number;

  constructor(threshold: number, value: number) {
    super();
    this.threshold = threshold;
    this.value = value;
  }

  forward(x: Tensor): Tensor {
    return threshold(x, this.threshold, this.value);
  }
}

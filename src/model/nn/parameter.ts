/** Tensors that belong to a module: what training changes, and what only goes along. */
import { dtypeOfArray } from "../../compute/tensor/host-values.ts";
import type { HostValues } from "../../compute/tensor/host-values.ts";
import { leafValue } from "../../compute/tensor/create.ts";
import { Tensor } from "../../compute/tensor/tensor.ts";

/** What an optimizer updates. Requires gradients. */
export class Parameter extends Tensor {
  constructor({ shape, data }: HostValues) {
    super(leafValue(shape, dtypeOfArray(data), data));
    this.requiresGrad = true;
  }
}

/** State without gradient that is saved with the parameters, such as running means. */
export class Buffer extends Tensor {
  constructor({ shape, data }: HostValues) {
    super(leafValue(shape, dtypeOfArray(data), data));
  }
}

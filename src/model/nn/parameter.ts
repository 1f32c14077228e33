/** Tensors that belong to a module: what training changes, and what only goes along. */
import { leafValue } from "../../compute/tensor/host-tensor.ts";
import { dtypeOfArray } from "../../compute/tensor/host-values.ts";
import type { HostValues } from "../../compute/tensor/host-values.ts";
import { Tensor } from "../../compute/tensor/tensor.ts";
import type { Value } from "../../compute/tensor/value.ts";
import { copiedValue } from "./set-values.ts";

/** Options of `Parameter`. */
export interface ParameterOptions {
  /** On by default. */
  readonly requiresGrad?: boolean;
}

/** What an optimizer updates. Starts with the host's values or with a tensor's; requires gradients unless told not to. */
export class Parameter extends Tensor {
  constructor(values: HostValues | Tensor, { requiresGrad = true }: ParameterOptions = {}) {
    super(valueOf(values));
    if (requiresGrad) this.requiresGrad = true;
  }
}

/** Options of `Buffer`. */
export interface BufferOptions {
  /** Saved with the parameters. On by default. */
  readonly persistent?: boolean;
}

/** State without gradient that is saved with the parameters, such as running means. */
export class Buffer extends Tensor {
  readonly persistent: boolean;

  constructor(values: HostValues | Tensor, { persistent = true }: BufferOptions = {}) {
    super(valueOf(values));
    this.persistent = persistent;
  }
}

function valueOf(values: HostValues | Tensor): Value {
  if (values instanceof Tensor) return copiedValue(values);
  return leafValue(values.shape, dtypeOfArray(values.data), values.data);
}

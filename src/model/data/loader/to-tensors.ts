/** Host values of a batch, put on the device. */
import type { HostValues } from "../../../compute/tensor/host-values.ts";
import { tensor } from "../../../compute/tensor/create.ts";
// Tensors are made by the class that this registers.
import "../../../compute/tensor/tensor.ts";
import type { Tensor } from "../../../compute/tensor/tensor.ts";
import { dtypeOfValues, isHostValues } from "../host-tensor.ts";

/** A batch with tensors in place of host values. */
export type TensorsOf<B> = B extends HostValues
  ? Tensor
  : B extends string | number | boolean | null | undefined
    ? B
    : B extends object
      ? { [K in keyof B]: TensorsOf<B[K]> }
      : B;

/** `batch` with a tensor of the current runtime in place of all host values in its arrays and plain objects. */
export function toTensors<B>(batch: B): TensorsOf<B> {
  return converted(batch) as TensorsOf<B>;
}

function converted(value: unknown): unknown {
  if (isHostValues(value)) return tensor(value, { dtype: dtypeOfValues(value) });
  if (Array.isArray(value)) return value.map(converted);
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, converted(inner)]));
}

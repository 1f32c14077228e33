/** Giving a tensor that lives on new host values. */
import { OptionError } from "../../base/errors.ts";
import type { HostArray } from "../../compute/runtime/runtime.ts";
import { leafValue } from "../../compute/tensor/create.ts";
import { currentRuntime, withRuntime } from "../../compute/tensor/runtime-scope.ts";
import { Tensor } from "../../compute/tensor/tensor.ts";
import { currentTrace } from "../../compute/tensor/trace.ts";
import { ownLeaf } from "../../compute/tensor/value.ts";

/**
 * Assigns `data` in fresh bytes: unlike with `write`, what was computed lazily from the old value keeps it.
 * @throws OptionError inside of compiled functions, and for data of another dtype; ShapeError
 */
export function setValues(operation: string, tensor: Tensor, data: HostArray): void {
  if (currentTrace() !== null) {
    throw new OptionError(`${operation}: expected to be outside of compiled functions, found it inside`);
  }
  const runtime = tensor.value.runtime ?? currentRuntime(operation);
  const fresh = withRuntime(runtime, () => leafValue(tensor.shape, tensor.dtype, data));
  tensor.assign(new Tensor(fresh));
  ownLeaf(fresh.node, tensor.value);
}

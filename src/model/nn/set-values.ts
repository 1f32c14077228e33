/** Changing what a tensor that lives on holds: other host values, another dtype, a copy of another's. */
import { OptionError } from "../../base/errors.ts";
import type { DType } from "../../compute/layout/dtype.ts";
import type { HostArray } from "../../compute/runtime/runtime.ts";
import { leafValue } from "../../compute/tensor/host-tensor.ts";
import { noGrad } from "../../compute/tensor/grad-mode.ts";
import { dropPending, notePending } from "../../compute/tensor/realize.ts";
import { currentRuntime, withRuntime } from "../../compute/tensor/runtime-scope.ts";
import { Tensor } from "../../compute/tensor/tensor.ts";
import { currentTrace, readNode } from "../../compute/tensor/trace.ts";
import { createValue, isLeaf, ownLeaf } from "../../compute/tensor/value.ts";
import type { Value } from "../../compute/tensor/value.ts";

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

/** `tensor` in `dtype`, in place; its gradient is dropped. @throws OptionError inside of compiled functions */
export function setDType(operation: string, tensor: Tensor, dtype: DType): void {
  if (tensor.dtype === dtype) return;
  if (currentTrace() !== null) {
    throw new OptionError(`${operation}: expected to be outside of compiled functions, found it inside`);
  }
  const { requiresGrad } = tensor;
  const { node, runtime } = tensor.detach().cast(dtype).value;
  dropPending(tensor.value);
  tensor.grad = null;
  tensor.value = createValue(node, { runtime, requiresGrad, owner: requiresGrad ? tensor : null });
  notePending(tensor.value);
}

/** The value of `tensor` for another one that is to be assigned: not in the same bytes. */
export function copiedValue(tensor: Tensor): Value {
  const { node, runtime } = tensor.value;
  if (!isLeaf(node)) return createValue(readNode(tensor), { runtime, trace: currentTrace() });
  const zeros = new Tensor(withRuntime(runtime ?? currentRuntime("copy"), () => leafValue(tensor.shape, tensor.dtype)));
  const copy = noGrad(() => (tensor.dtype === "bool" ? tensor.logicalOr(zeros) : tensor.add(zeros)));
  notePending(copy.value);
  return copy.value;
}

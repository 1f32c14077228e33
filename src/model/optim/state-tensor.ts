import type { Shape } from "../../compute/compiler/ir.ts";
import { elementCount } from "../../compute/layout/shape.ts";
import { leafValue } from "../../compute/tensor/host-tensor.ts";
import { markMemory } from "../../compute/tensor/memory.ts";
import { Tensor } from "../../compute/tensor/tensor.ts";

/**
 * `value` everywhere, float32, in bytes from the start: a constant would be folded into the first step, whose kernels
 * then served it alone, and rounded unlike those of a state that was loaded.
 */
export function stateTensor(shape: Shape, value = 0): Tensor {
  const data = value === 0 ? undefined : new Float32Array(elementCount(shape)).fill(value);
  const state = new Tensor(leafValue(shape, "float32", data));
  markMemory([state], "optimizer");
  return state;
}

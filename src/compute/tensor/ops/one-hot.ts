import { toIndices } from "../operands.ts";
import { iotaTensor } from "../source.ts";
import type { Tensor } from "../tensor.ts";

/** [..] -> [.., classes] in int32: 1 at each index, else 0. */
export function oneHot(indices: Tensor, classes: number): Tensor {
  const shape = [...indices.shape, classes];
  return iotaTensor(shape, shape.length - 1)
    .eq(toIndices("oneHot", indices).unsqueeze(-1))
    .cast("int32");
}

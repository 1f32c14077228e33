import { OptionError } from "../../../base/errors.ts";
import { checkIndices } from "../index-range.ts";
import { toIndices } from "../operands.ts";
import { iotaTensor } from "../source.ts";
import type { Tensor } from "../tensor.ts";

/**
 * [..] -> [.., classes] in int32: 1 at each index, else 0. An index out of range is refused when it came from the host,
 * and makes zeros when it was computed on a device. @throws OptionError
 */
export function oneHot(indices: Tensor, classes: number): Tensor {
  if (!Number.isInteger(classes) || classes < 1) {
    throw new OptionError(`oneHot: expected the number of classes, from 1 (the shape cannot depend on values), found ${classes}`); // prettier-ignore
  }
  checkIndices("oneHot", indices, classes);
  const shape = [...indices.shape, classes];
  return iotaTensor(shape, shape.length - 1)
    .eq(toIndices("oneHot", indices).unsqueeze(-1))
    .cast("int32");
}

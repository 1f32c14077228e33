/** Tensors that are computed from nothing: no bytes are stored or moved for them. */
import { iota } from "../compiler/graph.ts";
import type { Shape } from "../compiler/ir.ts";
import { sourceTensor } from "./op.ts";
import type { Tensor } from "./tensor.ts";

/** out[i] = i along `axis` (int32). */
export function iotaTensor(shape: Shape, axis: number): Tensor {
  return sourceTensor(iota(shape, axis));
}

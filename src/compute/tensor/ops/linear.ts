import type { Tensor } from "../tensor.ts";
import { matmul } from "./matmul.ts";

/** x weight^T + bias: [.., in] with weight [out, in] and bias [out] -> [.., out]. */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor | null): Tensor {
  const y = matmul(x, weight.transpose(0, 1));
  return bias ? y.add(bias) : y;
}

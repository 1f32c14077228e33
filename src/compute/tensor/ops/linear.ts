import { ShapeError } from "../../../base/errors.ts";
import { contraction, permute, reshape } from "../../compiler/graph.ts";
import { formatShape } from "../../layout/shape.ts";
import { defineOp } from "../op.ts";
import { toFloat } from "../operands.ts";
import { sizeOf } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";

/** x [R, in] and weight [out, in] -> x w^T [R, out]. dL/dx = g w; dL/dw = g^T x, in the layout of w. */
const op = defineOp<[Tensor, Tensor]>({
  name: "linear",
  forward: ([x, weight]) => {
    const product = contraction(reshape(x, [1, ...x.shape]), permute(reshape(weight, [1, ...weight.shape]), [0, 2, 1]));
    return reshape(product, product.shape.slice(1));
  },
  backward: ({ grad, inputs: [x, weight] }) => [grad.matmul(weight), grad.transpose(0, 1).matmul(x)],
});

/** x weight^T + bias: [.., in] with weight [out, in] and bias [out] -> [.., out]. @throws ShapeError */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor | null): Tensor {
  const inputs = x.shape.at(-1);
  if (weight.shape.length !== 2 || inputs === undefined || inputs !== weight.shape[1]) {
    throw new ShapeError(
      `linear: expected x [.., in] and weight [out, in], found ${formatShape(x.shape)} and ${formatShape(weight.shape)}`,
    );
  }
  const rows = op([toFloat(x).reshape([-1, inputs]), weight], null);
  const y = rows.reshape([...x.shape.slice(0, -1), sizeOf(weight.shape, 0)]);
  return bias ? y.add(bias) : y;
}

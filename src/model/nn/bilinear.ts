import { ShapeError } from "../../base/errors.ts";
import { formatShape, sameShape } from "../../compute/layout/shape.ts";
import type { Tensor } from "../../compute/tensor/tensor.ts";
import { uniformValues } from "./init.ts";
import type { LinearOptions } from "./linear.ts";
import { Module } from "./module.ts";
import { Parameter } from "./parameter.ts";

/**
 * y[o] = sum over i and j of x1[i] W[o, i, j] x2[j] + b[o]: [.., in1] and [.., in2] -> [.., out], with `weight`
 * [out, in1, in2]. Both start uniform in +-1 / sqrt(in1).
 */
export class Bilinear extends Module {
  weight: Parameter;
  readonly bias: Parameter | null;

  constructor(inputs1: number, inputs2: number, outputs: number, { bias = true }: LinearOptions = {}) {
    super();
    const bound = 1 / Math.sqrt(inputs1);
    this.weight = new Parameter(uniformValues([outputs, inputs1, inputs2], bound));
    this.bias = bias ? new Parameter(uniformValues([outputs], bound)) : null;
  }

  /** @throws ShapeError */
  forward(x1: Tensor, x2: Tensor): Tensor {
    const [outputs = 0, inputs1 = 0, inputs2 = 0] = this.weight.shape;
    const before = x1.shape.slice(0, -1);
    const fits = x1.shape.at(-1) === inputs1 && x2.shape.at(-1) === inputs2 && sameShape(before, x2.shape.slice(0, -1));
    if (!fits) {
      throw new ShapeError(
        `Bilinear: expected [.., ${inputs1}] and [.., ${inputs2}], found ${formatShape(x1.shape)} and ${formatShape(x2.shape)}`,
      );
    }
    const rows = before.reduce((product, size) => product * size, 1);
    // [rows, in1] x [in1, out in2] -> [rows, out, in2], then with x2 [rows, in2, 1].
    const table = this.weight.permute([1, 0, 2]).reshape([inputs1, outputs * inputs2]);
    const half = x1.reshape([rows, inputs1]).matmul(table).reshape([rows, outputs, inputs2]);
    const y = half.matmul(x2.reshape([rows, inputs2, 1])).reshape([...before, outputs]);
    return this.bias === null ? y : y.add(this.bias);
  }
}

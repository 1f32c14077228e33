/** Activations that are straight lines between two bounds. */
import { OptionError } from "../../../base/errors.ts";
import { atLeast, atMost } from "../node-arithmetic.ts";
import { defineOp } from "../op.ts";
import type { Tensor } from "../tensor.ts";

interface Bounds {
  readonly min: number;
  readonly max: number;
}

/** dL/dx = g where min < x < max, else 0. */
const op = defineOp<[Tensor], Bounds>({
  name: "hardtanh",
  forward: ([x], { min, max }) => atMost(atLeast(x, min), max),
  backward: ({ grad, inputs: [x], options: { min, max } }) => [x.gt(min).logicalAnd(x.lt(max)).where(grad, 0)],
});

/** Options of `hardtanh`. */
export interface HardtanhOptions {
  /** -1 by default. */
  readonly minVal?: number;
  /** 1 by default. */
  readonly maxVal?: number;
}

/** `x` limited to [minVal, maxVal]; at the bounds no gradient flows. @throws OptionError */
export function hardtanh(x: Tensor, { minVal = -1, maxVal = 1 }: HardtanhOptions = {}): Tensor {
  if (!(minVal <= maxVal)) {
    throw new OptionError(`hardtanh: expected minVal not above maxVal, found ${minVal} and ${maxVal}`);
  }
  return op([x], { min: minVal, max: maxVal });
}

/** min(max(x, 0), 6). */
export function relu6(x: Tensor): Tensor {
  return hardtanh(x, { minVal: 0, maxVal: 6 });
}

/** relu6(x + 3) / 6: a sigmoid of straight lines. */
export function hardsigmoid(x: Tensor): Tensor {
  return relu6(x.add(3)).mul(1 / 6);
}

/** x * hardsigmoid(x) (Howard et al., "Searching for MobileNetV3", 2019). */
export function hardswish(x: Tensor): Tensor {
  return x.mul(hardsigmoid(x));
}

import { OptionError } from "../../../base/errors.ts";
import { binary, constant } from "../../compiler/graph.ts";
import { defineOp } from "../op.ts";
import type { Tensor } from "../tensor.ts";

export interface ClampOptions {
  readonly min?: number | undefined;
  readonly max?: number | undefined;
}

/** dL/dx = g where min <= x <= max, else 0. */
const op = defineOp<[Tensor], ClampOptions>({
  name: "clamp",
  forward: ([x], { min, max }) => {
    const raised = min === undefined ? x : binary("maximum", x, constant(min, x.shape, x.dtype));
    return max === undefined ? raised : binary("minimum", raised, constant(max, x.shape, x.dtype));
  },
  backward: ({ grad, inputs: [x], options: { min, max } }) => {
    const above = min === undefined ? grad : x.ge(min).where(grad, 0);
    return [max === undefined ? above : x.le(max).where(above, 0)];
  },
});

/** `x` limited to [min, max]. @throws OptionError without either */
export function clamp(x: Tensor, options: ClampOptions): Tensor {
  if (options.min === undefined && options.max === undefined) {
    throw new OptionError("clamp: expected min, max or both, found neither");
  }
  return op([x], options);
}

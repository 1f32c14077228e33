import { OptionError } from "../../../base/errors.ts";
import { binary, constant } from "../../compiler/graph.ts";
import { defineOp } from "../op.ts";
import type { Operand } from "../operands.ts";
import { promoteNumber } from "../promote.ts";
import type { Tensor } from "../tensor.ts";
import { castTo } from "./cast.ts";
import { where } from "./where.ts";

/** The bounds of `clamp`: one of them at least. */
export interface ClampOptions {
  readonly min?: Operand | null | undefined;
  readonly max?: Operand | null | undefined;
}

interface Bounds {
  readonly min: number | null;
  readonly max: number | null;
}

/** dL/dx = g where min <= x <= max, else 0. */
const op = defineOp<[Tensor], Bounds>({
  name: "clamp",
  forward: ([x], { min, max }) => {
    const raised = min === null ? x : binary("maximum", x, constant(min, x.shape, x.dtype));
    return max === null ? raised : binary("minimum", raised, constant(max, x.shape, x.dtype));
  },
  backward: ({ grad, inputs: [x], options: { min, max } }) => {
    const above = min === null ? grad : x.ge(min).where(grad, 0);
    return [max === null ? above : x.le(max).where(above, 0)];
  },
});

/**
 * `x` limited to [min, max], each a number or a tensor that broadcasts, as arguments or as options; `max` where min > max.
 * Where it is limited, the gradient goes to a bound that is a tensor. @throws OptionError without either
 */
export function clamp(x: Tensor, min: Operand | ClampOptions | null = null, max: Operand | null = null): Tensor {
  const options = isOptions(min) ? min : { min, max };
  const [low, high] = [options.min ?? null, options.max ?? null];
  if (low === null && high === null) throw new OptionError("clamp: expected min, max or both, found neither");
  if (isNumber(low) && isNumber(high)) {
    const fractions = [low, high].filter((bound) => bound !== null && !Number.isInteger(bound));
    return op([castTo(x, promoteNumber(x.dtype, fractions[0] ?? 0))], { min: low, max: high });
  }
  const raised = low === null ? x : where(x.lt(low), low, x);
  return high === null ? raised : where(raised.gt(high), high, raised);
}

function isOptions(min: Operand | ClampOptions | null): min is ClampOptions {
  return typeof min === "object" && min !== null && !("dtype" in min);
}

function isNumber(bound: Operand | null): bound is number | null {
  return bound === null || typeof bound === "number";
}

/** `x`, but `min` where it is below. */
export function clampMin(x: Tensor, min: Operand): Tensor {
  return clamp(x, min);
}

/** `x`, but `max` where it is above. */
export function clampMax(x: Tensor, max: Operand): Tensor {
  return clamp(x, null, max);
}

/**
 * Ops that compute in float32 whatever comes in: sums of exponentials, variances and their like lose too much in
 * float16. Their gradients are computed in float32 too.
 */
import { defineOp, type Op, type OpDefinition } from "./op.ts";
import { castTo } from "./ops/cast.ts";
import type { Tensor } from "./tensor.ts";

/** As `defineOp`; float16 inputs are widened, and the result is rounded once, to float16 if no input was float32. */
export function defineWideOp<Inputs extends readonly Tensor[], Options = null>(
  definition: OpDefinition<Inputs, Options>,
): Op<Inputs, Options> {
  const op = defineOp(definition);
  return (inputs, options) => {
    if (!inputs.some(isHalf)) return op(inputs, options);
    const wide = inputs.map((input) => (isHalf(input) ? castTo(input, "float32") : input)) as unknown as Inputs;
    const result = op(wide, options);
    const isNarrow = result.dtype === "float32" && !inputs.some(({ dtype }) => dtype === "float32");
    return isNarrow ? castTo(result, "float16") : result;
  };
}

function isHalf({ dtype }: Tensor): boolean {
  return dtype === "float16";
}

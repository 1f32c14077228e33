/** Tests of what a number is, by its bits: WGSL's compilers may take it that nothing is NaN or infinite. Results are bool. */
import { binary, bitcast, cast, constant } from "../../compiler/graph.ts";
import type { Node } from "../../compiler/ir.ts";
import { isFloat } from "../../layout/dtype.ts";
import { isAbove, isBelow, isEqual } from "../node-arithmetic.ts";
import { defineOp } from "../op.ts";
import type { Tensor } from "../tensor.ts";

const WITHOUT_SIGN = 0x7fffffff;
const INFINITY = 0x7f800000;

/** `test` of the bits (uint32) without the sign's; of integers, `otherwise` everywhere. */
function magnitudeTest(name: string, test: (magnitude: Node) => Node, otherwise: boolean): (x: Tensor) => Tensor {
  const op = defineOp<[Tensor]>({
    name,
    forward: ([x]) => {
      if (!isFloat(x.dtype)) return constant(Number(otherwise), x.shape, "bool");
      const bits = bitcast(cast(x, "float32"), "uint32");
      return test(binary("and", bits, constant(WITHOUT_SIGN, x.shape, "uint32")));
    },
    backward: null,
  });
  return (x) => op([x], null);
}

/** x is not a number. */
export const isNaN: (x: Tensor) => Tensor = magnitudeTest("isNaN", (size) => isAbove(size, INFINITY), false);

/** x is infinite, of either sign. */
export const isInf: (x: Tensor) => Tensor = magnitudeTest("isInf", (size) => isEqual(size, INFINITY), false);

/** x is neither infinite nor NaN. */
export const isFinite: (x: Tensor) => Tensor = magnitudeTest("isFinite", (size) => isBelow(size, INFINITY), true);

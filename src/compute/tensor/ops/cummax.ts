import { binary, constant, iota, scan, select, unary } from "../../compiler/graph.ts";
import type { Node } from "../../compiler/ir.ts";
import { isFloat } from "../../layout/dtype.ts";
import { complement } from "../node-arithmetic.ts";
import { defineOp } from "../op.ts";
import { normalizeAxis, sizeOf } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import { scatterSum } from "./scatter-add.ts";

interface Settings {
  readonly axis: number;
  readonly fn: "maximum" | "minimum";
}

/** The running extreme; the smallest is the largest in reverse order. */
function running(x: Node, { axis, fn }: Settings): Node {
  return fn === "maximum" ? scan("maximum", x, axis) : reversed(scan("maximum", reversed(x), axis));
}

/** Turns the order of numbers round, without overflow: -x of floats, ~x of integers. */
function reversed(x: Node): Node {
  if (isFloat(x.dtype)) return unary("negate", x);
  return complement(x.dtype === "int32" ? -1 : 2 ** 32 - 1, x);
}

/** dL/dx[i] = the sum of g over the places where x[i] is the extreme. */
const valuesOp = defineOp<[Tensor], Settings>({
  name: "cummax",
  forward: ([x], settings) => running(x, settings),
  backward: ({ grad, inputs: [x], options }) => [
    scatterSum(grad, indicesOp([x], options), options.axis, sizeOf(x.shape, options.axis)),
  ],
});

/** The last place so far where the element is the extreme itself. */
const indicesOp = defineOp<[Tensor], Settings>({
  name: "cummax",
  forward: ([x], settings) => {
    const isNew = binary("equal", x, running(x, settings));
    const place = select(isNew, iota(x.shape, settings.axis), constant(0, x.shape, "int32"));
    return scan("maximum", place, settings.axis);
  },
  backward: null,
});

/** What `cummax` and `cummin` give, in the shape of their input. */
export interface Extremes {
  readonly values: Tensor;
  /** Where along the axis they are (int32), the last of equals. */
  readonly indices: Tensor;
}

/** The largest element up to each one along `axis`. */
export function cummax(x: Tensor, axis: number): Extremes {
  return extremes("cummax", "maximum", x, axis);
}

/** The smallest element up to each one along `axis`. */
export function cummin(x: Tensor, axis: number): Extremes {
  return extremes("cummin", "minimum", x, axis);
}

function extremes(name: string, fn: Settings["fn"], x: Tensor, axis: number): Extremes {
  if (x.shape.length === 0) {
    const { values, indices } = extremes(name, fn, x.reshape([1]), axis);
    return { values: values.reshape([]), indices: indices.reshape([]) };
  }
  const settings = { axis: normalizeAxis(name, axis, x.shape.length), fn };
  const numbers = x.dtype === "bool" ? x.cast("int32") : x;
  const values = valuesOp([numbers], settings);
  return { values: values.cast(x.dtype), indices: indicesOp([numbers], settings) };
}

import { binary, cast, constant, expand, iota, reduce, select } from "../../compiler/graph.ts";
import type { Node } from "../../compiler/ir.ts";
import { defineOp } from "../op.ts";
import { normalizeAxis, sizeOf, withoutAxes } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import { checkNotEmpty } from "./amax.ts";
import { asLine } from "./as-line.ts";
import type { ReduceOptions } from "./sum.ts";

interface Settings {
  readonly axis: number;
  readonly fn: "maximum" | "minimum";
}

const op = defineOp<[Tensor], Settings>({
  name: "argmax",
  forward: ([x], { axis, fn }) => firstIndex(x, axis, fn),
  backward: null,
});

/** min over the axis of (x = best ? index : size), keeping the axis. */
function firstIndex(x: Node, axis: number, fn: Settings["fn"]): Node {
  const values = x.dtype === "bool" ? cast(x, "int32") : x;
  const best = expand(reduce(fn, values, [axis]), x.shape);
  const none = constant(sizeOf(x.shape, axis) - 1, x.shape, "int32"); // Only NaN reaches it: still an index.
  return reduce("minimum", select(binary("equal", values, best), iota(x.shape, axis), none), [axis]);
}

/** Where the largest element along `axis` is (int32), the first of equals; over all of `x`, flattened, without one. */
export function argmax(x: Tensor, axis: number | null = null, options: ReduceOptions = {}): Tensor {
  return argBest("argmax", "maximum", x, axis, options);
}

/** Where the smallest element along `axis` is (int32), the first of equals; over all of `x`, flattened, without one. */
export function argmin(x: Tensor, axis: number | null = null, options: ReduceOptions = {}): Tensor {
  return argBest("argmin", "minimum", x, axis, options);
}

function argBest(
  name: string,
  fn: Settings["fn"],
  x: Tensor,
  axis: number | null,
  { keepDim = false }: ReduceOptions,
): Tensor {
  if (axis === null) {
    const flat = x.reshape([x.size]);
    checkNotEmpty(name, flat, [0]);
    return op([flat], { axis: 0, fn }).reshape(keepDim ? x.shape.map(() => 1) : []);
  }
  if (x.shape.length === 0) return asLine(x, (line) => argBest(name, fn, line, axis, { keepDim }));
  const along = normalizeAxis(name, axis, x.shape.length);
  checkNotEmpty(name, x, [along]);
  const kept = op([x], { axis: along, fn });
  return keepDim ? kept : kept.reshape(withoutAxes(x.shape, [along]));
}

/** What becomes of a gradient before and after it is packed: sums over slots, and what packing left out. All float32. */
import { add, equal, f32, load, multiply, select, subtract } from "../../lang/build.ts";
import { invocationOf } from "../../lang/expr.ts";
import type { Kernel } from "../../lang/kernel.ts";
import { store } from "../../lang/statements.ts";
import { isOwnIn, tableWords, type PackedArray } from "./chunks.ts";

/** sum = 0 + weight * x. Bindings: x, f32 [count]; sum, f32 [count]. 8 bytes an element. */
export function beginSum(count: number, weight: number): Kernel {
  const at = invocationOf(count);
  const product = multiply(load(0, at, "f32"), f32(weight));
  return {
    name: `a sum of ${count} begins`,
    bindings: [
      { type: "f32", access: "read", length: count },
      { type: "f32", access: "write", length: count },
    ],
    invocations: count,
    body: [store(1, at, select(equal(product, f32(0)), f32(0), product))], // No negative zero, as in a sum.
  };
}

/** sum = sum + weight * x. Bindings: x, f32 [count]; sum, f32 [count]. 12 bytes an element. */
export function addToSum(count: number, weight: number): Kernel {
  const at = invocationOf(count);
  return {
    name: `${count} elements added to a sum`,
    bindings: [
      { type: "f32", access: "read", length: count },
      { type: "f32", access: "readWrite", length: count },
    ],
    invocations: count,
    body: [store(1, at, add(load(1, at, "f32"), multiply(load(0, at, "f32"), f32(weight))))],
  };
}

/** left = values - left, which are what was sent; 0 in the table's own range. Bindings: values, table, left. 12 bytes an element. */
export function leaveRest(array: PackedArray): Kernel {
  const { count } = array;
  const at = invocationOf(count);
  const rest = subtract(load(0, at, "f32"), load(2, at, "f32"));
  return {
    name: `what ${count} packed values left out`,
    bindings: [
      { type: "f32", access: "read", length: count },
      { type: "u32", access: "read", length: tableWords(array) },
      { type: "f32", access: "readWrite", length: count },
    ],
    invocations: count,
    body: [store(2, at, select(isOwnIn(1, at), f32(0), rest))],
  };
}

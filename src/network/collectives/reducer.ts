/** How a collective adds up what it gets. Injected, so that GPUs may do it; this is the plain one. */
import { assert } from "../../base/assert.ts";
import { bytesOf, floatsOf } from "../../base/bytes.ts";
import type { Bytes } from "../../base/bytes.ts";

/** The sum of two or more operands of equal length, in their order, in a buffer of its own. Operands stay as they are. */
export type Reducer = (operands: readonly Bytes[]) => Bytes;

/** Sums float32 values in float32, from the first operand to the last: the same operands give the same bits everywhere. */
export const sumFloat32: Reducer = (operands) => {
  const [first, second, ...rest] = operands.map(floatsOf);
  assert(first !== undefined, "sumFloat32: expected operands, found none");
  if (second === undefined) return bytesOf(first.slice());
  const sum = new Float32Array(first.length);
  add(sum, first, second);
  for (const operand of rest) add(sum, sum, operand);
  return bytesOf(sum);
};

/** Adding two float32 in float64 and rounding once is the float32 sum, exactly. */
function add(sum: Float32Array, a: Float32Array, b: Float32Array): void {
  assert(b.length === sum.length, `sumFloat32: expected ${sum.length} values, found ${b.length}`);
  for (let i = 0; i < sum.length; i++) sum[i] = (a[i] as number) + (b[i] as number);
}

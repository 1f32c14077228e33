/** Whether a message of PowerSGD is what it should be, by its definition and beside another one of the same values. */
import { expect } from "vitest";
import type { Bytes } from "../../../src/base/bytes.ts";
import { powerSgdCodec } from "../../../src/network/collectives/codecs/power-sgd.ts";

const EPSILON = 2 ** -24;
const HEAD_BYTES = 8;

interface Parsed {
  readonly rank: number;
  readonly left: Float32Array;
  readonly right: Float32Array;
}

function parse(bytes: Bytes, rows: number, columns: number): Parsed {
  const all = bytes.slice().buffer;
  const rank = new Uint32Array(all)[1] ?? 0;
  const numbers = new Float32Array(all, HEAD_BYTES);
  return {
    rank,
    left: numbers.subarray(0, rows * rank),
    right: numbers.subarray(rows * rank, (rows + columns) * rank),
  };
}

/**
 * P is orthonormal but for columns of zeros, Q is M^T P, and what P Q^T leaves out is as much as by the other message.
 * Sums of n products in float32 are wrong by n epsilon of the sum of magnitudes; and `values`, with what the device left
 * out, are known here but for rounding of values of up to `known`.
 */
export function checkFactors(
  values: Float32Array<ArrayBuffer>,
  found: Bytes,
  other: Bytes,
  known: number,
  what: string,
): void {
  expect(found.byteLength, what).toBe(other.byteLength);
  expect([...new Uint32Array(found.slice(0, HEAD_BYTES).buffer)], what).toEqual([...new Uint32Array(other.slice(0, HEAD_BYTES).buffer)]); // prettier-ignore
  const columns = Math.ceil(Math.sqrt(values.length));
  const rows = Math.ceil(values.length / columns);
  const { rank, left, right } = parse(found, rows, columns);
  if (!values.every(Number.isFinite)) {
    expect([...left, ...right].every(Number.isNaN), `${what}: NaN`).toBe(true);
    return;
  }
  const dot = (a: number, b: number): number => {
    let sum = 0;
    for (let row = 0; row < rows; row++) sum += (left[row * rank + a] ?? 0) * (left[row * rank + b] ?? 0);
    return sum;
  };
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 2 ** -100);
  const rounding = (rows + columns + 8) * EPSILON;
  for (let column = 0; column < rank; column++) {
    const length = dot(column, column);
    if (length > 0) expect(Math.abs(length - 1), `${what}: length of column ${column}`).toBeLessThan(4 * rounding);
    for (let before = 0; before < column; before++)
      expect(Math.abs(dot(before, column)), `${what}: columns ${before}, ${column}`).toBeLessThan(4 * rounding);
  }
  for (let column = 0; column < columns; column++) {
    for (let inner = 0; inner < rank; inner++) {
      let [sum, magnitudes] = [0, 2 ** -120];
      for (let row = 0; row * columns + column < values.length; row++) {
        const product = (values[row * columns + column] ?? 0) * (left[row * rank + inner] ?? 0);
        sum += product;
        magnitudes += Math.abs(product);
      }
      const error = Math.abs(sum - (right[column * rank + inner] ?? 0));
      expect(error, `${what}: Q at ${column}, ${inner}`).toBeLessThanOrEqual(rounding * (magnitudes + known));
    }
  }
  const codec = powerSgdCodec(rank);
  const leftOut = (bytes: Bytes): number => Math.hypot(...codec.decode(bytes).map((value, at) => value - (values[at] ?? 0)).map((x) => x / largest)); // prettier-ignore
  const all = Math.hypot(...values.map((x) => x / largest));
  expect(Math.abs(leftOut(found) - leftOut(other)), `${what}: what is left out`).toBeLessThanOrEqual(1e-3 * all);
}

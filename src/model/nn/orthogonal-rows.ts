/** Random orthonormal rows, by arithmetic that rounds alike on every machine (+, -, *, / and square roots in float64). */
import type { Random } from "../../base/random.ts";

/** Below this much of its length left, a row lies in the span of those before it, and is drawn again. */
const LEFT_MIN = 1e-6;

/**
 * `count` orthonormal rows of `width` >= `count` numbers, row-major: normal vectors, made orthogonal one after another
 * (Gram and Schmidt, twice over against rounding). Uniform among all, as those of a QR decomposition with a positive
 * diagonal are.
 */
export function orthogonalRows(count: number, width: number, random: Random): Float64Array {
  const rows = new Float64Array(count * width);
  for (let index = 0; index < count; index++) {
    const row = rows.subarray(index * width, (index + 1) * width);
    do {
      for (let i = 0; i < width; i++) row[i] = random.normal();
      scale(row, 1 / Math.sqrt(dot(row, row)));
    } while (!isIndependent(row, rows, index));
  }
  return rows;
}

/** Takes the first `count` of `rows` out of `row`, and brings it to length 1; false when nothing is left. */
function isIndependent(row: Float64Array, rows: Float64Array, count: number): boolean {
  const width = row.length;
  for (let pass = 0; pass < 2; pass++) {
    for (let other = 0; other < count; other++) {
      const before = rows.subarray(other * width, (other + 1) * width);
      const share = dot(row, before);
      for (let i = 0; i < width; i++) row[i] = (row[i] ?? 0) - share * (before[i] ?? 0);
    }
    const length = Math.sqrt(dot(row, row));
    if (!(length > LEFT_MIN)) return false;
    scale(row, 1 / length);
  }
  return true;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return sum;
}

function scale(row: Float64Array, factor: number): void {
  for (let i = 0; i < row.length; i++) row[i] = (row[i] ?? 0) * factor;
}

/** Whether two results are the same, or nearly so, and where not: -0 is 0, and NaN is nothing's equal. */
import type { Bytes } from "../../base/bytes.ts";
import { decodeFloat16 } from "../../base/float16.ts";
import type { DType } from "../layout/dtype.ts";

export interface Compared {
  readonly dtype: DType;
  /** Elements. */
  readonly count: number;
  /** How far elements may be apart, of the largest one that is expected. */
  readonly tolerance: number;
}

/** "element 3: expected 1, found 2" for the first of the elements that differ; null where none does. */
export function firstDifference({ dtype, count, tolerance }: Compared, expected?: Bytes, found?: Bytes): string | null {
  const [want, have] = [valuesOf(dtype, expected), valuesOf(dtype, found)];
  let largest = 0;
  for (let i = 0; tolerance > 0 && i < count; i++) largest = Math.max(largest, Math.abs(want[i] ?? 0));
  for (let i = 0; i < count; i++) {
    const [a = Number.NaN, b = Number.NaN] = [want[i], have[i]];
    if (a !== b && !(Math.abs(a - b) <= tolerance * largest)) return `element ${i}: expected ${a}, found ${b}`;
  }
  return null;
}

function valuesOf(dtype: DType, bytes: Bytes = new Uint8Array(0)): ArrayLike<number> {
  switch (dtype) {
    case "float32":
      return new Float32Array(bytes.buffer);
    case "float16":
      return decodeFloat16(new Uint16Array(bytes.buffer));
    case "int32":
      return new Int32Array(bytes.buffer);
    case "uint32":
    case "bool":
      return new Uint32Array(bytes.buffer);
  }
}

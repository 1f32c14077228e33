/** Whether two results are the same, and where not: -0 is 0, and NaN is nothing's equal. */
import type { Bytes } from "../../base/bytes.ts";
import { decodeFloat16 } from "../../base/float16.ts";
import type { DType } from "../layout/dtype.ts";

/** "element 3: expected 1, found 2" for the first of `count` elements that differ; null where none does. */
export function firstDifference(dtype: DType, count: number, expected?: Bytes, found?: Bytes): string | null {
  const [want, have] = [valuesOf(dtype, expected), valuesOf(dtype, found)];
  for (let i = 0; i < count; i++) {
    if (want[i] !== have[i]) return `element ${i}: expected ${want[i]}, found ${have[i]}`;
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

/** Element types of tensors and of kernels. */

/**
 * What a tensor can hold. `bool` is stored as one uint32 of 0 or 1 an element. `float16` is a way to store: kernels
 * compute with it in float32 and round what they store (to nearest, ties to even).
 */
export type DType = "float32" | "float16" | "int32" | "uint32" | "bool";

/** True for the dtypes that gradients flow through. */
export function isFloat(dtype: DType): boolean {
  return dtype === "float32" || dtype === "float16";
}

/** True for the dtypes whose arithmetic is modulo 2^32. */
export function isWhole(dtype: DType): boolean {
  return dtype === "int32" || dtype === "uint32";
}

/** Bytes of one stored element. */
export function elementBytes(dtype: DType): number {
  switch (dtype) {
    case "float16":
      return 2;
    case "float32":
    case "int32":
    case "uint32":
    case "bool":
      return 4;
  }
}

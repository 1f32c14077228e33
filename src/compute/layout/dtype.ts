/** Element types of tensors and of kernels. */

/** What a tensor can hold. `bool` is stored as one uint32 of 0 or 1 an element. */
export type DType = "float32" | "int32" | "uint32" | "bool";

/** Bytes of one stored element. All four are 4 for now; float16 storage will change that, so always ask. */
export function elementBytes(dtype: DType): number {
  switch (dtype) {
    case "float32":
    case "int32":
    case "uint32":
    case "bool":
      return 4;
  }
}

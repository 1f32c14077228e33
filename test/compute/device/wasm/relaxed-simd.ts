/** Fused multiply-add in Node: V8 11 has it behind a flag, later ones without. */
import { setFlagsFromString } from "node:v8";
import { hasMultiplyAdd } from "../../../../src/compute/device/wasm/features.ts";

/** From here on modules of this process may use it; false where the engine has none. */
export function allowRelaxedSimd(): boolean {
  if (!hasMultiplyAdd()) setFlagsFromString("--experimental-wasm-relaxed-simd");
  return hasMultiplyAdd();
}

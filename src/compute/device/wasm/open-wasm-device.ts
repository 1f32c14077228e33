/** A WebAssembly device of this thread. */
import { UnsupportedError } from "../../../base/errors.ts";
import { hasMultiplyAdd, hasSimd } from "./features.ts";
import { LinearMemory } from "./linear-memory.ts";
import { WasmDevice } from "./wasm-device.ts";

/** How the device is to be; for measuring and tests. */
export interface WasmDeviceOptions {
  /** False: do without relaxed SIMD, where there is some. */
  readonly usesMultiplyAdd?: boolean;
}

/** @throws UnsupportedError where there is no WebAssembly with SIMD */
export async function openWasmDevice({ usesMultiplyAdd = true }: WasmDeviceOptions = {}): Promise<WasmDevice> {
  if (!hasSimd()) throw new UnsupportedError("wasm device: expected WebAssembly with SIMD, found none");
  return new WasmDevice({ memory: new LinearMemory(false), hasMultiplyAdd: usesMultiplyAdd && hasMultiplyAdd() });
}

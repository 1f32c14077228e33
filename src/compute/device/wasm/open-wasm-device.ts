/** A WebAssembly device of this thread. */
import { UnsupportedError } from "../../../base/errors.ts";
import { canShareMemory, hasMultiplyAdd, hasSimd } from "./features.ts";
import type { ThreadPort } from "./thread.ts";
import { LinearMemory } from "./linear-memory.ts";
import { WasmDevice } from "./wasm-device.ts";

/** How the device is to be; for measuring and tests. */
export interface WasmDeviceOptions {
  /** False: do without relaxed SIMD, where there is some. */
  readonly usesMultiplyAdd?: boolean;
  /** Opens a line to a new thread that serves (`thread.ts`). */
  readonly openThread?: () => ThreadPort;
  /** How many, beside the one that calls; none where memory cannot be shared. */
  readonly threads?: number;
}

/** @throws UnsupportedError where there is no WebAssembly with SIMD */
export async function openWasmDevice(options: WasmDeviceOptions = {}): Promise<WasmDevice> {
  const { usesMultiplyAdd = true, openThread, threads = 0 } = options;
  if (!hasSimd()) throw new UnsupportedError("wasm device: expected WebAssembly with SIMD, found none");
  const isShared = openThread !== undefined && threads > 0 && canShareMemory();
  const ports = isShared ? Array.from({ length: threads }, openThread) : [];
  const memory = new LinearMemory(isShared);
  return new WasmDevice({ memory, hasMultiplyAdd: usesMultiplyAdd && hasMultiplyAdd(), threads: ports });
}

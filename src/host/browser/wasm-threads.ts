/** Threads for a WebAssembly device in a browser: in pages that are cross-origin isolated. */
import type { WasmDeviceOptions } from "../../compute/device/wasm/open-wasm-device.ts";
import { workerPort } from "./worker-ports.ts";

/** More than this help little, and take memory each. */
const THREADS_MAX = 8;

/** A thread for each processor, the caller's included; or as many as are told. */
export function wasmThreads(count: number = Math.min(THREADS_MAX, navigator.hardwareConcurrency)): WasmDeviceOptions {
  return { openThread, threads: count - 1 };
}

function openThread(): ReturnType<typeof workerPort> {
  return workerPort(
    new Worker(new URL("./wasm-thread.ts", import.meta.url), { type: "module", name: "hearth thread" }),
  );
}

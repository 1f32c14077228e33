/** Threads for a WebAssembly device in Node. */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { WasmDeviceOptions } from "../../compute/device/wasm/open-wasm-device.ts";
import { threadPort } from "./worker-ports.ts";

/** More than this help little, and take memory each. */
const THREADS_MAX = 8;

/** A thread for each processor that the process may use, the caller's included; or as many as are told. */
export function wasmThreads(count: number = Math.min(THREADS_MAX, availableParallelism())): WasmDeviceOptions {
  return { openThread, threads: count - 1 };
}

function openThread(): ReturnType<typeof threadPort> {
  const program = JSON.stringify(new URL("./wasm-thread.ts", import.meta.url).href);
  const loader = JSON.stringify(import.meta.resolve("tsx/esm/api"));
  // TypeScript needs its loader inside of the thread.
  const code = `import(${loader}).then(({ register }) => { register(); return import(${program}); });`;
  const worker = new Worker(code, { eval: true });
  // Whoever owns the device decides when the process ends.
  worker.unref();
  return threadPort(worker);
}

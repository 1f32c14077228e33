/** TensorFlow.js's WebAssembly backend (XNNPACK), on one thread. */
import * as tf from "@tensorflow/tfjs";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import { UnsupportedError } from "../../src/base/errors.ts";

/** Its modules, as Vite serves files of this repository, and as Node finds them. */
const FOLDER = "node_modules/@tensorflow/tfjs-backend-wasm/dist/";

/** @throws UnsupportedError when it does not start */
export async function startWasm(): Promise<{ readonly lost: Promise<unknown> }> {
  const isPage = "document" in globalThis;
  // Not in place: Vite takes `new URL(`...`, import.meta.url)` for a pattern of files that it is to bundle.
  const here = import.meta.url;
  const { pathname } = new URL(`../../${FOLDER}`, here);
  setWasmPaths(pathname.startsWith("/@fs") || !isPage ? pathname : `/@fs${pathname}`);
  tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
  const isThere = await tf.setBackend("wasm");
  if (!isThere) throw new UnsupportedError("tfjs: expected the backend wasm, found that it does not start");
  await tf.ready();
  return { lost: new Promise(() => {}) };
}

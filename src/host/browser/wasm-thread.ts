/** The program of a thread of a WebAssembly device in a browser. */
import { serveThread } from "../../compute/device/wasm/thread.ts";
import { workerScopePort } from "./worker-ports.ts";

serveThread(workerScopePort());

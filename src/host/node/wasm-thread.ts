/** The program of a thread of a WebAssembly device in Node. */
import { serveThread } from "../../compute/device/wasm/thread.ts";
import { threadScopePort } from "./worker-ports.ts";

serveThread(threadScopePort());

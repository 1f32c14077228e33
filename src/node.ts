/** `hearth/node`: what a program in Node needs to compute with `hearth`: a device, files, worker threads. */
export { openFile } from "./host/node/file-source.ts";
export type { FileSource } from "./host/node/file-source.ts";
export { openRuntime } from "./host/node/open-runtime.ts";
export type { NodeDeviceChoice, NodeRuntime, NodeRuntimeOptions } from "./host/node/open-runtime.ts";
export { threadPort, threadScopePort } from "./host/node/worker-ports.ts";
export { openUrl } from "./host/url-source.ts";
export type { UrlSourceOptions } from "./host/url-source.ts";

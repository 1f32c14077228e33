/** `hearth/browser`: what a page of one's own needs to compute with `hearth`: a device, images, files, workers. */
export { decodeImage } from "./host/browser/decode-image.ts";
export { openRuntime } from "./host/browser/open-runtime.ts";
export type { BrowserRuntimeOptions, OpenedRuntime } from "./host/browser/open-runtime.ts";
export type { DeviceChoice } from "./host/browser/engine-api.ts";
export { openPortExchange } from "./host/browser/port-exchange.ts";
export { workerPort, workerScopePort } from "./host/browser/worker-ports.ts";
export { openUrl } from "./host/url-source.ts";
export type { UrlSourceOptions } from "./host/url-source.ts";

/** `hearth/browser`: what a page of one's own needs to compute with `hearth`. */
export { openRuntime } from "./host/browser/open-runtime.ts";
export type { OpenedRuntime } from "./host/browser/open-runtime.ts";
export type { DeviceChoice } from "./host/browser/engine-api.ts";

/** `hearth/node`: what a program in Node needs to compute with `hearth`. */
export { openRuntime } from "./host/node/open-runtime.ts";
export type { NodeDeviceChoice, NodeRuntime } from "./host/node/open-runtime.ts";

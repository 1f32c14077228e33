/** `hearth/node`: what a program in Node needs to compute with `hearth`: a device, files, worker threads. */
export { openFile } from "./host/node/file-source.ts";
export type { FileSource } from "./host/node/file-source.ts";
export { openRuntime } from "./host/node/open-runtime.ts";
export type { NodeDeviceChoice, NodeRuntime, NodeRuntimeOptions } from "./host/node/open-runtime.ts";
export { parseSignal } from "./host/node/rtc/peer-signals.ts";
export type { IceSignal } from "./network/transport/webrtc/ice-keeper.ts";
export type { PeerSignal, PeerSignaling, SignalBody } from "./host/node/rtc/peer-signals.ts";
export { PeerServerLine } from "./host/node/rtc/peer-server-line.ts";
export type { PeerServerOptions } from "./host/node/rtc/peer-server-line.ts";
export { NodeRtcTransport } from "./host/node/rtc/rtc-transport.ts";
export type { NodeRtcOptions } from "./host/node/rtc/rtc-transport.ts";
export { openWrtc } from "./host/node/rtc/wrtc.ts";
export type { PeerConnections } from "./host/node/rtc/wrtc.ts";
export { threadPort, threadScopePort } from "./host/node/worker-ports.ts";
export { openUrl } from "./host/url-source.ts";
export type { UrlSourceOptions } from "./host/url-source.ts";

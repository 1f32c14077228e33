/** `hearth/network`: bytes between peers, for those who build something other than training on it. */
export { BlobExchange } from "./network/blob-exchange.ts";
export type { BlobExchangeOptions, FetchOptions } from "./network/blob-exchange.ts";
export type { BlobFault, WantedBlob } from "./network/blob-fetch.ts";
export type { BlobLookup } from "./network/blob-server.ts";
export { Group } from "./network/collectives/group.ts";
export type { GroupOptions } from "./network/collectives/group.ts";
export type { OperationOptions } from "./network/collectives/operation.ts";
export type { Reducer } from "./network/collectives/reducer.ts";
export { Mux } from "./network/mux.ts";
export type { DropReason, MuxOptions, MuxStats } from "./network/mux.ts";
export { MessagePortTransport } from "./network/transport/message-port/message-port-transport.ts";
export type { PortBroker } from "./network/transport/message-port/message-port-transport.ts";
export { SimulatedNetwork } from "./network/transport/simulated/simulated-network.ts";
export type { NetworkOptions } from "./network/transport/simulated/simulated-network.ts";
export { VirtualClock } from "./network/transport/simulated/virtual-clock.ts";
export type { Link, LinkStats, PathKind, PeerId, Transport } from "./network/transport/transport.ts";
export type { Fence } from "./network/wire/frame.ts";
export type { ByteCategory, ByteCounts } from "./network/wire/messages.ts";

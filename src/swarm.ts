/** `hearth/swarm`: training together. The page joins rooms; the engine worker serves runs. */
export { defineRun } from "./training/define-run.ts";
export type { Dataset, HostTensor, OptimizerSpec, RunDefinition, Settings } from "./training/run-definition.ts";
export { createRoom, FILE_BYTES_MAX } from "./host/browser/create-room.ts";
export type { RoomOptions } from "./host/browser/create-room.ts";
export { join, Run } from "./host/browser/join.ts";
export type { JoinOptions, PathChoice, StartOptions } from "./host/browser/join.ts";
export { joinPool, PoolTab } from "./host/browser/pool.ts";
export type { PoolOptions, PoolView } from "./host/browser/pool.ts";
export { serveEngine } from "./host/browser/engine-worker.ts";
export type { Identity } from "./network/transport/websocket-relay/identity.ts";
export type { CheckpointView, ChoiceView, LinkView, Phase, RoomView, StorageView } from "./host/browser/room-view.ts";
export type { DataSpec, QueueSpec, ImportSpec, RunSpec } from "./network/wire/run-spec.ts";
export type { HistoryPoint, RosterEntry } from "./network/wire/messages.ts";
export type { StepLine, StepTimes } from "./network/wire/run-line.ts";
export { Random } from "./base/random.ts";

/** `hearth/swarm`: training together. The page joins rooms; the engine worker serves runs. */
export { defineRun } from "./training/define-run.ts";
export type { Dataset, HostTensor, OptimizerSpec, RunDefinition, Settings } from "./training/run-definition.ts";
export { createRoom, FILE_BYTES_MAX } from "./host/browser/create-room.ts";
export type { RoomOptions } from "./host/browser/create-room.ts";
export { join, Run } from "./host/browser/join.ts";
export type { JoinOptions, StartOptions } from "./host/browser/join.ts";
export { serveEngine } from "./host/browser/engine-worker.ts";
export type { CheckpointView, Phase, RoomView } from "./host/browser/room-view.ts";
export type { DataSpec, HistoryPoint, RosterEntry, RunSpec, StepLine, StepTimes } from "./network/wire/messages.ts";
export { Random } from "./base/random.ts";

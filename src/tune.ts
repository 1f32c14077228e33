/** `hearth/tune`: finding out which kernels are fastest on the device at hand, and the table of what was found. */
export { tuneWhenIdle } from "./host/tune-when-idle.ts";
export type { IdleTuningOptions } from "./host/tune-when-idle.ts";
export { tune, tuningTable } from "./compute/runtime/tune.ts";
export type { TuneOptions, TuneProgress, TuneReport, TuningRow } from "./compute/runtime/tune.ts";
export type { TuningStore } from "./compute/runtime/tuning-store.ts";
export type { CandidateResult, TuningEntry, TuningTable } from "./compute/compiler/tuning/table.ts";

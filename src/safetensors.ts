/** The namespace `safetensors` of the entry `hearth`: weights in files, in memory, on disk or behind a URL. */
export type { TensorInfo } from "./model/safetensors/header.ts";
export { loadModule, saveModule } from "./model/safetensors/module-file.ts";
export type { LoadModuleOptions } from "./model/safetensors/module-file.ts";
export { blobSource, bytesSource } from "./model/safetensors/ranged-source.ts";
export type { RangedSource, ReadOptions } from "./model/safetensors/ranged-source.ts";
export { readSafetensors, SafetensorsFile } from "./model/safetensors/safetensors-file.ts";
export { readShardIndex, ShardedFile } from "./model/safetensors/sharded-file.ts";
export type { OpenShard } from "./model/safetensors/sharded-file.ts";
export type { Progress, ReadTensorsOptions, TensorFile } from "./model/safetensors/tensor-file.ts";
export { writeSafetensors } from "./model/safetensors/write-safetensors.ts";
export type { WriteOptions } from "./model/safetensors/write-safetensors.ts";

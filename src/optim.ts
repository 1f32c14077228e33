/** The namespace `optim` of the entry `hearth`: optimizers, and their update rules as functions of tensors. */
export { Adam, AdamW } from "./model/optim/adam.ts";
export type { AdamClassOptions } from "./model/optim/adam.ts";
export { Optimizer } from "./model/optim/optimizer.ts";
export { SGD } from "./model/optim/sgd.ts";
export { adamUpdate, adamwUpdate, biasCorrections, sgdUpdate } from "./model/optim/update-rules.ts";
export type {
  AdamOptions,
  AdamResult,
  AdamState,
  SgdOptions,
  SgdResult,
  SgdState,
} from "./model/optim/update-rules.ts";

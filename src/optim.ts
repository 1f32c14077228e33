/** The namespace `optim` of the entry `hearth`: optimizers, schedules, clipping, averages, loss scaling, update rules. */
export { Adadelta } from "./model/optim/adadelta.ts";
export type { AdadeltaOptions } from "./model/optim/adadelta.ts";
export { Adagrad } from "./model/optim/adagrad.ts";
export type { AdagradOptions } from "./model/optim/adagrad.ts";
export { Adam, AdamW } from "./model/optim/adam.ts";
export type { AdamOptions } from "./model/optim/adam.ts";
export { Adamax, NAdam, RAdam } from "./model/optim/adam-relatives.ts";
export type { AdamaxOptions, NAdamOptions, RAdamOptions } from "./model/optim/adam-relatives.ts";
export { clipGradNorm, clipGradValue } from "./model/optim/clip-grad.ts";
export type { ClipGradNormOptions } from "./model/optim/clip-grad.ts";
export { ExponentialMovingAverage } from "./model/optim/exponential-moving-average.ts";
export type { ExponentialMovingAverageOptions } from "./model/optim/exponential-moving-average.ts";
export { GradScaler } from "./model/optim/grad-scaler.ts";
export type { GradScalerOptions, GradScalerState, Scalable } from "./model/optim/grad-scaler.ts";
export { Lion } from "./model/optim/lion.ts";
export type { LionOptions } from "./model/optim/lion.ts";
export { Muon } from "./model/optim/muon.ts";
export type { MuonClassOptions, MuonOptions, MuonStates } from "./model/optim/muon.ts";
export { Optimizer } from "./model/optim/optimizer.ts";
export type { GroupInput, ParametersOf, StepOptions, UpdateInput } from "./model/optim/optimizer.ts";
export type { OptimizerStateDict } from "./model/optim/optimizer-state.ts";
export type { GroupOptions, ParamGroup, RuleOptions } from "./model/optim/param-group.ts";
export { RMSprop } from "./model/optim/rmsprop.ts";
export type { RMSpropOptions } from "./model/optim/rmsprop.ts";
export { adamUpdate, adamwUpdate, biasCorrections } from "./model/optim/rules/adam-rule.ts";
export type { AdamInput, AdamResult, AdamRuleOptions, AdamState } from "./model/optim/rules/adam-rule.ts";
export type { Decay, RuleInput } from "./model/optim/rules/rule.ts";
export type { AdadeltaState } from "./model/optim/rules/adadelta-rule.ts";
export type { AdagradState } from "./model/optim/rules/adagrad-rule.ts";
export type { AdamaxState } from "./model/optim/rules/adamax-rule.ts";
export type { LionState } from "./model/optim/rules/lion-rule.ts";
export type { NadamState } from "./model/optim/rules/nadam-rule.ts";
export type { RadamState } from "./model/optim/rules/radam-rule.ts";
export type { RmspropState } from "./model/optim/rules/rmsprop-rule.ts";
export { sgdUpdate } from "./model/optim/rules/sgd-rule.ts";
export type { SgdInput, SgdResult, SgdRuleOptions, SgdState } from "./model/optim/rules/sgd-rule.ts";
export { ChainedScheduler, SequentialLR } from "./model/optim/schedulers/combined-schedulers.ts";
export type { SequentialLROptions } from "./model/optim/schedulers/combined-schedulers.ts";
export { CosineAnnealingLR, CosineAnnealingWarmRestarts } from "./model/optim/schedulers/cosine-schedulers.ts";
export type {
  CosineAnnealingLROptions,
  CosineAnnealingWarmRestartsOptions,
} from "./model/optim/schedulers/cosine-schedulers.ts";
export { ExponentialLR, MultiStepLR, PolynomialLR, StepLR } from "./model/optim/schedulers/decay-schedulers.ts";
export type {
  ExponentialLROptions,
  MultiStepLROptions,
  PolynomialLROptions,
  StepLROptions,
} from "./model/optim/schedulers/decay-schedulers.ts";
export { LambdaLR, MultiplicativeLR } from "./model/optim/schedulers/lambda-schedulers.ts";
export type { LrLambda } from "./model/optim/schedulers/lambda-schedulers.ts";
export { OneCycleLR } from "./model/optim/schedulers/one-cycle-lr.ts";
export type { OneCycleLROptions } from "./model/optim/schedulers/one-cycle-lr.ts";
export { ReduceLROnPlateau } from "./model/optim/schedulers/reduce-lr-on-plateau.ts";
export type { ReduceLROnPlateauOptions } from "./model/optim/schedulers/reduce-lr-on-plateau.ts";
export { LRScheduler } from "./model/optim/schedulers/scheduler.ts";
export type {
  RateInput,
  Scheduled,
  Scheduler,
  SchedulerOptions,
  SchedulerState,
} from "./model/optim/schedulers/scheduler.ts";
export { ConstantLR, LinearLR } from "./model/optim/schedulers/warmup-schedulers.ts";
export type { ConstantLROptions, LinearLROptions } from "./model/optim/schedulers/warmup-schedulers.ts";
export { SGD } from "./model/optim/sgd.ts";
export type { SgdOptions } from "./model/optim/sgd.ts";
export { weightDecayGroups } from "./model/optim/weight-decay-groups.ts";
export type { WeightDecayGroupsOptions } from "./model/optim/weight-decay-groups.ts";

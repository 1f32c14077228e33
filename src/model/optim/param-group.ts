/**
 * A group of parameters with options of its own. Its learning rate, weight decay and momentum are data: a compiled step
 * sees them change. A change of any other option has compiled steps traced again.
 */
import { present } from "../../base/assert.ts";
import { OptionError } from "../../base/errors.ts";
import { tensor } from "../../compute/tensor/create.ts";
import type { Tensor } from "../../compute/tensor/tensor.ts";
import { currentTrace } from "../../compute/tensor/trace.ts";
import { setValues } from "../nn/set-values.ts";
import { checkOption } from "./check-option.ts";
import { finiteLog } from "./rules/rule.ts";
import type { Decay } from "./rules/rule.ts";

/** Options that schedules and optimizers know by name. */
export interface GroupOptions {
  readonly lr: number;
  /** Climbs instead of descending. */
  readonly maximize: boolean;
  readonly weightDecay?: number;
  readonly momentum?: number;
  readonly betas?: readonly [number, number];
}

/** What `optimizer.paramGroups` lists: the parameters and all options, which can be set. */
export type ParamGroup<O> = { -readonly [K in keyof O]: O[K] } & {
  readonly params: readonly Tensor[];
  /** Where a learning rate schedule began; undefined without one. */
  initialLr?: number;
};

/** Options as update rules take them: what is data is a tensor of no axes. */
export type RuleOptions<O> = {
  readonly [K in keyof O]: K extends "lr"
    ? Tensor
    : K extends "weightDecay"
      ? Tensor | 0
      : K extends "momentum"
        ? Decay
        : K extends "betas"
          ? readonly [Decay, number]
          : O[K];
};

/** Places in the data: the learning rate, the weight decay, the momentum and the first beta, each as b, 1 - b and ln b. */
const LR = 0;
const WEIGHT_DECAY = 1;
const MOMENTUM = 2;
const BETA = 5;

export class GroupState<O extends GroupOptions> {
  readonly params: readonly Tensor[];
  readonly view: ParamGroup<O>;
  /** [params]: updates of each so far. */
  readonly steps: Tensor;
  readonly #operation: string;
  readonly #onChange: () => void;
  /** [8], see above. */
  readonly #data: Tensor;
  #options: O;
  /** Counts changes that a compiled step must be traced again for. */
  #structure = 0;
  #isEven = true;
  /** True when eager steps may wait for what is in the data now. */
  #isInUse = false;

  /** `onChange` is called after a change of an option that is not data. @throws OptionError */
  constructor(operation: string, params: readonly Tensor[], options: O, onChange: () => void) {
    this.#operation = operation;
    this.#onChange = onChange;
    this.params = params;
    this.#options = options;
    for (const [name, value] of Object.entries(options)) checkOption(operation, name, value);
    this.steps = tensor(new Float32Array(params.length));
    this.#data = tensor(dataOf(options));
    this.view = this.#makeView();
  }

  get options(): O {
    return this.#options;
  }

  /** The options for an update rule, read for one step. */
  ruleOptions(): RuleOptions<O> {
    const options = this.#options;
    const structure = this.#structure;
    const trace = currentTrace();
    if (trace === null) this.#isInUse = true;
    trace?.guard(() => this.#structure === structure);
    const { weightDecay, momentum, betas } = options;
    return {
      ...options,
      lr: this.#at(LR),
      ...(weightDecay === undefined ? {} : { weightDecay: weightDecay === 0 ? 0 : this.#at(WEIGHT_DECAY) }),
      ...(momentum === undefined ? {} : { momentum: momentum === 0 ? 0 : this.#decayAt(MOMENTUM) }),
      ...(betas === undefined ? {} : { betas: [this.#decayAt(BETA), betas[1]] }),
    } as RuleOptions<O>;
  }

  /**
   * True while every parameter has been updated as often as the others, this step included if `all` are. Then one row of
   * what a step needs to know serves all, and parameters of one shape share their kernels.
   */
  isEven(all: boolean): boolean {
    if (!all) this.#isEven = false;
    const isEven = this.#isEven;
    currentTrace()?.guard(() => this.#isEven === isEven);
    return isEven;
  }

  /** Sets how often each parameter has been updated. */
  setSteps(counts: Float32Array<ArrayBuffer>): void {
    setValues(this.#operation, this.steps, counts);
    this.#isEven = counts.every((count) => count === counts[0]);
  }

  /** Sets options. @throws OptionError */
  set(changes: Partial<O>): void {
    if (currentTrace() !== null) {
      throw new OptionError(
        `${this.#operation}: expected options to be set outside of compiled functions, found it inside`,
      );
    }
    const before = this.#options;
    const after = { ...before, ...changes };
    for (const [name, value] of Object.entries(changes)) checkOption(this.#operation, name, value);
    this.#options = after;
    this.#write(dataOf(before), dataOf(after));
    if (structureOf(before) === structureOf(after)) return;
    this.#structure += 1;
    this.#onChange();
  }

  #at(place: number): Tensor {
    return this.#data.select(0, place);
  }

  #decayAt(place: number): Decay {
    return { keep: this.#at(place), rest: this.#at(place + 1), log: this.#at(place + 2) };
  }

  #write(before: Float32Array<ArrayBuffer>, data: Float32Array<ArrayBuffer>): void {
    if (before.every((value, i) => value === data[i])) return;
    // Steps that are not computed yet keep what they read; without any, compiled steps find the bytes in place.
    if (this.#isInUse) setValues(this.#operation, this.#data, data);
    else this.#data.write(data);
    this.#isInUse = false;
  }

  #makeView(): ParamGroup<O> {
    const view = { params: this.params };
    for (const name of Object.keys(this.#options) as (keyof O & string)[]) {
      Object.defineProperty(view, name, {
        enumerable: true,
        get: () => this.#options[name],
        set: (value: O[keyof O & string]) => {
          this.set({ [name]: value } as unknown as Partial<O>);
        },
      });
    }
    return Object.seal(Object.assign(view, { initialLr: undefined })) as unknown as ParamGroup<O>;
  }
}

function dataOf({ lr, weightDecay = 0, momentum = 0, betas = [0, 0] }: GroupOptions): Float32Array<ArrayBuffer> {
  const lanes = [momentum, betas[0]].flatMap((keep) => [keep, 1 - keep, finiteLog(keep)]);
  return Float32Array.of(lr, weightDecay, ...lanes);
}

/** Equal for options that one trace serves. */
function structureOf(options: GroupOptions): string {
  const { lr, weightDecay, momentum, betas, ...rest } = options;
  present(lr, "the learning rate");
  return JSON.stringify([weightDecay === 0, momentum === 0, betas?.[1], rest]);
}

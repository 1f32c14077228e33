/**
 * What all optimizers share: groups of parameters, state for each parameter, steps, and saving. An optimizer says what
 * it keeps (`initialState`) and how a step goes (`update`).
 */
import { present } from "../../base/assert.ts";
import { OptionError } from "../../base/errors.ts";
import { tensor } from "../../compute/tensor/create.ts";
import { noGrad } from "../../compute/tensor/grad-mode.ts";
import { where } from "../../compute/tensor/ops/where.ts";
import { Tensor } from "../../compute/tensor/tensor.ts";
import { currentTrace } from "../../compute/tensor/trace.ts";
import { loadOptimizerState, optimizerStateDict } from "./optimizer-state.ts";
import type { OptimizerStateDict, SavedGroup } from "./optimizer-state.ts";
import { GroupState } from "./param-group.ts";
import type { GroupOptions, ParamGroup, RuleOptions } from "./param-group.ts";
import { stateTensor } from "./state-tensor.ts";

/** A group as it is asked for: its parameters, and the options in which it differs from the optimizer's. */
export type GroupInput<O> = Partial<O> & { readonly params: Iterable<Tensor> | Tensor };

/** What optimizers take: tensors, or groups of them. */
export type ParametersOf<O> = Iterable<Tensor> | Iterable<GroupInput<O>>;

/** One parameter in one step. Parameter and gradient are of float32, whatever they are stored as. */
export interface UpdateInput<O extends GroupOptions, S> {
  readonly parameter: Tensor;
  readonly gradient: Tensor;
  readonly state: S;
  readonly options: RuleOptions<O>;
  /** A row of each of the tensors that `perStep` made. */
  readonly factors: Readonly<Record<string, Tensor>>;
}

/** Options of `Optimizer.step`. */
export interface StepOptions {
  /** One element: where it is true, the step changes nothing, neither parameters nor state. */
  readonly skipIf?: Tensor;
}

type States = readonly Readonly<Record<string, Tensor | null>>[];

/**
 * The base of optimizers: parameter groups, state for each parameter, steps, saving. A subclass says what it keeps for
 * a parameter and how a step goes. Updates are computed in float32, whatever parameters are stored as.
 */
export abstract class Optimizer<O extends GroupOptions = GroupOptions, S extends object = object> {
  readonly #name: string;
  readonly #defaults: O;
  readonly #groups: GroupState<O>[] = [];
  readonly #states = new Map<GroupState<O>, States>();
  /** Where what `perStep` makes is kept: stored once a step, not once for each parameter that reads a row of it. */
  readonly #factors = new Map<GroupState<O>, Readonly<Record<string, Tensor>>>();

  /** @throws OptionError for options that make no sense, no parameters, or one of them twice */
  constructor(name: string, parameters: ParametersOf<O>, options: Partial<O>, defaults: O) {
    this.#name = name;
    this.#defaults = mergedOptions(name, defaults, options);
    for (const group of groupsOf(name, parameters)) this.addParamGroup(group);
  }

  /** Groups with their options, which can be set; compiled steps see it. */
  get paramGroups(): readonly ParamGroup<O>[] {
    return this.#groups.map(({ view }) => view);
  }

  /** All parameters, group by group. */
  get parameters(): readonly Tensor[] {
    return this.#groups.flatMap(({ params }) => params);
  }

  /** The first group's learning rate. Setting it sets that of all groups. */
  get lr(): number {
    return present(this.#groups[0], "Optimizer.lr: a group").options.lr;
  }

  set lr(lr: number) {
    for (const { view } of this.#groups) view.lr = lr;
  }

  /** One group more. @throws OptionError */
  addParamGroup({ params, ...options }: GroupInput<O>): void {
    const list = params instanceof Tensor ? [params] : [...params];
    const merged = mergedOptions(this.#name, this.#defaults, options as unknown as Partial<O>);
    this.#check(list);
    const group = new GroupState<O>(this.#name, list, merged, () => this.#complete(group));
    this.#groups.push(group);
    this.#complete(group);
  }

  /** Takes away all gradients. */
  zeroGrad(): void {
    for (const parameter of this.parameters) parameter.grad = null;
  }

  /** Updates every parameter that has a gradient. */
  step({ skipIf }: StepOptions = {}): void {
    noGrad(() => {
      for (const group of this.#groups) this.#stepGroup(group, skipIf?.reshape([]));
    });
  }

  /** State and options, as host values: training that loads them goes on as if it had never stopped. */
  stateDict(): Promise<OptimizerStateDict> {
    return optimizerStateDict(this.#saved());
  }

  /** @throws OptionError, ShapeError that list all in which `dict` does not fit; then nothing has changed */
  loadStateDict(dict: OptimizerStateDict): void {
    loadOptimizerState(this.#name, this.#saved(), dict);
  }

  /** What is kept for a parameter: tensors of float32, null where the options need none. */
  protected abstract initialState(parameter: Tensor, options: O): S;

  /** The new parameter and the new state. */
  protected abstract update(input: UpdateInput<O, S>): S & { readonly parameter: Tensor };

  /**
   * What a step needs to know once for all parameters: from `steps` [n], which counts this step too, tensors [n] or
   * [n, ..]; each update gets its row of them as `factors`.
   */
  protected perStep(_steps: Tensor, _options: RuleOptions<O>): Readonly<Record<string, Tensor>> {
    return {};
  }

  #saved(): SavedGroup[] {
    return this.#groups.map((group) => ({
      params: group.params,
      steps: group.steps,
      setSteps: (counts) => group.setSteps(counts),
      states: () => present(this.#states.get(group), "Optimizer: a group's state"),
      options: savedOptions(group),
      set: ({ initialLr, ...options }: Readonly<Record<string, unknown>>) => {
        group.set(options as unknown as Partial<O>);
        if (typeof initialLr === "number") group.view.initialLr = initialLr;
      },
    }));
  }

  #stepGroup(group: GroupState<O>, skipIf: Tensor | undefined): void {
    const live = group.params.map((parameter) => watchedGradient(parameter));
    if (!live.includes(true)) return;
    const put = (target: Tensor, value: Tensor): void => {
      const next = value.cast(target.dtype);
      target.assign(skipIf === undefined ? next : where(skipIf, target.detach(), next));
    };
    const steps = group.steps.add(advanceOf(live));
    const isEven = group.isEven(live.every(Boolean));
    const options = group.ruleOptions();
    const perStep = this.perStep(steps, options);
    const factors = Object.entries(present(this.#factors.get(group), "Optimizer.step: a group's factors"));
    for (const [name, kept] of factors) kept.assign(present(perStep[name], `${this.#name}: the factor ${name}`));
    if (factors.length > 0) put(group.steps, steps);
    const states = present(this.#states.get(group), "Optimizer.step: a group's state");
    group.params.forEach((parameter, i) => {
      if (live[i] !== true) return;
      const gradient = present(parameter.grad, "Optimizer.step: a gradient").detach().cast("float32");
      const state = present(states[i], "Optimizer.step: a parameter's state");
      const { parameter: next, ...nextState } = this.update({
        parameter: parameter.detach().cast("float32"),
        gradient: group.options.maximize ? gradient.neg() : gradient,
        state: state as S,
        options,
        factors: Object.fromEntries(factors.map(([name, values]) => [name, values.detach().select(0, isEven ? 0 : i)])),
      });
      put(parameter, next);
      for (const [name, value] of Object.entries(nextState as Record<string, Tensor | null>)) {
        if (value !== null) put(present(state[name], `${this.#name}: the state ${name}`), value);
      }
    });
  }

  /** Makes the state that is missing: all at first, a momentum's when it is switched on later. */
  #complete(group: GroupState<O>): void {
    const before = this.#states.get(group);
    const states = group.params.map((parameter, i) => {
      const fresh = this.initialState(parameter, group.options) as Record<string, Tensor | null>;
      const kept = before?.[i] ?? {};
      return Object.fromEntries(Object.entries(fresh).map(([name, value]) => [name, value && (kept[name] ?? value)]));
    });
    this.#states.set(group, states);
    const factors = noGrad(() => Object.entries(this.perStep(group.steps, group.ruleOptions())));
    this.#factors.set(group, Object.fromEntries(factors.map(([name, { shape }]) => [name, stateTensor(shape)])));
  }

  #check(params: readonly Tensor[]): void {
    const name = this.#name;
    if (params.length === 0) throw new OptionError(`${name}: expected parameters, found none`);
    const all = [...this.parameters, ...params];
    if (new Set(all).size !== all.length) {
      throw new OptionError(`${name}: expected each parameter once, found one of them twice`);
    }
    const made = params.find(({ value }) => value.origin !== null)?.value.origin;
    if (made) throw new OptionError(`${name}: expected parameters that no differentiable op made, found one of ${made.name}`); // prettier-ignore
  }
}

/** Whether `parameter` has a gradient; a compiled step is traced again when it is frozen or thawed. */
function watchedGradient(parameter: Tensor): boolean {
  const { requiresGrad } = parameter;
  currentTrace()?.guard(() => parameter.requiresGrad === requiresGrad);
  return parameter.grad !== null;
}

function groupsOf<O>(name: string, parameters: ParametersOf<O>): GroupInput<O>[] {
  const list: (Tensor | GroupInput<O>)[] = [...parameters];
  if (list.length === 0) throw new OptionError(`${name}: expected parameters, found none`);
  const tensors = list.filter((item) => item instanceof Tensor);
  if (tensors.length === list.length) return [{ params: tensors } as unknown as GroupInput<O>];
  if (tensors.length > 0) throw new OptionError(`${name}: expected tensors or groups, found both`);
  return list as GroupInput<O>[];
}

function savedOptions<O extends GroupOptions>({ options, view }: GroupState<O>): Record<string, unknown> {
  const { initialLr } = view;
  return { ...Object.fromEntries(Object.entries(options)), ...(initialLr === undefined ? {} : { initialLr }) };
}

/** What a step adds to the counts. */
function advanceOf(live: readonly boolean[]): Tensor | number {
  return live.every(Boolean) ? 1 : tensor(Float32Array.from(live, Number));
}

/** `defaults` with `options` in their place. @throws OptionError for options that are not among the defaults */
function mergedOptions<O extends object>(name: string, defaults: O, options: Partial<O>): O {
  const known = Object.keys(defaults);
  const unknown = Object.keys(options).filter((key) => !known.includes(key));
  if (unknown.length > 0) {
    throw new OptionError(`${name}: expected the options ${known.join(", ")}, found ${unknown.join(", ")}`);
  }
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return { ...defaults, ...Object.fromEntries(given) };
}

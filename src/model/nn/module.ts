/** The base of all layers and models: finds parameters by the names of fields, as PyTorch does. */
import { OptionError } from "../../base/errors.ts";
import { present } from "../../base/assert.ts";
import type { DType } from "../../compute/layout/dtype.ts";
import { isFloat } from "../../compute/layout/dtype.ts";
import type { HostValues } from "../../compute/tensor/host-values.ts";
import { Tensor } from "../../compute/tensor/tensor.ts";
import { currentTrace } from "../../compute/tensor/trace.ts";
import type { HookHandle } from "../../compute/tensor/hooks.ts";
import { HookList, WatchedCall } from "./hooks.ts";
import type { ForwardHook, ForwardPreHook, FullBackwardHook } from "./hooks.ts";
import { compareState } from "./module-state.ts";
import type { LoadResult, StateDict } from "./module-state.ts";
import { Buffer, Parameter } from "./parameter.ts";
import { setDType, setValues } from "./set-values.ts";

/** Options of `Module.stateDict`. */
export interface StateOptions {
  /** What names in the state begin with beyond the module's: "encoder." for a part of a larger model's. */
  readonly prefix?: string;
}

/** Options of `Module.loadStateDict`. */
export interface LoadOptions extends StateOptions {
  /** Refuse missing and unexpected names. On by default. */
  readonly strict?: boolean;
}

/**
 * The base of layers and models. Its fields are its parts: parameters, buffers and modules, found by name as in
 * PyTorch ("blocks.0.fc.weight"). Subclasses write `forward`; callers write `call`, which runs hooks too.
 */
export abstract class Module {
  #training = true;
  readonly #preHooks = new HookList<ForwardPreHook>();
  readonly #forwardHooks = new HookList<ForwardHook>();
  readonly #backwardHooks = new HookList<FullBackwardHook>();

  /** True while it trains: dropout drops. A compiled function is traced again when it changes. */
  get training(): boolean {
    const training = this.#training;
    currentTrace()?.guard(() => this.#training === training);
    return training;
  }

  /** Sets the mode of this module and all inside it. */
  train(training = true): this {
    for (const module of this.modules()) module.#training = training;
    return this;
  }

  /** `train(false)`. */
  eval(): this {
    return this.train(false);
  }

  /** What it is made of, by name: its fields. Containers override it. */
  protected members(): Iterable<readonly [string, unknown]> {
    return Object.entries(this);
  }

  /** `forward` and the hooks around it: PyTorch's `module(x)`. Subclasses write `forward`, callers write `call`. */
  call<Args extends readonly unknown[], Result>(
    this: Module & { forward(...args: Args): Result },
    ...args: Args
  ): Result {
    let given: readonly unknown[] = args;
    for (const hook of this.#preHooks.read()) {
      const changed = hook(this, given) ?? given;
      given = Array.isArray(changed) ? changed : [changed];
    }
    const backward = this.#backwardHooks.read();
    const watched = backward.length > 0 ? new WatchedCall(this, backward) : null;
    if (watched) given = watched.inputs(given);
    let output: unknown = this.forward(...(given as unknown as Args));
    for (const hook of this.#forwardHooks.read()) output = hook(this, given, output) ?? output;
    return (watched ? watched.output(output) : output) as Result;
  }

  /** `hook` runs before `forward` in every `call`, and may change its arguments. */
  registerForwardPreHook(hook: ForwardPreHook<this>): HookHandle {
    return this.#preHooks.add(hook as ForwardPreHook);
  }

  /** `hook` runs after `forward` in every `call`, and may change its output. */
  registerForwardHook(hook: ForwardHook<this>): HookHandle {
    return this.#forwardHooks.add(hook as ForwardHook);
  }

  /**
   * `hook` runs in the backward pass of every `call`, when gradients have come to all inputs that require them (to
   * all outputs, where no input does). It never runs for an input that the loss does not depend on.
   */
  registerFullBackwardHook(hook: FullBackwardHook<this>): HookHandle {
    return this.#backwardHooks.add(hook as FullBackwardHook);
  }

  /** A parameter under a name that is no field of the class: the same as setting the field. */
  registerParameter(name: string, parameter: Parameter | null): void {
    this.#register("registerParameter", name, parameter);
  }

  /** A buffer under a name that is no field of the class. One that is not persistent is not saved. */
  registerBuffer(
    name: string,
    values: Tensor | HostValues | null,
    options: { readonly persistent?: boolean } = {},
  ): void {
    const buffer = values === null || values instanceof Buffer ? values : new Buffer(values, options);
    this.#register("registerBuffer", name, buffer);
  }

  /** A module under a name that is no field of the class: the same as setting the field. */
  addModule(name: string, module: Module | null): void {
    this.#register("addModule", name, module);
  }

  /** This module and all inside it, each once. */
  modules(): Module[] {
    return this.namedModules().map(([, module]) => module);
  }

  /** As `modules`, with names: "" for this one, "blocks.0.fc". */
  namedModules(): [string, Module][] {
    const names = new Map<Module, string>();
    const visit = (module: Module, path: string): void => {
      if (names.has(module)) return;
      names.set(module, path);
      for (const [name, child] of module.namedChildren()) visit(child, path === "" ? name : `${path}.${name}`);
    };
    visit(this, "");
    return [...names].map(([module, name]) => [name, module]);
  }

  /** The modules right inside, each once. */
  children(): Module[] {
    return this.namedChildren().map(([, module]) => module);
  }

  /** As `children`, with names. */
  namedChildren(): [string, Module][] {
    const entries = [...this.members()].filter((entry): entry is [string, Module] => entry[1] instanceof Module);
    return firstNames(entries);
  }

  /** Parameters by name ("blocks.0.fc.weight"), each under its first name, in the order of fields. */
  namedParameters(): [string, Parameter][] {
    return firstNames(this.#tensors().filter((entry): entry is [string, Parameter] => entry[1] instanceof Parameter));
  }

  /** Each parameter once, in the order of fields. */
  parameters(): Parameter[] {
    return this.namedParameters().map(([, parameter]) => parameter);
  }

  /** State that is not trained, by name. */
  namedBuffers(): [string, Buffer][] {
    return firstNames(this.#tensors().filter((entry): entry is [string, Buffer] => entry[1] instanceof Buffer));
  }

  /** Each buffer once, in the order of fields. */
  buffers(): Buffer[] {
    return this.namedBuffers().map(([, buffer]) => buffer);
  }

  /** Elements of all parameters, each once; of those that require gradients only, if `trainable`. */
  numParameters({ trainable = false }: { readonly trainable?: boolean } = {}): number {
    const counted = this.parameters().filter(({ requiresGrad }) => requiresGrad || !trainable);
    return counted.reduce((sum, { size }) => sum + size, 0);
  }

  /** Runs `fn` on all modules inside, then on this one. */
  apply(fn: (module: Module) => void): this {
    for (const child of this.children()) child.apply(fn);
    fn(this);
    return this;
  }

  /** Whether gradients flow to the parameters: `requiresGrad(false)` freezes them. */
  requiresGrad(requires = true): this {
    for (const parameter of this.parameters()) parameter.requiresGrad = requires;
    return this;
  }

  /** Parameters and buffers of floating point numbers in `dtype`. Gradients are dropped. */
  to(dtype: DType): this {
    if (!isFloat(dtype)) throw new OptionError(`to: expected a dtype of floating point numbers, found ${dtype}`);
    for (const [, tensor] of firstNames(this.#tensors())) if (isFloat(tensor.dtype)) setDType("to", tensor, dtype);
    return this;
  }

  /** `to("float16")` */
  half(): this {
    return this.to("float16");
  }

  /** `to("float32")` */
  float(): this {
    return this.to("float32");
  }

  /** Sets all gradients to null. */
  zeroGrad(): void {
    for (const parameter of this.parameters()) parameter.grad = null;
  }

  /** The values of all parameters and buffers, each under its first name, read in one go. */
  async stateDict({ prefix = "" }: StateOptions = {}): Promise<StateDict> {
    const tensors = firstNames(this.#saved());
    const values = await Tensor.readAll(tensors.map(([, tensor]) => tensor));
    return Object.fromEntries(
      tensors.map(([name, { shape }], i) => [prefix + name, { shape, data: present(values[i], `stateDict: ${name}`) }]),
    );
  }

  /**
   * Overwrites parameters and buffers. A shared one may come under any of its names; names that do not begin with
   * `prefix` are another module's. @throws OptionError, ShapeError that list every difference; then nothing has changed
   */
  loadStateDict(state: StateDict, { strict = true, prefix = "" }: LoadOptions = {}): LoadResult {
    const names = this.#saved();
    const own = Object.fromEntries(
      Object.entries(state)
        .filter(([name]) => name.startsWith(prefix))
        .map(([name, values]) => [name.slice(prefix.length), values]),
    );
    const result = compareState(names, own, strict);
    for (const [name, tensor] of names) {
      const values = own[name];
      if (values !== undefined) setValues("loadStateDict", tensor, values.data);
    }
    return result;
  }

  #register(operation: string, name: string, member: Parameter | Buffer | Module | null): void {
    if (name === "" || name.includes(".")) {
      throw new OptionError(`${operation}: expected a name without dots, found "${name}"`);
    }
    const before: unknown = Object.getOwnPropertyDescriptor(this, name)?.value;
    const isFree = !(name in this) || before instanceof Tensor || before instanceof Module || before === null;
    if (!isFree) throw new OptionError(`${operation}: expected a free name, found "${name}"`);
    Object.assign(this, { [name]: member });
  }

  /** Parameters and persistent buffers under all their names. */
  #saved(): [string, Tensor][] {
    return this.#tensors().filter(([, tensor]) => !(tensor instanceof Buffer) || tensor.persistent);
  }

  /** Parameters and buffers under all their names. `path`: the modules around. */
  #tensors(prefix = "", path: readonly Module[] = []): [string, Tensor][] {
    const found: [string, Tensor][] = [];
    const inside = [...path, this];
    for (const [name, member] of this.members()) {
      if (member instanceof Module) {
        // A child may know its parent; that makes no names.
        if (!inside.includes(member)) found.push(...member.#tensors(`${prefix}${name}.`, inside));
      } else if (member instanceof Parameter || member instanceof Buffer) {
        found.push([`${prefix}${name}`, member]);
      } else if (Array.isArray(member) && member.some((item) => item instanceof Module || item instanceof Parameter)) {
        throw new OptionError(`${prefix}${name}: expected modules in a ModuleList, found them in an array`);
      }
    }
    return found;
  }
}

function firstNames<T extends object>(entries: readonly [string, T][]): [string, T][] {
  const seen = new Set<T>();
  return entries.filter(([, item]) => !seen.has(item) && seen.add(item));
}

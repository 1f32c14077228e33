/** The base of all layers and models: finds parameters by the names of fields, as PyTorch does. */
import { OptionError, ShapeError } from "../../base/errors.ts";
import { present } from "../../base/assert.ts";
import { formatShape, sameShape } from "../../compute/layout/shape.ts";
import { dtypeOfArray } from "../../compute/tensor/host-values.ts";
import type { HostValues } from "../../compute/tensor/host-values.ts";
import { Tensor } from "../../compute/tensor/tensor.ts";
import { currentTrace } from "../../compute/tensor/trace.ts";
import { Buffer, Parameter } from "./parameter.ts";

/** Host values of parameters and buffers, by name. */
export type StateDict = Readonly<Record<string, HostValues>>;

export interface LoadOptions {
  /** Refuse missing and unknown names. On by default. */
  readonly strict?: boolean;
}

export abstract class Module {
  #training = true;

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

  /** This module and all inside it, each once. */
  modules(): Module[] {
    const found = new Set<Module>();
    const visit = (module: Module): void => {
      if (found.has(module)) return;
      found.add(module);
      for (const [, member] of module.members()) if (member instanceof Module) visit(member);
    };
    visit(this);
    return [...found];
  }

  /** Parameters by name ("blocks.0.fc.weight"), each under its first name, in the order of fields. */
  namedParameters(): [string, Parameter][] {
    return firstNames(this.#tensors().filter((entry): entry is [string, Parameter] => entry[1] instanceof Parameter));
  }

  /** Each parameter once, in the order of fields. */
  parameters(): Parameter[] {
    return this.namedParameters().map(([, parameter]) => parameter);
  }

  /** State that is saved but not trained, by name. */
  namedBuffers(): [string, Buffer][] {
    return firstNames(this.#tensors().filter((entry): entry is [string, Buffer] => entry[1] instanceof Buffer));
  }

  /** Sets all gradients to null. */
  zeroGrad(): void {
    for (const parameter of this.parameters()) parameter.grad = null;
  }

  /** The values of all parameters and buffers, each under its first name, read in one go. */
  async stateDict(): Promise<StateDict> {
    const tensors = firstNames(this.#tensors());
    const values = await Tensor.readAll(tensors.map(([, tensor]) => tensor));
    return Object.fromEntries(
      tensors.map(([name, { shape }], i) => [name, { shape, data: present(values[i], `stateDict: ${name}`) }]),
    );
  }

  /** Overwrites parameters and buffers. A shared one may come under any of its names. @throws OptionError, ShapeError */
  loadStateDict(state: StateDict, { strict = true }: LoadOptions = {}): void {
    const names = this.#tensors();
    const known = new Set(names.map(([name]) => name));
    const given = new Set(names.filter(([name]) => state[name] !== undefined).map(([, tensor]) => tensor));
    const missing = firstNames(names).filter(([, tensor]) => !given.has(tensor)).map(([name]) => name); // prettier-ignore
    const unknown = Object.keys(state).filter((name) => !known.has(name));
    if (strict && missing.length + unknown.length > 0) {
      throw new OptionError(
        `loadStateDict: expected ${known.size} names, found ${listed("missing", missing)}${listed("unknown", unknown)}`,
      );
    }
    for (const [name, tensor] of names) checkValues(name, tensor, state[name]);
    for (const [name, tensor] of names) {
      const values = state[name];
      if (values !== undefined) tensor.write(values.data);
    }
  }

  /** Parameters and buffers under all their names. */
  #tensors(prefix = ""): [string, Tensor][] {
    const found: [string, Tensor][] = [];
    for (const [name, member] of this.members()) {
      if (member instanceof Module) found.push(...member.#tensors(`${prefix}${name}.`));
      else if (member instanceof Parameter || member instanceof Buffer) found.push([`${prefix}${name}`, member]);
      else if (Array.isArray(member) && member.some((item) => item instanceof Module || item instanceof Parameter)) {
        throw new OptionError(`${prefix}${name}: expected modules in a ModuleList, found them in an array`);
      }
    }
    return found;
  }
}

function firstNames<T extends Tensor>(entries: readonly [string, T][]): [string, T][] {
  const seen = new Set<Tensor>();
  return entries.filter(([, tensor]) => !seen.has(tensor) && seen.add(tensor));
}

function listed(what: string, names: readonly string[]): string {
  return names.length === 0 ? "" : `${names.length} ${what} (${names.slice(0, 5).join(", ")}) `;
}

function checkValues(name: string, tensor: Tensor, values: HostValues | undefined): void {
  if (values === undefined) return;
  const dtype = dtypeOfArray(values.data);
  const fits = dtype === (tensor.dtype === "bool" ? "uint32" : tensor.dtype);
  if (!fits || !sameShape(values.shape, tensor.shape)) {
    throw new ShapeError(
      `loadStateDict: ${name}: expected ${tensor.dtype} ${formatShape(tensor.shape)}, found ${dtype} ${formatShape(values.shape)}`,
    );
  }
}
